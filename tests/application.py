"""The application as tests use it: made once a worker and database, its data new for each test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask.globals
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.foundation.database import db
from tests.databases import KINDS, Databases, Kind, Unavailable
from tests.making import environment_for, make_app

_FLASK_CONTEXT = {id(value) for value in vars(flask.globals).values()}


class IsolatedClient(FlaskClient):
    """A client whose requests never share `flask.g` with the test or with each other.

    Werkzeug reuses an application context that is already there, and with it the user who signed
    in last: a client that never signed in would be served as that user. `with client:` is not for
    tests here; look at answers and at the database.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send the request in a context that carries everything of the test's but Flask's."""
        outside = Context()
        for variable, value in copy_context().items():
            if id(variable) not in _FLASK_CONTEXT:
                outside.run(variable.set, value)
        # Read to the end in there: a streamed answer keeps its request's context until then.
        return outside.run(super().open, *args, **{"buffered": True, **kwargs})


@dataclass
class Made:
    """One application of this worker: `app`, its database's kind, and its folder of data."""

    app: Flask
    kind: Kind
    data_dir: Path


class Applications:
    """The applications of one worker process, at most one for each kind of database."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.made: dict[Kind, Made] = {}

    def make(
        self,
        kind: Kind,
        name: str,
        settings: dict[str, str] | None = None,
        *,
        migrated: bool = True,
    ) -> Made:
        """Make an application on a fresh database called `name`, with tables when `migrated`.

        `settings` are variables of the interface, such as CLOCK.
        """
        data_dir = self.databases.folder / f"{name}-{kind}-{self.databases.worker}"
        shutil.rmtree(data_dir, ignore_errors=True)
        data_dir.mkdir()
        url = (self.databases.fresh if migrated else self.databases.empty)(kind, name)
        app = make_app(environment_for(data_dir, url, **(settings or {})))
        app.test_client_class = IsolatedClient
        return Made(app, kind, data_dir)

    def fresh(self, kind: Kind) -> Flask:
        """Return this worker's application with an empty migrated database and empty folders."""
        made = self.made.get(kind)
        if made is None:
            made = self.made[kind] = self.make(kind, "unit")
            return made.app
        with made.app.app_context():
            db.engine.dispose()
        self.databases.fresh(kind, "unit")
        for path in made.data_dir.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        return made.app

    def close(self) -> None:
        """Give back the connections."""
        for made in self.made.values():
            with made.app.app_context():
                db.engine.dispose()


def skip_unless_available(databases: Databases, kind: Kind) -> None:
    """Skip with the reason where this machine has no such database."""
    if kind == "postgresql":
        try:
            databases.postgresql()
        except Unavailable as reason:
            pytest.skip(str(reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the databases that its marks name; without a mark on SQLite."""
    if "database_kind" not in metafunc.fixturenames:
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "both_databases" in marks:
        metafunc.parametrize("database_kind", KINDS, indirect=True)
    elif "postgresql" in marks:
        metafunc.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest, databases: Databases) -> Kind:
    """The database of this test: "sqlite" or "postgresql"."""
    kind: Kind = getattr(request, "param", "sqlite")
    skip_unless_available(databases, kind)
    return kind


@pytest.fixture
def database_url(databases: Databases, database_kind: Kind) -> str:
    """The address of a fresh migrated database that no application has open."""
    return databases.fresh(database_kind, "process")


@pytest.fixture
def empty_database_url(databases: Databases, database_kind: Kind) -> str:
    """The address of a fresh database without tables."""
    return databases.empty(database_kind, "empty")


@pytest.fixture(scope="session")
def applications(databases: Databases) -> Iterator[Applications]:
    """The applications of this worker; tests ask for `app`."""
    applications = Applications(databases)
    yield applications
    applications.close()


@pytest.fixture
def app(applications: Applications, database_kind: Kind) -> Flask:
    """The application on an empty migrated database; no context is pushed."""
    return applications.fresh(database_kind)


@pytest.fixture
def fresh_app(applications: Applications, database_kind: Kind) -> Iterator[Callable[..., Flask]]:
    """Makes further applications, each on a database and folder of its own.

    `fresh_app(BASE_URL="https://guildhall.example")`: settings are variables of the interface.
    """
    made: list[Flask] = []

    def make(**settings: str) -> Flask:
        app = applications.make(database_kind, f"fresh{len(made)}", settings).app
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """An application context around the test, for operations, queries and factories."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies, nobody signed in."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> flask.testing.FlaskCliRunner:
    """Runs commands: `runner.invoke(args=["jobs", "list"])`."""
    return app.test_cli_runner()


@pytest.fixture
def process_environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment for programs that a test starts, on their own database and folder."""
    return os.environ | environment_for(tmp_path / "data", database_url)
