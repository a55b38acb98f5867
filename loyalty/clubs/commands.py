"""`flask programme load | show`."""

import json
from pathlib import Path
from typing import Any

import click
import yaml
from flask.cli import AppGroup, with_appcontext

from loyalty.clubs import operations, queries
from loyalty.clubs.models import Club
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.foundation.errors import NotFound, Refused

cli = AppGroup("programme", help="The rules of a club.")
MOST_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """YAML without aliases, which a short file may blow up with, and with dates as text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def _club(code: str) -> Club:
    try:
        return queries.club_for(SYSTEM, code)
    except NotFound:
        raise click.UsageError(f"There is no club {code}.") from None


def _document(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise click.UsageError(f"{file} is too large for a programme.")
        # A SafeLoader that takes less.
        document = yaml.load(file.read_text("utf-8-sig"), Loader=_Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise click.UsageError(f"{file} cannot be read: {line}") from None
    if not isinstance(document, dict):
        raise click.UsageError(f"{file} holds no programme document.")
    return document


@cli.command("load")
@click.argument("club")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def load(club: str, file: Path) -> None:
    """Send FILE (YAML or JSON) as the next version of the programme of CLUB.

    It is published at once unless the club needs a second person's approval. Prints
    {"version", "status"}; exit 2 for a document that cannot be used, naming the path.

    Example: flask --app wsgi programme load circle programme.yaml
    """
    found, document = _club(club), _document(file)
    try:
        with transaction():
            version = operations.send_programme(SYSTEM, club=found, document=document)
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from None
    click.echo(json.dumps({"version": version.version, "status": version.status.value}))


@cli.command("show")
@click.argument("club")
@with_appcontext
def show(club: str) -> None:
    """Print the newest version of the programme of CLUB as JSON.

    Example: flask --app wsgi programme show circle
    """
    newest = queries.newest_version(_club(club))
    if newest is None:
        raise click.ClickException(f"The club {club} has no programme yet.")
    answer: dict[str, Any] = {"version": newest.version, "status": newest.status.value}
    answer["programme"] = newest.document
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
