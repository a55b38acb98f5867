"""Looking changes nothing: every GET route, as each role, leaves every table as it was."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from portal.accounts import operations
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM
from portal.foundation.database import Model, db, transaction
from portal.foundation.settings import change_setting
from tests.factories import accounts, clubs, deals, partners, service_jobs

# What looking may write: who was refused or took a list away, when a sign-in was last used, and
# the counts of rate limits.
MAY_GROW = {"audit_entries", "rate_counts"}
MAY_CHANGE = {"user_sessions"}


@pytest.fixture
def town(app: Flask) -> Flask:
    """A deal, a service job, a club and its member; no second factor asked for."""
    with app.app_context():
        with transaction():
            change_setting(SYSTEM, name="accounts.staff_second_factor", value=False)
        deals.draft(partners.north())
        service_jobs.job(service_jobs.fixit())
        clubs.make_lin(clubs.make_club())
    return app


def state(app: Flask) -> dict[str, Any]:
    """Return every row of every table that looking may not touch, and counts of the others."""
    with app.app_context():
        tables = Model.metadata.tables
        return {
            name: list(map(tuple, db.session.execute(sa.select(table))))
            for name, table in tables.items()
            if name not in MAY_GROW | MAY_CHANGE
        }


def addresses(app: Flask) -> list[str]:
    """Return an address of every GET route, with the first of each thing."""
    with app.test_request_context():
        return [
            app.url_map.bind("").build(rule.endpoint, values_for(rule))
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or set()) and rule.endpoint != "static"
        ]


def values_for(rule: Rule) -> dict[str, Any]:
    """Return something for each variable of a route."""
    found: dict[str, Any] = {}
    for name, converter in rule._converters.items():
        if isinstance(converter, AnyConverter):
            found[name] = min(converter.items)
        else:
            found[name] = 1 if isinstance(converter, IntegerConverter) else "x"
    return found


@pytest.mark.parametrize("role", [*Role, None])
def test_looking_changes_nothing(town: Flask, role: Role | None):
    client = town.test_client()
    if role is not None:
        with town.app_context():
            user = accounts.make_user(f"{role}@looker.example", name="L", roles=[role])
            with transaction():
                user.partner_id = 1 if role.value.startswith(("partner", "tech")) else None
                token = operations.open_session(SYSTEM, user=user)
        with client.session_transaction() as session:
            session["_user_id"] = token
    before = state(town)
    for address in addresses(town):
        for query in ("", "?format=csv", "?q=x&cursor=x&after=x&order=-x&%00=%00"):
            answer = client.get(address + query)
            assert answer.status_code < 500, f"{address}{query}"
    assert state(town) == before
