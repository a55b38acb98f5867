"""`flask newsletters pdf`: the print edition as a file."""

from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from loyalty.newsletters import documents, queries
from portal.foundation.actors import SYSTEM
from portal.foundation.errors import NotFound
from portal.foundation.pdf import PdfFailed

cli = AppGroup("newsletters", help="Newsletters of the clubs.")


@cli.command("pdf")
@click.argument("reference")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--member", "number", metavar="NUMBER", help="Fill in this member's balance.")
@with_appcontext
def write_pdf(reference: str, out: Path, number: str | None) -> None:
    """Write the print edition of a newsletter to a file.

    Example: flask --app wsgi newsletters pdf demo --out newsletter.pdf
    """
    try:
        newsletter = queries.newsletter_by_reference(SYSTEM, reference)
    except NotFound:
        raise click.UsageError(f"There is no newsletter {reference}.") from None
    try:
        member = queries.member_of(newsletter, number) if number else None
    except NotFound:
        raise click.UsageError(f"The club has no member {number}.") from None
    try:
        out.write_bytes(documents.print_edition(newsletter, member))
    except (OSError, PdfFailed) as problem:
        raise click.ClickException(str(problem)) from None
