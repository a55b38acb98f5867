"""`flask serve`: migrate, load the demo into an empty database, then serve."""

import signal
import sys

import click
from flask.cli import with_appcontext

from portal.foundation.config import read_config
from portal.foundation.migrations import upgrade_database
from portal.foundation.processes import run_site
from portal.foundation.seeding import is_empty, load_demo


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Migrate, load the demo into an empty database, then serve pages and run jobs.

    Example: PORT=8080 flask --app wsgi serve
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    upgrade_database()
    config = read_config()
    if config.has_demo and is_empty():
        click.echo("Loading the demo…")
        load_demo()
    raise SystemExit(run_site(config))
