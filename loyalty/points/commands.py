"""`flask points audit`."""

import json

import click
from flask.cli import AppGroup, with_appcontext

from loyalty.points.operations.auditing import audit_ledger
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction

cli = AppGroup("points", help="The ledger of points.")


@cli.command("audit")
@with_appcontext
def audit() -> None:
    """Recompute every balance from entries and lots; exit 1 when anything differs.

    Example: flask --app wsgi points audit
    """
    with transaction():
        found = audit_ledger(SYSTEM)
    names = ("accounts", "transfers", "entries", "unbalanced", "drifted")
    click.echo(json.dumps({name: getattr(found, name) for name in names}))
    raise SystemExit(1 if found.unbalanced or found.drifted else 0)
