"""Guessing is slow."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from argon2.exceptions import VerificationError

from portal.accounts import credentials, throttle
from portal.accounts.errors import NotRecognised, TooManyTries
from portal.accounts.models import SignInBackOff
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction
from tests.factories.accounts import make_user
from tests.pages import PASSWORD

ADA = "admin@vendor.example"


def fail(email, times):
    for _ in range(times):
        with pytest.raises(NotRecognised):
            throttle.recognised(email, "wrong")


@pytest.mark.parametrize("email", [ADA, "nobody@vendor.example"])
def test_ten_failures_are_free_then_the_wait_grows(context, clock, email):
    make_user()
    clock.set("2026-03-01T09:00Z")
    fail(email, 10)
    for minutes in (0.5, 1, 2, 4, 8, 16, 16):
        with pytest.raises(TooManyTries) as refused:
            throttle.recognised(email, PASSWORD)
        assert refused.value.wait == timedelta(minutes=minutes)
        clock.advance(minutes=minutes)
        with pytest.raises(TooManyTries):
            throttle.recognised(email, "wrong")


def test_waiting_tries_are_neither_judged_nor_counted(context, monkeypatch):
    make_user()
    fail(ADA, 10)
    monkeypatch.setattr(credentials, "password_fits", lambda *_: pytest.fail("judged"))
    for _ in range(3):
        with pytest.raises(TooManyTries):
            throttle.recognised(ADA, PASSWORD)
    assert db.session.scalar(sa.select(SignInBackOff.failures)) == 10


def test_letter_case_and_blanks_are_one_address(context):
    make_user()
    for email in (ADA.upper(), f" {ADA} ", ADA.title()) * 4:
        try:
            throttle.recognised(email, "wrong")
        except TooManyTries:
            break
        except NotRecognised:
            continue
    assert db.session.scalars(sa.select(SignInBackOff.email_key)).all() == [ADA]


def test_a_success_forgives_and_a_day_forgets(context, clock):
    make_user()
    clock.set("2026-03-01T09:00Z")
    fail(ADA, 9)
    throttle.recognised(ADA, PASSWORD)
    with transaction():
        throttle.forgive(ADA)
    fail(ADA, 9)
    clock.advance(days=1, minutes=1)
    fail(ADA, 9)


def test_the_last_free_failure_is_in_the_audit_known_or_not(context):
    make_user()
    fail(ADA, 10)
    fail("nobody@vendor.example", 10)
    entries = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.name == "accounts.user.blocked")
    ).all()
    assert [entry.changes["email"] for entry in entries] == [ADA, "nobody@vendor.example"]


def test_known_and_unknown_addresses_take_the_same_work(context, monkeypatch):
    make_user()
    with transaction():
        make_user("service@vendor.example", password=None)
    judged = []

    def verify(stored, password):
        judged.append(stored)
        raise VerificationError

    monkeypatch.setattr(credentials, "HASHER", type("Fake", (), {"verify": staticmethod(verify)}))
    for email in (ADA, "nobody@vendor.example", "service@vendor.example"):
        with pytest.raises(NotRecognised) as refused:
            throttle.recognised(email, "wrong")
        assert str(refused.value) == "Address and password do not fit."
    assert len(judged) == 3
    assert judged[1] == judged[2] == credentials.DUMMY_HASH
    parameters = {stored.rsplit("$", 2)[0] for stored in judged}
    assert len(parameters) == 1


def at_once(app, count, work):
    """Run `work` in `count` threads that start together; return what each gave."""
    gate, found = threading.Barrier(count), []

    def run():
        with app.app_context():
            db.session.execute(sa.select(1))
            db.session.close()
            gate.wait()
            try:
                found.append(work())
            except Exception as error:  # noqa: BLE001 - the test looks at what came
                found.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.both_databases
def test_twenty_failures_at_once_count_twenty(app):
    counts = at_once(app, 20, lambda: throttle.count_failure(ADA))
    assert sorted(counts) == list(range(1, 21))
    with app.app_context():
        assert db.session.scalar(sa.select(SignInBackOff.failures)) == 20
        assert throttle.blocked_until(ADA) is not None


@pytest.mark.both_databases
def test_the_right_guess_among_many_is_refused_once_the_free_ones_are_used_up(context):
    make_user()
    throttle.recognised(ADA, PASSWORD)  # judged, not yet forgiven
    for _ in range(10):
        throttle.count_failure(ADA)
    with pytest.raises(TooManyTries), transaction():
        throttle.forgive(ADA)
    assert db.session.scalar(sa.select(SignInBackOff.failures)) == 10
