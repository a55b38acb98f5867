"""Backups: one instant of the database, whole, into either kind of database, and nothing else."""

import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.foundation import backup, facts, settings
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry, record
from portal.foundation.database import Model, db, transaction
from portal.foundation.facts import StoredFact
from tests.application import Applications, skip_unless_available
from tests.databases import KINDS, Kind
from tests.factories.accounts import make_user

OTHER: dict[Kind, Kind] = {"sqlite": "postgresql", "postgresql": "sqlite"}


def fill(app: Flask) -> None:
    """Put something of most types of columns into the database, and a file beside it."""
    with app.app_context():
        make_user("admin@vendor.example", zone="Europe/Oslo")
        make_user("lin@club.example", language="zh_Hans_CN")
        with transaction() as session:
            settings.change_setting(SYSTEM, name="vendor.name", value="Halden & Søn “零”")
            record(SYSTEM, "settings.setting.changed", setting="x", value=(None, {"a": [1, None]}))
            for number in range(2_345):
                values = {"number": number, "text": "line\nbreak\u2028"}
                session.add(
                    StoredFact(name="tests.x", values=values, announced_at=backup.clock.now())
                )
    stored = Path(app.config["DATA_DIR"]) / "files" / "ab" / "abc"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"\x00picture")


def everything(app: Flask) -> dict[str, list[Any]]:
    """Return the rows of every table, as the application reads them."""
    with app.app_context():
        tables = sorted(Model.metadata.tables.values(), key=lambda table: table.name)
        return {
            table.name: [
                tuple(row)
                for row in db.session.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables
        }


@pytest.fixture
def other_app(applications: Applications, databases) -> Iterator[Callable[..., Flask]]:
    """Makes one more application, on a database of its own."""
    made: list[Flask] = []

    def make(kind: Kind, *, migrated: bool = True) -> Flask:
        skip_unless_available(databases, kind)
        made.append(applications.make(kind, "other", migrated=migrated).app)
        return made[0]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.mark.both_databases
def test_a_backup_restores_into_the_other_kind(app: Flask, database_kind, other_app, tmp_path):
    target = other_app(OTHER[database_kind], migrated=False)
    fill(app)
    path = tmp_path / "backup.zip"
    made = app.test_cli_runner().invoke(args=["backup", str(path)])
    assert made.exit_code == 0, made.output
    before = everything(app)
    counts = json.loads(made.stdout)
    assert counts["rows"] == sum(len(rows) for rows in before.values()) > 2_345
    assert (counts["files"], path.stat().st_mode & 0o777) == (1, 0o600)

    restored = target.test_cli_runner().invoke(args=["restore", str(path)])
    assert restored.exit_code == 0, restored.output
    assert json.loads(restored.stdout.splitlines()[-1]) == counts
    assert everything(target) == before
    stored = Path(target.config["DATA_DIR"]) / "files" / "ab" / "abc"
    assert stored.read_bytes() == b"\x00picture"

    with target.app_context():
        with transaction():
            record(SYSTEM, "settings.setting.changed", setting="new", value=1)  # a fresh key
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
            session.execute(sa.delete(AuditEntry))
        with pytest.raises(sa.exc.IntegrityError), transaction() as session:
            row = {"fact_id": 10**9, "listener": "x", "next_at": backup.clock.now(), "attempts": 0}
            session.execute(sa.insert(facts.FactDelivery), [row | {"state": "pending"}])


def test_only_an_empty_database_takes_a_backup(app: Flask, tmp_path):
    path = tmp_path / "backup.zip"
    fill(app)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["backup", str(path)]).exit_code == 0
    before = everything(app)
    refused = runner.invoke(args=["restore", str(path)])
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "not empty" in refused.stderr
    assert everything(app) == before


@pytest.mark.parametrize("kind", KINDS)
def test_writers_go_on_and_the_backup_is_one_instant(other_app, tmp_path, kind: Kind):
    """A fact and its audit entry are written together; the backup has as many of one as other."""
    app = other_app(kind)
    stop, count = threading.Event(), 0

    def write() -> None:
        nonlocal count
        with app.app_context():
            while not stop.is_set():
                with transaction() as session:
                    record(SYSTEM, "settings.setting.changed", setting="pair", value=count)
                    now = backup.clock.now()
                    session.add(StoredFact(name="tests.pair", values={}, announced_at=now))
                count += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            path = tmp_path / f"{number}.zip"
            assert app.test_cli_runner().invoke(args=["backup", str(path)]).exit_code == 0
            with zipfile.ZipFile(path) as archive:
                manifest = json.loads(archive.read("manifest.json"))["tables"]
            assert manifest["audit_entries"] == manifest["facts"]
    finally:
        stop.set()
        writer.join()
    assert count > 5


def test_a_damaged_backup_is_refused_in_one_line_and_keeps_nothing(app: Flask, other_app, tmp_path):
    fill(app)
    path, runner = tmp_path / "backup.zip", app.test_cli_runner()
    runner.invoke(args=["backup", str(path)])
    whole = runner.invoke(args=["backup", "--verify", str(path)])
    assert whole.exit_code == 0
    target = other_app("sqlite")
    middle = path.stat().st_size // 2
    content = path.read_bytes()
    broken = [
        b"",
        b"PK\x03\x04 no backup",
        content[:middle],
        content[:middle] + b"\x00" * 64 + content[middle + 64 :],
    ]
    bad = tmp_path / "bad.zip"
    for one in broken:
        bad.write_bytes(one)
        for app_, args in ((target, ["restore"]), (app, ["backup", "--verify"])):
            answer = app_.test_cli_runner().invoke(args=[*args, str(bad)])
            assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1), answer.output
    assert not any(everything(target).values())


def test_a_backup_of_another_release_or_with_rows_missing_is_refused(app: Flask, tmp_path):
    path = tmp_path / "backup.zip"
    app.test_cli_runner().invoke(args=["backup", str(path)])
    changes: list[dict[str, Any]] = [
        {"format": 2},
        {"revision": "9999"},
        {"tables": {}},
        {"files": 3},
    ]
    for change in changes:
        other = tmp_path / "other.zip"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "manifest.json":
                    content = json.dumps(json.loads(content) | change).encode()
                new.writestr(name, content)
        answer = app.test_cli_runner().invoke(args=["restore", str(other)])
        assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1), answer.output


def test_a_file_outside_the_folders_is_not_written(app: Flask, tmp_path):
    path, other = tmp_path / "backup.zip", tmp_path / "other.zip"
    app.test_cli_runner().invoke(args=["backup", str(path)])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = json.dumps(json.loads(content) | {"files": 1}).encode()
            new.writestr(name, content)
        new.writestr("files/../../evil", b"x")
    answer = app.test_cli_runner().invoke(args=["restore", str(other)])
    assert answer.exit_code == 2, answer.output
    assert not (Path(app.config["DATA_DIR"]).parent / "evil").exists()


@pytest.mark.parametrize("args", [["backup", "/nowhere/x.zip"], ["restore", "/nowhere/x.zip"]])
def test_a_path_that_cannot_be_used_is_bad_usage(runner, args: list[str]):
    answer = runner.invoke(args=args)
    assert answer.exit_code == 2
    assert "Traceback" not in answer.output
