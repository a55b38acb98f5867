"""Migrations are numbered, reversible, one line without forks, and equal to the models."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.foundation.database import alembic, db
from portal.foundation.migrations import downgrade_database, upgrade_database
from tests.house.source import files, read


def numbering_faults(names: list[str]) -> list[str]:
    """Return the file names that break the count 0001, 0002, ….

    A gap or a doubled number means that two changes were made side by side.
    """
    found = []
    for place, name in enumerate(sorted(names), 1):
        if not re.fullmatch(rf"{place:04d}_[a-z0-9_]+\.py", name):
            found.append(f"{name}: expected {place:04d}_what_it_does.py")
    return found


def one_way(tree: ast.Module) -> Iterator[str]:
    """Yield the functions of a migration that are missing, empty or refuse to work."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in ("upgrade", "downgrade"):
        if name not in functions:
            yield f"no {name}()"
            continue
        steps = [
            node
            for node in functions[name].body
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        ]
        if not steps or isinstance(steps[0], (ast.Pass, ast.Raise)):
            yield f"{name}() does nothing"


def test_a_gap_in_the_count_is_found():
    assert numbering_faults(["0001_ground.py", "0002_deals.py"]) == []
    assert len(numbering_faults(["0001_ground.py", "0003_deals.py", "a1b2_x.py"])) == 2


def test_a_one_way_migration_is_found():
    both = "def upgrade():\n    op.create_table('x')\ndef downgrade():\n    {}"
    assert not list(one_way(ast.parse(both.format("op.drop_table('x')"))))
    assert list(one_way(ast.parse(both.format("pass"))))
    assert list(one_way(ast.parse(both.format("raise NotImplementedError"))))


def test_migrations_are_numbered():
    names = [Path(name).name for name in files("migrations")]
    assert names
    assert numbering_faults(names) == []


def test_migrations_go_both_ways():
    assert [
        f"{name}: {fault}" for name in files("migrations") for fault in one_way(read(name).tree)
    ] == []


@pytest.fixture
def unmigrated(applications, database_kind):
    """An application on a database without tables, its context pushed."""
    made = applications.make(database_kind, "migrations", migrated=False)
    with made.app.app_context():
        yield made.app
        db.engine.dispose()


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


@pytest.mark.both_databases
def test_up_down_and_up_again_ends_at_the_models(unmigrated):
    upgrade_database()
    assert not alembic.needs_revision(), "models and migrations differ; `flask db revision`"
    made = tables()
    assert len(made) > 1
    downgrade_database("base")
    assert tables() <= {"alembic_version"}
    upgrade_database()
    assert tables() == made
    assert not alembic.needs_revision()


@pytest.mark.both_databases
def test_every_single_step_down_and_up_again(unmigrated):
    upgrade_database()
    for _ in files("migrations"):
        downgrade_database("-1")
    assert tables() <= {"alembic_version"}
    upgrade_database()
    assert not alembic.needs_revision()
