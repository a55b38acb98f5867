"""Migrations are numbered, reversible, one line without forks, and equal to the models."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import ROOT, run_flask
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


@pytest.mark.both_databases
def test_up_down_and_up_again_ends_at_the_models(empty_database_url, tmp_path):
    def flask(*arguments: str) -> str:
        return run_flask(*arguments, url=empty_database_url, data_dir=tmp_path)

    engine = sa.create_engine(empty_database_url, poolclass=sa.NullPool)
    flask("db", "upgrade")
    tables = set(sa.inspect(engine).get_table_names())
    assert len(tables) > 1
    flask("db", "downgrade", "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    flask("db", "upgrade")
    assert set(sa.inspect(engine).get_table_names()) == tables
    assert "No changes" in flask("db", "check")


def test_every_step_down_and_up_again(database_url, tmp_path):
    steps = len(files("migrations"))
    for _ in range(steps):
        run_flask("db", "downgrade", url=database_url, data_dir=tmp_path)
    run_flask("db", "upgrade", url=database_url, data_dir=tmp_path)
    assert "No changes" in run_flask("db", "check", url=database_url, data_dir=tmp_path)
    assert (ROOT / "migrations").is_dir()
