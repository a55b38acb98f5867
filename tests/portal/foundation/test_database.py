"""Concurrent writers, transactions, and the types of columns."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.foundation import clock, settings
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry, record
from portal.foundation.database import Amount, Instant, aside, db, transaction
from portal.foundation.settings import Setting
from tests.databases import ROOT

WRITER = """
import sys, threading, time
from tests.making import environment_for, make_app
from pathlib import Path
import sqlalchemy as sa
from portal.foundation.database import db, transaction
from portal.foundation.settings import Setting
seconds, folder, url = float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
app = make_app(environment_for(folder, url))
done, errors = [], []
def write():
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        try:
            with app.app_context(), transaction() as session:
                row = session.scalars(sa.select(Setting).with_for_update()).one()
                row.value = row.value + 1
            count += 1
        except Exception as error:
            errors.append(repr(error))
    done.append(count)
threads = [threading.Thread(target=write) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(done), len(errors), *errors[:2])
"""


def test_four_processes_of_four_threads_lose_no_write_on_sqlite(
    app: Flask, database_url: str, tmp_path
):
    """Twenty seconds of writing by sixteen threads: no "database is locked", no lost update."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        row = {"name": "counter", "value": 0, "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}
        connection.execute(sa.insert(Setting).values(**row))
    program = [sys.executable, "-c", WRITER, "20", str(tmp_path), database_url]
    writers = [
        subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [writer.communicate(timeout=120)[0].split() for writer in writers]
    assert [answer[1:] for answer in answers] == [["0"]] * 4
    with engine.connect() as connection:
        assert connection.scalar(sa.select(Setting.value)) == sum(int(a[0]) for a in answers)
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_sqlite_is_set_for_concurrent_use(context: Flask):
    with db.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 15_000,
        "foreign_keys": 1,
    }


@pytest.mark.both_databases
def test_a_transaction_that_raises_keeps_nothing(context: Flask):
    with pytest.raises(RuntimeError, match="on purpose"), transaction():
        settings.change_setting(SYSTEM, name="vendor.name", value="Other")
        db.session.flush()
        raise RuntimeError("on purpose")
    assert settings.setting("vendor.name") == "Halden Instruments"
    assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


@pytest.mark.both_databases
def test_writing_outside_a_transaction_is_a_bug(context: Flask):
    db.session.add(Setting(name="x", value=1, changed_at=clock.now()))
    with pytest.raises(RuntimeError, match="with transaction"):
        db.session.flush()
    db.session.expunge_all()
    with pytest.raises(RuntimeError, match="with transaction"):
        db.session.execute(sa.delete(Setting))


@pytest.mark.both_databases
def test_the_audit_refuses_update_and_delete(context: Flask):
    with transaction():
        record(SYSTEM, "settings.setting.changed", setting="a", value="b")
    for statement in (sa.update(AuditEntry).values(name="forged"), sa.delete(AuditEntry)):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
            session.execute(statement)
    assert db.session.scalar(sa.select(AuditEntry.name)) == "settings.setting.changed"


def test_aside_refuses_inside_a_transaction(context: Flask):
    with pytest.raises(RuntimeError, match="aside"), transaction(), aside():
        pass


@pytest.mark.both_databases
def test_instants_come_back_aware_and_amounts_exact(context: Flask):
    columns = [sa.Column("at", Instant()), sa.Column("amount", Amount())]
    table = sa.Table("scratch", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    at, amount = datetime(2026, 3, 29, 1, 30, tzinfo=UTC), Decimal("1234567890.1234")
    with transaction() as session:
        table.create(session.connection())
        session.execute(table.insert().values(at=at, amount=amount))
        row = session.execute(sa.select(table)).one()
        session.rollback()
    assert (row.at, row.amount) == (at, amount)
    assert row.at.tzinfo is UTC
    assert isinstance(row.amount, Decimal)


def test_a_naive_instant_never_reaches_the_database(context: Flask):
    with pytest.raises(sa.exc.StatementError, match="time zone"), transaction() as session:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
        session.add(Setting(name="x", value=1, changed_at=naive))
        session.flush()
