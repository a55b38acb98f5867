"""Bringing the database to the present shape, under one lock, children kept.

Alembic's batch mode rebuilds a table on SQLite; with foreign keys on, dropping the old copy would
delete every child row. They are therefore off while migrating and checked afterwards.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from alembic.script import Script
from flask import current_app
from flask_alembic.cli import cli as alembic_cli
from sqlalchemy import event

from portal.foundation.database import alembic, db, is_postgresql

MIGRATION_KEY = 7_418_520_002


@contextmanager
def _alone() -> Iterator[None]:
    if is_postgresql():
        with db.engine.connect() as connection:
            connection.exec_driver_sql("SET lock_timeout = 0; SET statement_timeout = 0")
            connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_KEY)))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATION_KEY)))
        return
    with (Path(current_app.config["DATA_DIR"]) / "migration.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _without_foreign_keys() -> Iterator[None]:
    if is_postgresql():
        yield
        return
    engine = db.engine
    engine.dispose()

    def switch_off(connection: object, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]

    event.listen(engine, "connect", switch_off)
    try:
        yield
        with engine.connect() as connection:
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if orphans:
            raise RuntimeError(f"migration left {len(orphans)} rows without their parent")
    finally:
        event.remove(engine, "connect", switch_off)
        engine.dispose()


def upgrade_database(target: str = "heads") -> None:
    """Run the migrations up to `target`; four processes may do so at once."""
    with _alone(), _without_foreign_keys():
        alembic.upgrade(target)


def downgrade_database(target: str = "-1") -> None:
    """Take migrations back down to `target`."""
    with _alone(), _without_foreign_keys():
        alembic.downgrade(_parsed(target))


def _parsed(target: str) -> int | str | Script:
    try:
        return int(target)
    except ValueError:
        return target


def is_behind() -> bool:
    """Return whether the database lacks a migration.

    Asks by a connection of its own: Alembic's context is one for all threads of an application.
    """
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return True
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        return set(found) != _heads()


@lru_cache(maxsize=1)
def _heads() -> set[str]:
    return set(alembic.script_directory.get_heads())


def append_only(op: Any, table: str) -> None:
    """Let the database itself refuse UPDATE and DELETE on `table`, within a migration."""
    sentence = f"{table} is append-only"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{sentence}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )


def drop_append_only(op: Any, table: str) -> None:
    """Take the guard of `append_only` away, for a downgrade."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER IF EXISTS append_only ON {table}")
        op.execute(f"DROP FUNCTION IF EXISTS {table}_append_only()")
        return
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


@click.command("upgrade")
@click.argument("target", default="heads")
def upgrade_command(target: str) -> None:
    """Bring the database to the present shape.

    Example: flask --app wsgi db upgrade
    """
    upgrade_database(target)


@click.command("downgrade")
@click.argument("target", default="-1")
def downgrade_command(target: str) -> None:
    """Take the last migration (or down to TARGET) back.

    Example: flask --app wsgi db downgrade
    """
    downgrade_database(target)


def guard_commands() -> None:
    """Put the guarded upgrade and downgrade in place of Alembic's own."""
    alembic_cli.add_command(upgrade_command, "upgrade")
    alembic_cli.add_command(downgrade_command, "downgrade")
