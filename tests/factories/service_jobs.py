"""Stations, their people and jobs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from portal.accounts.models import Role, User
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import db, transaction
from portal.partners.models import Partner, PartnerKind, PartnerState
from portal.partners.operations import add_partner
from portal.service_jobs import operations
from portal.service_jobs.models import ServiceJob
from tests.factories.accounts import CAST, actor_of, make_token, make_user
from tests.pages import sign_in


def station(name: str, reference: str, **values: Any) -> Partner:
    """Add an active repair station."""
    given = {"kind": PartnerKind.REPAIR_STATION, "country": "SE", **values}
    with transaction():
        return add_partner(
            SYSTEM, name=name, reference=reference, status=PartnerState.ACTIVE, **given
        )


def person(email: str, role: Role, partner: Partner | None = None) -> Actor:
    """Add one of the cast, or another user with one role; return that person as an actor."""
    values: dict[str, Any] = {} if email in CAST else {"name": "Somebody", "roles": [role]}
    return actor_of(make_user(email, partner_id=partner.id if partner else None, **values))


def fixit() -> Actor:
    """Add the station Fix-It and return its technician."""
    return person("bench@fixit.example", Role.TECHNICIAN, station("Fix-It", "FIXIT"))


def pacific() -> Actor:
    """Add the rival station Pacific Repair and return its technician."""
    return person("bench@pacific.example", Role.TECHNICIAN, station("Pacific Repair", "PACIFIC"))


def service_manager() -> Actor:
    """Add the vendor's service manager."""
    return person("service@vendor.example", Role.SERVICE_MANAGER)


def job(actor: Actor, **values: Any) -> ServiceJob:
    """Take Marta's device in at the actor's station."""
    given = {
        "problem": "Reads 3 nm too high after an hour.",
        "customer_name": "Marta Lind",
        "customer_email": "marta@club.example",
        "proof_of_purchase": "Receipt 4711",
        **values,
    }
    with transaction():
        return operations.receive_job(actor, **given)


def ready_job(actor: Actor, **values: Any) -> ServiceJob:
    """Take a device in and mend it."""
    made = job(actor, **values)
    with transaction():
        operations.start_repair(actor, made)
        operations.ready_job(actor, made, repair_code="GRATING", repair_note="Re-aligned.")
    return made


def closed_job(actor: Actor, **values: Any) -> ServiceJob:
    """Take a device in, mend it, hand it over."""
    made = ready_job(actor, **values)
    with transaction():
        operations.close_job(actor, made)
    return made


@contextmanager
def counted_reads() -> Iterator[list[str]]:
    """Yield the list of reads that are sent to the database inside."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


class Browser:
    """A signed-in person's browser, which sends each page's token back."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def post(self, path: str, page: str | None = None, **fields: Any) -> TestResponse:
        """Send a form of `page`, by default of the page at `path`, with its hidden fields."""
        text = self.client.get(page or path).text
        found = re.search(r'name="csrf-token" content="([^"]+)"', text)
        version = re.search(r'name="version"[^>]*value="(\d+)"', text)
        hidden = {"csrf_token": found[1] if found else ""}
        if version:
            hidden["version"] = version[1]
        return self.client.post(path, data=hidden | fields)


def browser(app: Flask, actor: Actor) -> Browser:
    """Sign `actor` in."""
    client = app.test_client()
    assert sign_in(client, actor.email).status_code == 303
    return Browser(client)


def bearer(app: Flask, actor: Actor) -> dict[str, str]:
    """Return the headers of an API client of `actor`."""
    with app.app_context():
        token = make_token(db.session.get_one(User, actor.user_id))
    return {"Authorization": f"Bearer {token}"}
