"""`flask import KIND FILE` and `flask export KIND`."""

import io
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import click
import structlog
from flask.cli import with_appcontext

from portal.foundation.actors import SYSTEM
from portal.foundation.audit import record
from portal.foundation.database import transaction
from portal.foundation.errors import NotFound, Refused, Unreadable
from portal.foundation.imports import exporting
from portal.foundation.imports.reading import COMMAND
from portal.foundation.imports.registry import KINDS, Context, ImportKind
from portal.foundation.imports.rejects import Entry, RejectsFile
from portal.foundation.imports.running import Counts, Importer, Stopped, begin
from portal.foundation.imports.sending import check_club, plan_for

log = structlog.get_logger()
MOST_TOLD = 5
DONE, NO, UNREADABLE, PARTLY = 0, 1, 2, 3


def _fail(sentence: object, status: int = UNREADABLE) -> NoReturn:
    """End with one line on standard error."""
    click.echo(" ".join(str(sentence).split()), err=True)
    raise SystemExit(status)


def _kind(name: str) -> ImportKind:
    kind = KINDS.get(name)
    if kind is None:
        _fail(f"There is no kind {name}; there are: {', '.join(sorted(KINDS))}.")
    return kind


class _Telling(RejectsFile):
    """A rejects file that also shows the first few entries to the operator."""

    told = 0

    def add(self, entries: list[Entry]) -> None:
        super().add(entries)
        for line, column, reason, kind, _ in sorted(entries, key=lambda entry: entry[0]):
            self.told += 1
            if self.told <= MOST_TOLD:
                place = f"line {line}, {column}" if column else f"line {line}"
                click.echo(f"{kind}: {place}: {' '.join(str(reason).split())}", err=True)
            elif self.told == MOST_TOLD + 1:
                click.echo("… and more; --rejects FILE keeps all.", err=True)


def _progress(total: int) -> AbstractContextManager[Any]:
    if not sys.stderr.isatty():
        return nullcontext()
    return click.progressbar(length=total, file=sys.stderr, show_pos=True)


@click.command("import")
@click.argument("kind_name", metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--club", metavar="CODE", help="The club that members and purchases belong to.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Mapping file (YAML).")
@click.option("--dry-run", is_flag=True, help="Do everything, then roll it back.")
@click.option(
    "--rejects", "rejects_file", type=click.Path(path_type=Path), help="CSV for what was wrong."
)
@click.option("--ignore-unknown", is_flag=True, help="Leave unknown columns of the file alone.")
@with_appcontext
def import_command(
    kind_name: str,
    file: Path,
    club: str | None,
    map_file: Path | None,
    dry_run: bool,
    rejects_file: Path | None,
    ignore_unknown: bool,
) -> None:
    """Import FILE, a CSV (UTF-8, also .gz) or XLSX file, as rows of KIND.

    Good rows are kept, bad rows told by line. The last line of output is JSON with the counts.
    A dry run keeps one transaction to its end; on SQLite nobody else can write meanwhile.
    Exit code: 0 all rows taken, 2 the file cannot be read, 3 some rows rejected.

    Example: flask --app wsgi import deals pipeline.csv --map pipeline.yaml --rejects bad.csv
    """
    kind = _kind(kind_name)
    context = Context(club=club, dry_run=dry_run, token="command")  # noqa: S106 - a name
    try:
        check_club(kind, club)
        _check_output(rejects_file, file, map_file)
        mapping = _mapping_text(map_file)
        plan, source = plan_for(kind, file, mapping, COMMAND, ignore_unknown=ignore_unknown)
        total = plan.survey(source, kind.zone(context) if kind.zone else "UTC")
        handler = begin(plan, SYSTEM, context)
        with _Telling(rejects_file, plan.header) as rejects, _progress(total) as bar:
            counts = Importer(
                plan,
                source,
                handler,
                rejects,
                dry_run=dry_run,
                on_read=bar.update if bar is not None else lambda _: None,
            ).run()
    except Unreadable as refusal:
        _fail(f"{refusal.code}: {refusal}")
    except (Refused, NotFound, OSError) as refusal:
        _fail(refusal)
    except Stopped as stopped:
        _stop(stopped, kind)
    if not dry_run and counts.created + counts.updated:
        _note(kind, file, counts)
    click.echo(json.dumps(counts.as_dict(kind.name)))
    raise SystemExit(PARTLY if counts.rejected else DONE)


def _note(kind: ImportKind, file: Path, counts: Counts) -> None:
    told = {"created": counts.created, "updated": counts.updated, "rejected": counts.rejected}
    with transaction():
        record(SYSTEM, "imports.file.imported", None, kind=kind.name, file=file.name, **told)


def _stop(stopped: Stopped, kind: ImportKind) -> NoReturn:
    """Say how far a run came that one of our errors ended."""
    cause = stopped.__cause__
    if isinstance(cause, Refused | Unreadable | NotFound):
        _fail(cause, NO)
    log.error("import.stopped", kind=kind.name, line=stopped.position.line, exc_info=cause)
    click.echo(json.dumps(stopped.position.counts.as_dict(kind.name)))
    _fail(
        f"An error stopped the import after line {stopped.position.line}; rows up to there are "
        f"kept: {cause!r:.200}",
        NO,
    )


def _check_output(rejects: Path | None, *inputs: Path | None) -> None:
    """Refuse (Refused) to write over what is read."""
    if rejects is None:
        return
    for path in inputs:
        if path is not None and rejects.resolve() == path.resolve():
            raise Refused("The rejects file would overwrite a file that is read.")


def _mapping_text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The mapping is not UTF-8.", code="mapping") from None


@click.command("export")
@click.argument("kind_name", metavar="KIND")
@click.option("--club", metavar="CODE", help="The club whose members or purchases are written.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; .xlsx for a workbook.")
@with_appcontext
def export_command(kind_name: str, club: str | None, out: Path | None) -> None:
    """Write all of KIND as CSV to standard output, or to a file.

    The columns are those of `import`, which takes the file back as unchanged.

    Example: flask --app wsgi export partners --out partners.xlsx
    """
    kind = _kind(kind_name)
    try:
        check_club(kind, club)
        found = exporting.things(kind, Context(club=club))
        if out is None:
            _write_out(kind, found)
        elif out.suffix.lower() == ".xlsx":
            exporting.write_xlsx(kind, found, out)
        else:
            with out.open("w", encoding="utf-8", newline="") as file:
                exporting.write_csv(kind, found, file)
    except (Refused, NotFound, OSError) as refusal:
        _fail(refusal)


def _write_out(kind: ImportKind, found: exporting.Things) -> None:
    """Write CSV to standard output in UTF-8, whatever the terminal's own encoding is."""
    text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="")
    try:
        exporting.write_csv(kind, found, text)
        text.flush()
    finally:
        text.detach()


COMMANDS = [import_command, export_command]
