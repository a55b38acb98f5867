"""`flask seed`: the demo, or a large set; each wing's highest slice has a `demo` module.

A demo module offers `load(now)`, which calls operations with the clock set back so that every
timeline is true, and may offer `load_many(sizes)`, which writes in bulk by the same rules.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from portal.foundation import clock, facts
from portal.foundation.config import DEMO_PASSWORD
from portal.foundation.database import Model, db

PASSWORD = DEMO_PASSWORD


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows of each kind a large set gets."""

    partners: int = 0
    deals: int = 0
    members: int = 0
    purchases: int = 0


def _modules() -> Iterator[ModuleType]:
    for package in current_app.config["SLICES"]:
        if importlib.util.find_spec(f"{package}.demo"):
            yield importlib.import_module(f"{package}.demo")


def is_empty() -> bool:
    """Return whether nobody and nothing is in the database yet."""
    users = Model.metadata.tables["users"]
    return db.session.scalar(sa.select(users.c.id).limit(1)) is None


def load_demo() -> None:
    """Load the demo into an empty database; the facts it announces reach their listeners."""
    now = clock.now()
    for module in _modules():
        load: Callable[[datetime], None] = module.load
        load(now)
    while waiting := facts.waiting_deliveries(limit=500):
        for delivery_id in waiting:
            facts.deliver(delivery_id)


@click.command("seed")
@click.option("--partners", type=click.IntRange(0, 10**6), default=0, help="How many partners.")
@click.option("--deals", type=click.IntRange(0, 10**7), default=0, help="How many deals.")
@click.option("--members", type=click.IntRange(0, 10**7), default=0, help="How many members.")
@click.option("--purchases", type=click.IntRange(0, 10**7), default=0, help="How many purchases.")
@with_appcontext
def seed(**sizes: int) -> None:
    """Load the demo into an empty database; with options, add a large set written in bulk.

    Example: flask --app wsgi seed --partners 2000 --deals 100000
    """
    wanted = Sizes(**sizes)
    if wanted == Sizes():
        if not is_empty():
            raise click.ClickException("The database is not empty; the demo is for an empty one.")
        load_demo()
        click.echo("The demo is loaded.")
        return
    for module in _modules():
        load_many: Callable[[Sizes], dict[str, Any]] | None = getattr(module, "load_many", None)
        for name, count in (load_many(wanted) if load_many else {}).items():
            click.echo(f"{name}: {count}")
