"""Fifty at once: exactly as many succeed as the balance covers, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from loyalty.clubs.models import Club, Member
from loyalty.points.models import PointLot, Purchase, Redemption
from loyalty.points.operations.purchases import record_purchase
from loyalty.points.operations.redeeming import redeem
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from tests.factories.clubs import make_club, make_lin, make_marta
from tests.factories.points import audited, balance_of, line, make_purchase

pytestmark = pytest.mark.both_databases
MANY = 50


@pytest.fixture
def lin(app, clock):
    clock.set(datetime(2026, 3, 1, 9, tzinfo=UTC))
    with app.app_context():
        lin = make_lin(make_club())
        make_purchase(lin, "60")
        make_purchase(lin, "40")
        return lin


def at_once(app, work):
    """Run `work(number)` in many threads, each with a context and a connection of its own."""

    def one(number):
        with app.app_context():
            try:
                return work(number)
            except Refused as refusal:
                return refusal.code

    with ThreadPoolExecutor(16) as pool:
        contexts = [copy_context() for _ in range(MANY)]
        futures = [pool.submit(contexts[n].run, one, n) for n in range(MANY)]
        return [future.result() for future in futures]


def reread(member):
    return db.session.get_one(Member, member.id), db.session.get_one(Club, member.club_id)


def test_of_fifty_redemptions_ten_succeed(app, lin):
    def spend(_number):
        member, club = reread(lin)
        with transaction():
            redeem(SYSTEM, member=member, club=club, points=10)
        return "done"

    answers = at_once(app, spend)
    assert answers.count("done") == 10
    assert answers.count("insufficient_points") == MANY - 10
    with app.app_context():
        assert balance_of(lin).available == 0
        count = sa.select(sa.func.count()).select_from(Redemption)
        assert db.session.scalar(count) == 10
        assert db.session.scalar(sa.select(sa.func.min(PointLot.remaining))) == 0
        found = audited()
        assert (found.unbalanced, found.drifted) == (0, 0)


def test_one_purchase_told_fifty_times_counts_once(app, lin):
    def tell(_number):
        member, club = reread(lin)
        with transaction():
            return record_purchase(
                SYSTEM,
                club=club,
                member=member,
                purchase_id="same",
                currency="EUR",
                lines=[line("7")],
            ).id

    assert len(set(at_once(app, tell))) == 1
    with app.app_context():
        assert balance_of(lin).available == 107
        assert audited().drifted == 0


def test_one_purchase_told_for_two_members_at_once_counts_for_one(app, lin):
    with app.app_context():
        marta = make_marta(db.session.get_one(Club, lin.club_id))

    def tell(number):
        member, club = reread((lin, marta)[number % 2])
        with transaction():
            record_purchase(
                SYSTEM,
                club=club,
                member=member,
                purchase_id="same",
                currency="EUR",
                lines=[line("7")],
            )
        return "done"

    answers = at_once(app, tell)
    assert answers.count("done") == MANY / 2
    assert answers.count("purchase_differs") == MANY / 2
    with app.app_context():
        select = sa.select(sa.func.count()).where(Purchase.purchase_id == "same")
        assert db.session.scalar(select) == 1
        assert balance_of(lin).lifetime + balance_of(marta).lifetime == 107
        found = audited()
        assert (found.unbalanced, found.drifted) == (0, 0)
