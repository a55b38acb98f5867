"""Migrations: four processes at once, there and back, children kept, the guards in place."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.foundation.database import alembic, db
from portal.foundation.migrations import _without_foreign_keys, downgrade_database, upgrade_database
from tests.databases import ROOT
from tests.making import environment_for

UPGRADE = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]


@pytest.mark.both_databases
def test_four_processes_may_start_on_one_empty_database(tmp_path: Path, empty_database_url: str):
    environment = environment_for(tmp_path, empty_database_url)
    started = [
        subprocess.Popen(UPGRADE, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    ended = [(one.communicate(timeout=120)[1], one.returncode) for one in started]
    assert [code for _, code in ended] == [0] * 4, ended
    engine = sa.create_engine(empty_database_url)
    with engine.connect() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar()
    engine.dispose()
    assert count == 1


@pytest.mark.both_databases
def test_all_the_way_down_and_up_again(fresh_app):
    app = fresh_app()
    with app.app_context():
        downgrade_database("base")
        assert set(sa.inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade_database()
        assert not alembic.needs_upgrade()
        assert "users" in sa.inspect(db.engine).get_table_names()


def test_orphans_of_a_migration_are_found(context: Flask):
    orphan = "INSERT INTO user_roles (user_id, role) VALUES (7, 'member')"
    with (
        pytest.raises(RuntimeError, match="without their parent"),
        _without_foreign_keys(),
        db.engine.connect() as connection,
    ):
        for statement in (orphan, "COMMIT", "BEGIN"):
            connection.exec_driver_sql(statement)
