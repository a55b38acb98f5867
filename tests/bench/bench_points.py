"""Points: purchases by the API and by import, beside the rows alone."""

import contextlib
import csv
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from loyalty.clubs.models import Club
from portal.accounts import operations
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from tests.bench.bench_pages import a_user
from tests.bench.ground import application
from tests.bench.measure import bench, measure
from tests.factories.clubs import make_club, make_member

PURCHASES = 200
IMPORTED = 10_000
MEMBERS = 500
LEDGER = """
CREATE TABLE transfers (id INTEGER PRIMARY KEY, source TEXT UNIQUE, at TEXT);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE entries (id INTEGER PRIMARY KEY, transfer INTEGER, account INTEGER, amount INTEGER);
CREATE INDEX entries_account ON entries (account, id);
INSERT INTO accounts VALUES (1, 0), (2, 0);
"""
TRANSFER = "INSERT INTO transfers (source, at) VALUES (?, '2026-01-01') RETURNING id"
ENTRIES = "INSERT INTO entries (transfer, account, amount) VALUES (?, 1, -?), (?, 2, ?)"


def durable(path: Path) -> sqlite3.Connection:
    """Open a SQLite database as Guildhall sets its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


@bench
def purchases_api() -> None:
    """A purchase over the API against the double entry alone, each durable by itself."""
    with application() as app, tempfile.TemporaryDirectory(prefix="guildhall-bench-") as folder:
        user = a_user(app, "marketing@vendor.example", Role.MARKETING)
        with app.app_context():
            club = make_club()
            number = make_member(club, external_id="lin").number
            with transaction():
                token = operations.create_token(SYSTEM, user=user, name="bench")
        client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
        raw_ledger = durable(Path(folder) / "raw.db")
        raw_ledger.executescript(LEDGER)
        told = iter(range(10**9))

        def ours() -> None:
            for _ in range(PURCHASES):
                key = f"p{next(told)}"
                line = {"line": "1", "sku": "HX-900", "quantity": 1, "amount": "42.00"}
                body = {"purchase_id": key, "member": number, "currency": "EUR", "lines": [line]}
                answer = client.post(
                    "/api/v1/clubs/circle/purchases",
                    json=body,
                    headers=headers | {"Idempotency-Key": key},
                )
                if answer.status_code != 201:
                    raise SystemExit(f"a purchase was refused: {answer.text}")

        def raw() -> None:
            for _ in range(PURCHASES):
                raw_ledger.execute("BEGIN IMMEDIATE")
                source = f"p{next(told)}"
                transfer = raw_ledger.execute(TRANSFER, (source,)).fetchall()[0][0]
                raw_ledger.execute(ENTRIES, (transfer, 42, transfer, 42))
                raw_ledger.execute("UPDATE accounts SET balance = balance - 42 WHERE id = 1")
                raw_ledger.execute("UPDATE accounts SET balance = balance + 42 WHERE id = 2")
                raw_ledger.execute("COMMIT")

        measure("purchases_api", ours, raw, "purchases/s", runs=3, items=PURCHASES)
        raw_ledger.close()


@contextlib.contextmanager
def club_with_members() -> Iterator[Flask]:
    """An application with a club of 500 members, nothing bought."""
    with application() as app:
        with app.app_context():
            club: Club = make_club()
            with transaction():
                for number in range(MEMBERS):
                    make_member(club, f"Member {number}", external_id=f"m{number}")
        yield app


def purchase_file(path: Path) -> None:
    """Write a file of purchases of one line each."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = ["purchase_id", "member", "happened_at", "amount", "currency", "sku", "quantity"]
        writer.writerow(names)
        for number in range(IMPORTED):
            day, member = f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}", f"m{number % MEMBERS}"
            at = f"{day}T12:00:00Z"
            writer.writerow([f"p{number}", member, at, f"{number % 90}.50", "EUR", "HX-900", 1])


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table of a SQLite database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        names = [name for (name,) in connection.execute(query)]
        every = {name: str(sa.select(sa.text("*")).select_from(sa.table(name))) for name in names}
        return {name: connection.execute(select).fetchall() for name, select in every.items()}


@bench
def purchases_import() -> None:
    """An import of purchases against one bulk insert of the very rows that it makes."""
    with club_with_members() as app:
        folder = Path(app.config["DATA_DIR"])
        file, database, before = folder / "p.csv", folder / "guildhall.db", folder / "before.db"
        purchase_file(file)
        with app.app_context():
            with db.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
            db.engine.dispose()
        shutil.copyfile(database, before)

        def start_again() -> None:
            with app.app_context():
                db.engine.dispose()
            for end in ("-wal", "-shm"):
                database.with_name(database.name + end).unlink(missing_ok=True)
            shutil.copyfile(before, database)

        def ours() -> None:
            said = app.test_cli_runner().invoke(
                args=["import", "purchases", str(file), "--club", "circle"]
            )
            if said.exit_code != 0:
                raise SystemExit(f"the import failed: {said.output[-500:]}")

        ours()
        made = rows_of(database)
        had = {name: set(rows) for name, rows in rows_of(before).items()}
        fresh = {n: [r for r in rows if r not in had[n]] for n, rows in made.items()}
        measure(
            "purchases_import",
            lambda: timed_after(start_again, ours),
            lambda: timed_after(start_again, lambda: insert(database, fresh)),
            "purchases/s",
            runs=3,
            items=IMPORTED,
        )


def insert(path: Path, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    """Insert rows in one transaction, a statement for each table."""
    with contextlib.closing(durable(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for name, rows in tables.items():
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({marks})", rows)
        connection.execute("COMMIT")


def timed_after(prepare: Callable[[], None], work: Callable[[], None]) -> float:
    """Return the seconds of `work` alone, after `prepare`."""
    prepare()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
