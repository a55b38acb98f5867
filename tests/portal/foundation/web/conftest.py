"""The application with the samples, people who are signed in, forms as a browser sends them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.accounts import operations as accounts
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from tests.application import Applications, Made
from tests.databases import Kind
from tests.portal.foundation.web import samples

MADE: dict[Kind, Made] = {}


@pytest.fixture
def app(applications: Applications, database_kind: Kind) -> Flask:
    """The application with the samples, on an empty database."""
    made = MADE.get(database_kind)
    if made is None:
        made = MADE[database_kind] = applications.make(database_kind, "samples")
        samples.install(made.app)
    else:
        with made.app.app_context():
            db.engine.dispose()
        applications.databases.fresh(database_kind, "samples")
    with made.app.app_context():
        samples.tables.create_all(db.engine)
    return made.app


@pytest.fixture(scope="session", autouse=True)
def _give_connections_back() -> Iterator[None]:
    yield
    for made in MADE.values():
        with made.app.app_context():
            db.engine.dispose()


@pytest.fixture
def signed_in(app: Flask) -> Callable[..., FlaskClient]:
    """Makes a browser in which a new user of the role is signed in."""

    def make(role: Role = Role.ADMINISTRATOR, email: str = "admin@vendor.example") -> FlaskClient:
        with app.app_context(), transaction():
            user = accounts.create_user(SYSTEM, email=email, name="Ada <Byron>", roles=[role])
            token = accounts.open_session(SYSTEM, user=user)
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = token
        return client

    return make


@pytest.fixture
def browser(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    """A browser in which an administrator is signed in."""
    return signed_in()


@pytest.fixture
def bearer(app: Flask) -> dict[str, str]:
    """The headers of an administrator's API token."""
    with app.app_context(), transaction():
        user = accounts.create_user(
            SYSTEM, email="api@vendor.example", name="Api", roles=[Role.ADMINISTRATOR]
        )
        token = accounts.create_token(SYSTEM, user=user, name="test")
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def rows(app: Flask) -> Callable[[], list[Any]]:
    """Reads the samples as they are stored."""

    def read() -> list[Any]:
        with app.app_context():
            select = sa.select(samples.samples).order_by(samples.c.id)
            return list(db.session.execute(select))

    return read


def soup(answer: TestResponse) -> BeautifulSoup:
    """Return an answer's page."""
    return BeautifulSoup(answer.text, "html.parser")


def fields_of(answer: TestResponse) -> dict[str, str]:
    """Return what a browser would send of the page's form, before anything is typed."""
    page = soup(answer)
    form = next(f for f in page.select("main form[method=post]") if f.select("[name=form_nonce]"))
    found = {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]")}
    return found | {str(one["name"]): one.text.strip() for one in form.select("textarea")}
