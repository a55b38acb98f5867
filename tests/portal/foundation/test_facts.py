"""Facts reach each listener once, in its own transaction, and failures are kept and retried."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from portal.foundation import facts
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry, record
from portal.foundation.database import db, transaction
from portal.foundation.facts import FACTS, LISTENERS, DeliveryState, Fact, FactDelivery


@dataclass(frozen=True)
class SampleHappened(Fact):
    """Something happened.

    number: which. on: the day. at: the instant.
    """

    number: int
    on: date
    at: datetime


SampleHappened.name = "tests.sample_happened"
SAMPLE = SampleHappened(7, date(2026, 2, 28), datetime(2026, 2, 28, 9, tzinfo=UTC))


@pytest.fixture
def heard(monkeypatch) -> list[SampleHappened]:
    """What the listener heard; it also writes an audit entry in its transaction."""
    heard: list[SampleHappened] = []

    def listener(sample: SampleHappened) -> None:
        heard.append(sample)
        record(SYSTEM, "settings.setting.changed", setting="heard", value=sample.number)
        if sample.number < 0:
            raise ValueError("negative")

    monkeypatch.setitem(FACTS, SampleHappened.name, SampleHappened)
    monkeypatch.setitem(LISTENERS, "tests.listener", (SampleHappened.name, listener))
    return heard


def deliver_all() -> list[bool | None]:
    return [facts.deliver(delivery) for delivery in facts.waiting_deliveries()]


def count_entries() -> int:
    return db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) or 0


@pytest.mark.both_databases
def test_a_fact_comes_back_as_announced_and_once(context, heard):
    with transaction():
        facts.announce(SAMPLE)
    assert deliver_all() == [True]
    assert deliver_all() == []
    assert heard == [SAMPLE]


@pytest.mark.both_databases
def test_a_fact_of_a_transaction_that_fails_was_never_announced(context, heard):
    with pytest.raises(ZeroDivisionError), transaction():
        facts.announce(SAMPLE)
        _ = 1 / 0
    assert facts.waiting_deliveries() == []


@pytest.mark.both_databases
def test_a_failing_listener_keeps_nothing_but_its_error_and_is_retried_later(context, heard, clock):
    clock.set("2026-03-01T12:00Z")
    with transaction():
        facts.announce(SampleHappened(-1, SAMPLE.on, SAMPLE.at))
    waits = []
    for _ in range(facts.MOST_ATTEMPTS):
        assert deliver_all() == [False]
        delivery = db.session.scalars(sa.select(FactDelivery)).one()
        assert "ValueError: negative" in (delivery.error or "")
        waits.append((delivery.next_at - clock.now()).total_seconds())
        assert facts.waiting_deliveries() == []
        clock.advance(seconds=waits[-1])
    assert waits == [min(2**n, 3600) for n in range(1, facts.MOST_ATTEMPTS + 1)]
    assert delivery.state == DeliveryState.FAILED
    assert count_entries() == 0
    with transaction():
        assert facts.retry_failed() == 1
    assert deliver_all() == [False]


@pytest.mark.both_databases
def test_replay_calls_a_listener_again_and_also_for_older_facts(context, heard, monkeypatch):
    with transaction():
        facts.announce(SAMPLE)
    deliver_all()
    later: list[SampleHappened] = []
    monkeypatch.setitem(LISTENERS, "tests.later", (SampleHappened.name, later.append))
    with transaction():
        assert facts.replay("tests.later") == 1
        assert facts.replay("tests.listener") == 1
    assert deliver_all() == [True, True]
    assert later == [SAMPLE]
    assert heard == [SAMPLE, SAMPLE]
