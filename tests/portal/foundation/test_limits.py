"""Counts of rate limits: one for all processes, exact under many threads, forgotten in time."""

import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.foundation.clock import machine_now
from portal.foundation.database import db, transaction
from portal.foundation.web.limits import DatabaseStorage, RateCount, forget_expired

THREADS, EACH = 20, 5


@pytest.mark.both_databases
def test_no_hit_of_twenty_threads_is_lost(app: Flask):
    storage, seen = DatabaseStorage(), []

    def hit() -> None:
        with app.app_context():
            seen.extend(storage.incr("login/192.0.2.1", 60) for _ in range(EACH))

    threads = [threading.Thread(target=hit) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, THREADS * EACH + 1))
    with app.app_context():
        assert storage.get("login/192.0.2.1") == THREADS * EACH


@pytest.mark.both_databases
def test_a_window_ends_and_begins_anew(context: Flask):
    storage = DatabaseStorage()
    assert [storage.incr("k", 60), storage.incr("k", 60), storage.incr("other", 60)] == [1, 2, 1]
    assert 0 < storage.get_expiry("k") - machine_now().timestamp() <= 60
    with transaction() as session:
        session.execute(sa.update(RateCount).values(expires_at=machine_now().timestamp() - 1))
    assert storage.get("k") == 0
    assert storage.incr("k", 60) == 1
    storage.clear("k")
    assert storage.get("k") == 0
    assert storage.check()


def test_old_counts_are_forgotten(context: Flask):
    storage = DatabaseStorage()
    storage.incr("old", 60)
    storage.incr("new", 60)
    two_days_ago = machine_now().timestamp() - 2 * 86_400
    with transaction() as session:
        old = sa.update(RateCount).where(RateCount.key == "old")
        session.execute(old.values(expires_at=two_days_ago))
        assert forget_expired() == 1
    assert db.session.scalars(sa.select(RateCount.key)).all() == ["new"]
