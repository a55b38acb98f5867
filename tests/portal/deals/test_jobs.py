"""Protections end and partners are reminded, each once."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from portal.deals.jobs import expire_deals, remind_of_deals
from portal.deals.models import DealState
from portal.deals.operations import steps
from portal.foundation.database import db, transaction
from portal.foundation.jobs.registry import Run
from portal.foundation.mail.models import MailMessage
from portal.foundation.settings import change_setting
from tests.factories import deals, partners, products

END = datetime(2027, 2, 21, 23, tzinfo=UTC)


@pytest.fixture
def cast(context, clock):
    clock.set("2026-11-23T09:00Z")
    products.price_list()
    return partners.north(), partners.channel_manager()


def run_at(clock, job, instant: str) -> Run:
    run = Run(at=clock.set(instant))
    job(run)
    return run


def sent(kind: str) -> list[str]:
    select = sa.select(MailMessage.subject).where(MailMessage.kind == f"deals/{kind}")
    return list(db.session.scalars(select.order_by(MailMessage.id)))


def test_a_protection_ends_with_its_last_day_and_not_before(cast, clock):
    deal = deals.approved(*cast)
    assert run_at(clock, expire_deals, "2027-02-21T22:59:59Z").done == 0
    assert run_at(clock, expire_deals, "2027-02-21T23:00:00Z").done == 1
    assert deal.status is DealState.EXPIRED
    assert run_at(clock, expire_deals, "2027-02-21T23:15:00Z").done == 0
    assert sent("expired") == ["Protection ended: Statkraft AS"]


def test_many_end_in_one_run(cast, clock):
    for number in range(7):
        deals.approved(*cast, customer_name=f"Customer {number}", customer_tax_id=None,
                       customer_domain=None)  # fmt: skip
    assert run_at(clock, expire_deals, "2027-03-01T00:00Z").done == 7


def test_reminders_come_30_14_and_3_days_before_each_once(cast, clock):
    deals.approved(*cast)
    told = []
    for day in range(55, 91):
        clock.set("2026-11-23T06:00Z")
        clock.advance(days=day)
        run = Run(at=clock.now())
        remind_of_deals(run)
        if run.done:
            told.append(day)
        again = Run(at=clock.now())
        remind_of_deals(again)
        assert again.done == 0
    assert len(told) == 3
    assert sent("reminder") == [
        "30 days left: Statkraft AS",
        "14 days left: Statkraft AS",
        "3 days left: Statkraft AS",
    ]


def test_of_missed_reminders_only_the_nearest_is_sent(cast, clock):
    deals.approved(*cast)
    assert run_at(clock, remind_of_deals, "2027-02-20T06:00Z").done == 1
    assert sent("reminder") == ["3 days left: Statkraft AS"]


def test_a_short_protection_has_no_long_reminder(cast, clock):
    with transaction():
        change_setting(cast[1], name="deals.protection_days", value=20)
    deals.approved(*cast)
    assert run_at(clock, remind_of_deals, "2026-11-23T10:00Z").done == 0
    assert run_at(clock, remind_of_deals, "2026-11-30T06:00Z").done == 1
    assert sent("reminder") == ["14 days left: Statkraft AS"]


def test_a_deal_that_was_withdrawn_is_left_alone(cast, clock):
    deal = deals.approved(*cast)
    with transaction():
        steps.withdraw_deal(cast[0], deal)
    assert run_at(clock, remind_of_deals, "2027-02-20T06:00Z").done == 0
    assert run_at(clock, expire_deals, "2027-03-01T00:00Z").done == 0
