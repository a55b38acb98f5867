"""Whether `make run` may serve at once, or has to migrate or load the demo first."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.foundation.config import read_config
from portal.foundation.start import is_ready
from tests.factories.accounts import make_user
from tests.making import environment_for


@pytest.mark.both_databases
def test_a_migrated_database_with_somebody_in_it_is_ready(context: Flask, tmp_path):
    url = context.config["DATABASE_URL"]
    config = replace(read_config(environment_for(tmp_path, url)), demo=True)
    assert not is_ready(config)
    assert is_ready(replace(config, demo=False))
    make_user("owner@north.example")
    assert is_ready(config)


@pytest.mark.both_databases
def test_a_database_without_tables_is_not_ready(empty_database_url: str, tmp_path):
    assert not is_ready(read_config(environment_for(tmp_path, empty_database_url)))


def test_a_database_of_another_migration_is_not_ready(context: Flask, tmp_path, database_url: str):
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    engine.dispose()
    assert not is_ready(read_config(environment_for(tmp_path, database_url)))


def test_an_absent_file_is_not_ready_and_stays_absent(tmp_path):
    path = tmp_path / "none.db"
    assert not is_ready(read_config(environment_for(tmp_path, f"sqlite:///{path}")))
    assert not path.exists()
