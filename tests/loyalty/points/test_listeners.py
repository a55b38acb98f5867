"""A closed repair pays its owner once, whatever order and however often it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.points.listeners import award_for_closed_job, take_back_for_reopened_job
from portal.foundation.database import transaction
from portal.service_jobs.facts import ServiceJobClosed, ServiceJobReopened
from tests.factories.clubs import make_club, make_lin, make_marta
from tests.factories.points import audited, balance_of, make_redemption

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def lin(context, clock):
    clock.set(START)
    return make_lin(make_club())


def closed(closing=1, email="Lin@club.example", **later):
    fact = ServiceJobClosed(
        88, "J-2026-00088", closing, "HX9", "HX", 1, email, "Lin", START + timedelta(**later)
    )
    with transaction():
        award_for_closed_job(fact)


def reopened(closing=1, **later):
    fact = ServiceJobReopened(
        88, "J-2026-00088", closing, "HX9", 1, "lin@club.example", START + timedelta(**later)
    )
    with transaction():
        take_back_for_reopened_job(fact)


def test_told_twice_it_pays_once(lin):
    closed()
    closed()
    assert balance_of(lin).available == 150


def test_closed_reopened_and_closed_again_it_pays_once(lin, clock):
    closed()
    clock.advance(hours=1)
    reopened(hours=1)
    reopened(hours=1)
    assert balance_of(lin).available == 0
    clock.advance(hours=1)
    closed(closing=2, hours=2)
    closed(closing=2, hours=2)
    assert balance_of(lin).available == 150
    closed()  # the first fact is played again
    reopened(hours=1)
    assert balance_of(lin).available == 150
    found = audited()
    assert (found.unbalanced, found.drifted) == (0, 0)


def test_a_reopening_that_is_heard_of_first_leaves_nothing_to_pay(lin, clock):
    clock.advance(hours=1)
    reopened(hours=1)
    closed()
    assert balance_of(lin).available == 0


def test_what_was_spent_meanwhile_is_owed(lin, clock):
    closed()
    make_redemption(lin, 100)
    clock.advance(hours=1)
    reopened(hours=1)
    assert (balance_of(lin).available, balance_of(lin).debt) == (0, 100)


@pytest.mark.parametrize("email", [None, "", "stranger@else.example"])
def test_owners_who_are_no_members_get_nothing(lin, email):
    closed(email=email)
    assert balance_of(lin).lifetime == 0


def test_each_club_with_a_rule_for_repairs_pays(lin):
    other = make_club("river", name="River", programme={"effective_from": "2020-01-01"})
    third = make_club("delta", name="Delta")
    members = [lin, make_lin(other), make_lin(third)]
    marta = make_marta(third)
    closed()
    assert [balance_of(member).available for member in members] == [150, 0, 150]
    assert balance_of(marta).available == 0
