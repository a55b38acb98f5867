"""Two reviewers at once: of twins exactly one is approved, whichever database."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.deals.models import Deal, DealState
from portal.deals.operations import steps
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.facts import StoredFact
from tests.factories import deals, partners, products

pytestmark = pytest.mark.both_databases


def at_once(app, works: list[Callable[[], object]]) -> list[object]:
    """Do all of `works` in threads begun together; return what each gave or was refused."""
    gate = threading.Barrier(len(works))
    found: list[object] = [None] * len(works)

    def run(number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    found[number] = works[number]()
            except Refused as refusal:
                found[number] = refusal.code

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def states(app) -> list[DealState]:
    with app.app_context():
        return list(db.session.scalars(sa.select(Deal.status).order_by(Deal.id)))


@pytest.fixture
def twins(app):
    """Two submitted deals for one customer, the first one earlier; and who decides."""
    with app.app_context():
        products.price_list()
        north, harbour, manager = partners.north(), partners.harbour(), partners.channel_manager()
        first, second = deals.submitted(north), deals.submitted(harbour)
        ids = (first.id, second.id)
    return (*ids, manager)


def test_twins_approved_at_once_leave_the_earlier_one(app, twins):
    first, second, manager = twins

    def approve(deal_id: int) -> Callable[[], object]:
        return lambda: steps.approve_deal(manager, db.session.get_one(Deal, deal_id))

    works = [approve(second), approve(first)] * 3
    found = at_once(app, works)
    assert states(app) == [DealState.APPROVED, DealState.SUBMITTED]
    assert found.count(None) == 1
    assert found[0] == found[2] == found[4] == "conflict"
    with app.app_context():
        approvals = sa.select(sa.func.count()).where(StoredFact.name == "deals.deal_approved")
        assert db.session.scalar(approvals) == 1


def test_approval_and_rejection_at_once_leave_one_decision(app, twins):
    first, _second, manager = twins
    found = at_once(
        app,
        [
            lambda: steps.approve_deal(manager, db.session.get_one(Deal, first)),
            lambda: steps.reject_deal(manager, db.session.get_one(Deal, first), reason="No."),
        ],
    )
    assert sorted(map(str, found)) == ["None", "wrong_state"]


def test_many_submissions_of_one_customer_know_it_as_one(app):
    with app.app_context():
        products.price_list()
        sellers = [partners.north(), partners.harbour()]
        ids = [(seller, deals.draft(seller).id) for seller in sellers for _ in range(2)]

    def submit(seller, deal_id: int) -> Callable[[], object]:
        return lambda: steps.submit_deal(seller, db.session.get_one(Deal, deal_id))

    assert at_once(app, [submit(*pair) for pair in ids]) == [None] * 4
    with app.app_context():
        assert db.session.scalars(sa.select(Deal.customer_id).distinct()).all() == [1]
