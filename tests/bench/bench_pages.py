"""Pages: the list of 100,000 deals through the server, and signing in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask

from portal.accounts import credentials, operations
from portal.accounts.models import Role, User
from portal.deals.models import Deal, DealSource, DealState
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.partners.models import PartnerKind, PartnerState
from portal.partners.operations import add_partner
from tests.bench.ground import application, cookie_of, insert_in_bulk, requests_per_second, served
from tests.bench.measure import bench, measure

DEALS = 100_000
SIGN_INS = 10
PASSWORD = "correct horse battery staple"


def a_deal(number: int, partner_ids: list[int]) -> dict[str, Any]:
    """Return the row of one deal: most were won, one of five is protected, few wait."""
    day = date(2024, 1, 1) + timedelta(days=number % 900)
    is_approved = number % 5 == 0
    state = DealState.APPROVED if is_approved else DealState.WON
    if number % 1_000 == 1:
        state = DealState.SUBMITTED
    customer = f"Customer {number * 7919 % DEALS:06} AS"
    ends = datetime(2026, 12, 31, 23, tzinfo=UTC)
    return {
        "reference": f"D-{number:07}",
        "partner_id": partner_ids[number % len(partner_ids)],
        "status": state,
        "registered_on": day,
        "customer_name": customer,
        "customer_name_key": customer.lower(),
        "customer_country": "NO",
        "amount": Decimal(1_000 + number % 90_000),
        "currency": "EUR",
        "expected_close_on": day + timedelta(days=120),
        "source": next(iter(DealSource)),
        "is_tender": False,
        "has_conflict": False,
        "protection_days": 90 if is_approved else None,
        "protected_until": ends.date() if is_approved else None,
        "protection_ends_at": ends if is_approved else None,
        "created_at": datetime(2024, 1, 1, tzinfo=UTC),
        "version": 1,
    }


def a_user(app: Flask, email: str, role: Role, password: str | None = None) -> User:
    """Make a user of one role."""
    with app.app_context(), transaction():
        return operations.create_user(
            SYSTEM, email=email, name="Ada", roles=[role], password=password
        )


@bench
def deals_list() -> None:
    """A list page of 50 of 100,000 deals against a bare Flask page with the same query."""
    with application() as app:
        user = a_user(app, "channel@vendor.example", Role.CHANNEL_MANAGER)
        with app.app_context(), transaction():
            partners = [
                add_partner(
                    SYSTEM,
                    name=f"Partner {number}",
                    reference=f"P{number}",
                    kind=PartnerKind.DISTRIBUTOR,
                    country="NO",
                    status=PartnerState.ACTIVE,
                ).id
                for number in range(50)
            ]
            insert_in_bulk(Deal.__table__, [a_deal(number, partners) for number in range(DEALS)])
            token = operations.open_session(SYSTEM, user=user)
        headers = {"Cookie": cookie_of(app, token)}
        with served(app) as ours, served(app, "tests.bench.bare:create_app()") as bare:
            measure(
                "deals_list",
                lambda: requests_per_second(f"{ours}/deals", headers),
                lambda: requests_per_second(f"{bare}/deals", headers),
                "requests/s",
                runs=3,
            )


@bench
def sign_in() -> None:
    """Signing in with a password against the comparison of the hash alone."""
    with application() as app:
        a_user(app, "lin@club.example", Role.MEMBER, PASSWORD)
        stored = credentials.hash_password(PASSWORD)

        def ours() -> None:
            for _ in range(SIGN_INS):
                client = app.test_client()
                page = BeautifulSoup(client.get("/login").text, "html.parser")
                field = page.select_one("[name=csrf_token]")
                data = {"email": "lin@club.example", "password": PASSWORD}
                data["csrf_token"] = str(field["value"]) if field else ""
                if client.post("/login", data=data).status_code != 303:
                    raise SystemExit("signing in failed")

        def raw() -> None:
            for _ in range(SIGN_INS):
                credentials.password_fits(stored, PASSWORD)

        measure("sign_in", ours, raw, "sign-ins/s", runs=3, items=SIGN_INS)
