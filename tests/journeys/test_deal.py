"""A distributor registers a deal, the vendor decides it, a rival comes too late."""

from collections.abc import Callable

import pytest

from portal.foundation.database import db
from tests.factories import partners, products
from tests.factories.service_jobs import Browser, browser

DEAL = {
    "customer_name": "浙江蓝海光电股份有限公司",
    "customer_country": "CN",
    "customer_tax_id": "91330108MA2KE7X41B",
    "lines-0-sku": "HX-900",
    "lines-0-quantity": "4",
    "lines-0-amount": "212640.00",
    "currency": "EUR",
    "expected_close_on": "2027-02-26",
    "source": "own",
    "evidence": "Visit on 12 November with Chen Siyuan.",
}


@pytest.fixture
def people(app, clock) -> Callable[[], dict[str, Browser]]:
    """Return what signs everybody in, again after a sign-in has run out."""
    clock.set("2026-11-19T15:02Z")
    with app.app_context():
        products.price_list()
        actors = {
            "seller": partners.north(),
            "rival": partners.harbour(),
            "reviewer": partners.channel_manager(),
        }
        db.session.close()
    return lambda: {name: browser(app, actor) for name, actor in actors.items()}


def test_from_registration_to_the_end_of_the_protection(people, clock, runner):
    seller, rival, reviewer = people().values()

    page = seller.post("/deals/new", **DEAL, do="submit").location
    assert "Submitted" in seller.get(page).text

    queue = reviewer.get("/desk/queue").text
    assert "浙江蓝海光电股份有限公司" in queue
    reviewer.post(f"{page}/return", reason="For which plant?")
    assert "For which plant?" in seller.get(page).text
    clock.advance(hours=3)
    seller.post(f"{page}/answer", evidence="For Hangzhou.", expected_close_on="2027-02-26")

    lines = {**DEAL, "customer_name": "浙江 蓝海光电 有限公司", "customer_tax_id": ""}
    theirs = rival.post("/deals/new", **lines, do="submit").location
    assert "Possible conflict, under review" in rival.get(theirs).text
    reviewer.post(f"{theirs}/approve", page="/desk/queue")
    assert "Approved" not in rival.get(theirs).text

    reviewer.post(f"{page}/approve", page="/desk/queue")
    shown = seller.get(page).text
    assert "Approved" in shown
    assert "protected until 17 February 2027" in shown

    expired = runner.invoke(args=["jobs", "once", "deals.expire", "--at", "2027-02-17T23:00Z"])
    assert '"done": 1' in expired.stdout
    clock.set("2027-02-17T23:05Z")
    seller, rival, reviewer = people().values()
    assert "Expired" in seller.get(page).text
    reviewer.post(f"{theirs}/approve", page="/desk/queue")
    assert "Approved" in rival.get(theirs).text
