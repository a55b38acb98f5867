"""`flask backup` and `flask restore`: everything in one file, the same for both databases.

The file is a zip: a manifest, the rows of each table as lines of JSON in one snapshot of the
database, the uploaded files, and the key that opens sealed secrets where DATA_DIR holds it. Keep
it as safe as the database itself.
"""

import base64
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from portal.foundation import clock
from portal.foundation.database import (
    Amount,
    Instant,
    Json,
    Model,
    alembic,
    db,
    is_postgresql,
    transaction,
)
from portal.foundation.migrations import upgrade_database

FORMAT = 1
FOLDERS = ("files", "imports")  # below DATA_DIR: what people sent
MANIFEST = "manifest.json"
KEY = "secret_key"
BATCH = 1_000
Row = list[Any]


class BadBackup(Exception):  # noqa: N818
    """A file is no backup, or a damaged one; the message is one line for the operator."""


class NotEmpty(Exception):  # noqa: N818
    """The database that a backup should go into holds something already."""


def _tables() -> list[sa.Table]:
    return sorted(Model.metadata.tables.values(), key=lambda table: table.name)


def _revision() -> str:
    return alembic.script_directory.get_current_head() or ""


@contextmanager
def _snapshot() -> Iterator[sa.Connection]:
    """Open a connection that sees one instant of the database, however long it reads."""
    with db.engine.connect() as connection:
        if is_postgresql():
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            connection.execution_options(**options)
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; `_reader` of its column turns it back."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _reader(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Return what turns a column's JSON into its value; None where it is the value."""
    for column_types, read in _READERS:
        if isinstance(kind, column_types):
            return read
    return None


_READERS: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((Instant, sa.DateTime), datetime.fromisoformat),
    ((sa.Date,), date.fromisoformat),
    ((Amount,), Decimal),
    ((sa.LargeBinary,), base64.b64decode),
)


def write_backup(path: Path) -> dict[str, int]:
    """Write everything into a new file at `path`; return how many tables, rows and files.

    The file appears under its name when it is whole, readable by its owner alone. Raises OSError
    where it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    counts: dict[str, int] = {}
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
        ):
            with _snapshot() as connection:
                for table in _tables():
                    with archive.open(f"tables/{table.name}", "w", force_zip64=True) as lines:
                        counts[table.name] = _write_rows(connection, table, lines)
            files = _write_files(archive)
            manifest = {"format": FORMAT, "revision": _revision(), "tables": counts, "files": files}
            manifest["made_at"] = clock.now().isoformat()
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return {"tables": len(counts), "rows": sum(counts.values()), "files": files}


def _write_rows(connection: sa.Connection, table: sa.Table, lines: IO[bytes]) -> int:
    names = [column.name for column in table.columns]
    lines.write(json.dumps(names).encode() + b"\n")
    select = sa.select(*table.columns).order_by(*table.primary_key.columns)
    options = {"yield_per": BATCH}
    count = 0
    for rows in connection.execute(select, execution_options=options).partitions():
        texts = (json.dumps([_plain(value) for value in row]) for row in rows)
        lines.write(("\n".join(texts) + "\n").encode())
        count += len(rows)
    return count


def _write_files(archive: zipfile.ZipFile) -> int:
    """Add the uploaded files: after the rows, so that no row of them lacks its file."""
    data_dir = Path(current_app.config["DATA_DIR"])
    count = 0
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).rglob("*")):
            if path.is_dir() or path.name.startswith("."):
                continue
            with suppress(FileNotFoundError):  # removed meanwhile
                archive.write(path, path.relative_to(data_dir).as_posix(), zipfile.ZIP_STORED)
                count += 1
    key = data_dir / KEY
    if key.exists() and not os.environ.get("SECRET_KEY"):
        archive.write(key, KEY)
    return count


def _file_names(archive: zipfile.ZipFile) -> list[str]:
    starts = tuple(f"{folder}/" for folder in FOLDERS)
    return [name for name in archive.namelist() if name.startswith(starts)]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """Open a backup with its manifest; refuses (BadBackup) what is none or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest.get("format") != FORMAT:
                raise BadBackup(f"{path} was written by another release of Guildhall")
            yield archive, manifest
    except FileNotFoundError:
        raise BadBackup(f"there is no file {path}") from None
    except OSError as error:
        raise BadBackup(f"{path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error) as error:
        raise BadBackup(f"{path} is not a whole backup: {error}") from None


def _rows(archive: zipfile.ZipFile, table: str) -> Iterator[tuple[list[str], list[Row]]]:
    """Yield the rows of a table in batches, each with the names of its columns."""
    with archive.open(f"tables/{table}") as lines:
        names = json.loads(lines.readline())
        batch: list[Row] = []
        for line in lines:
            batch.append(json.loads(line))
            if len(batch) == BATCH:
                yield names, batch
                batch = []
        if batch:
            yield names, batch


def verify_backup(path: Path) -> dict[str, int]:
    """Read all of a backup; return how many tables, rows and files it holds.

    Refuses (BadBackup) one that is damaged or holds other than its manifest says.
    """
    with _opened(path) as (archive, manifest):
        for table, expected in manifest["tables"].items():
            found = sum(len(rows) for _names, rows in _rows(archive, table))
            if found != expected:
                raise BadBackup(f"{path} holds {found} rows of {table}, not {expected}")
        files = _file_names(archive)
        damaged = archive.testzip()
        if damaged or len(files) != manifest["files"]:
            raise BadBackup(f"{path} is damaged at {damaged or 'its uploaded files'}")
        counts = manifest["tables"]
        return {"tables": len(counts), "rows": sum(counts.values()), "files": len(files)}


def restore_backup(path: Path) -> dict[str, int]:
    """Put a backup into the present empty database; return how many tables, rows and files.

    All or nothing of the rows is kept; files are written first. Refuses (BadBackup) a damaged
    backup and one of another release, (NotEmpty) a database that holds anything.
    """
    found = verify_backup(path)
    with _opened(path) as (archive, manifest):
        upgrade_database()
        if manifest["revision"] != _revision() or set(manifest["tables"]) != {
            table.name for table in _tables()
        }:
            raise BadBackup(f"{path} was written by another release of Guildhall")
        with transaction() as session:
            connection = session.connection()
            _refuse_unless_empty(connection)
            _read_files(archive)
            with _without_foreign_keys(connection):
                for table in _tables():
                    _insert(connection, table, archive)
            _check_counts(connection, manifest["tables"])
    return found


def _refuse_unless_empty(connection: sa.Connection) -> None:
    for table in _tables():
        if connection.scalar(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table)))):
            raise NotEmpty(f"the database is not empty: {table.name} holds rows")


def _insert(connection: sa.Connection, table: sa.Table, archive: zipfile.ZipFile) -> None:
    shadow = sa.table(table.name, *(sa.column(c.name, _stored_type(c)) for c in table.columns))
    readers = {column.name: _reader(column.type) for column in table.columns}
    for names, rows in _rows(archive, table.name):
        ways = [(name, readers[name]) for name in names]
        values = [
            {
                name: value if read is None or value is None else read(value)
                for (name, read), value in zip(ways, row, strict=True)
            }
            for row in rows
        ]
        connection.execute(sa.insert(shadow), values)
    if is_postgresql() and "id" in table.columns:
        last = sa.select(sa.func.max(table.c.id)).scalar_subquery()
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        connection.execute(
            sa.select(sa.func.setval(sequence, sa.func.coalesce(last, 1), last.is_not(None)))
        )


def _stored_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """Return the column's type, so that a missing JSON document stays missing."""
    if isinstance(column.type, Json | sa.JSON) and column.nullable:
        return sa.JSON(none_as_null=True)
    return column.type


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """Let rows come before those that they name; all is checked again at the end."""
    if not is_postgresql():
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        yield
        return
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    quote = connection.dialect.identifier_preparer.quote
    found = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text AS home, conname, pg_get_constraintdef(oid) AS rule "
            "FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
    ).all()
    for row in found:
        connection.exec_driver_sql(f"ALTER TABLE {row.home} DROP CONSTRAINT {quote(row.conname)}")
    yield
    for row in found:
        name = quote(row.conname)
        connection.exec_driver_sql(f"ALTER TABLE {row.home} ADD CONSTRAINT {name} {row.rule}")


def _check_counts(connection: sa.Connection, expected: dict[str, int]) -> None:
    for table in _tables():
        found = connection.scalar(sa.select(sa.func.count()).select_from(table))
        if found != expected[table.name]:
            raise BadBackup(f"{table.name} got {found} rows, not {expected[table.name]}")


def _read_files(archive: zipfile.ZipFile) -> None:
    data_dir = Path(current_app.config["DATA_DIR"])
    for name in _file_names(archive):
        target = (data_dir / name).resolve()
        if not any(target.is_relative_to((data_dir / folder).resolve()) for folder in FOLDERS):
            raise BadBackup(f"{name} lies outside the folders of files")
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    if KEY in archive.namelist() and not os.environ.get("SECRET_KEY"):
        key = data_dir / KEY
        key.touch(mode=0o600)
        key.write_bytes(archive.read(KEY))


def _said(found: dict[str, int]) -> None:
    click.echo(json.dumps(found))


@click.command("backup")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verify", is_flag=True, help="Write nothing: read FILE and check that it is whole.")
@with_appcontext
def backup(path: Path, verify: bool) -> None:
    """Write everything into FILE, while serving; it restores into either kind of database.

    Example: flask --app wsgi backup /var/backups/guildhall.zip
    """
    try:
        _said(verify_backup(path) if verify else write_backup(path))
    except BadBackup as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None


@click.command("restore")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def restore(path: Path) -> None:
    """Put the backup FILE into the present database, which must be empty.

    Example: flask --app wsgi restore /var/backups/guildhall.zip
    """
    try:
        _said(restore_backup(path))
    except NotEmpty as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None
    except BadBackup as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from None
