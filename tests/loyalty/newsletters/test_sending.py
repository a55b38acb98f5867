"""Exactly one mail a member: whoever is killed, however many send at once, on both databases."""

import os
import signal
import subprocess
import threading

import pytest
import sqlalchemy as sa

from loyalty.newsletters import operations
from loyalty.newsletters.jobs import send_newsletters
from loyalty.newsletters.models import Newsletter, NewsletterRecipient, NewsletterState
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry
from portal.foundation.clock import now
from portal.foundation.database import db, transaction
from portal.foundation.errors import WrongState
from portal.foundation.jobs.registry import Run
from portal.foundation.mail.models import MailMessage
from tests.databases import ROOT
from tests.factories import newsletters as factory
from tests.factories.clubs import make_club
from tests.making import make_app
from tests.waiting import wait_until

pytestmark = pytest.mark.both_databases
MEMBERS = 60


def at_once(app, work, count=4):
    """Do `work` in threads begun together; return what each gave."""
    gate = threading.Barrier(count)
    found = [None] * count

    def run(number):
        with app.app_context():
            gate.wait()
            found[number] = work()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def mailed() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(MailMessage)) or 0


def readers() -> int:
    return db.session.scalar(sa.select(sa.func.count(MailMessage.to_address.distinct()))) or 0


def test_several_processes_at_once(app, monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 7)
    with app.app_context():
        club = make_club()
        factory.willing(club, MEMBERS)
        key = factory.being_sent(club).id

    def send():
        run = Run(at=now())
        send_newsletters(run)
        return run

    runs = at_once(app, send)
    with app.app_context():
        last = send()
        assert sum(run.done for run in [*runs, last]) == MEMBERS
        assert [run.errors for run in runs] == [[]] * 4
        assert (mailed(), readers()) == (MEMBERS, MEMBERS)
        assert db.session.get_one(Newsletter, key).state is NewsletterState.SENT
        told = sa.select(sa.func.count()).where(AuditEntry.name == "newsletters.newsletter.sent")
        assert db.session.scalar(told) == 1


def test_sent_twice_at_once_begins_once(app):
    with app.app_context():
        club = make_club()
        factory.willing(club, 5)
        key = factory.approved(club).id

    def send():
        try:
            with transaction():
                return operations.send_newsletter(SYSTEM, db.session.get_one(Newsletter, key))
        except WrongState:
            return "wrong_state"

    assert sorted(map(str, at_once(app, send))) == ["5", *["wrong_state"] * 3]
    with app.app_context():
        copies = sa.select(sa.func.count()).select_from(NewsletterRecipient)
        assert db.session.scalar(copies) == 5


def test_killed_and_repeated(process_environment):
    """A real process dies amid its batches; the next one does what is left."""
    app = make_app(process_environment)
    with app.app_context():
        club = make_club()
        factory.willing(club, MEMBERS)
        factory.being_sent(club)
    command = [str(ROOT / ".venv/bin/python"), "-c", SLOWLY]

    def some_are_out() -> bool:
        with app.app_context():  # a new look each time
            return mailed() > 0

    with subprocess.Popen(command, env=process_environment, cwd=ROOT) as process:
        wait_until(some_are_out, "the first batch is in the outbox", seconds=60)
        os.kill(process.pid, signal.SIGKILL)
    with app.app_context():
        assert 0 < mailed() < MEMBERS
        send_newsletters(Run(at=now()))
        assert (mailed(), readers()) == (MEMBERS, MEMBERS)
    with app.app_context():
        db.engine.dispose()


# Small batches, and a halt within a transaction once some are out.
SLOWLY = """
import threading
from loyalty.newsletters import jobs, operations
from portal.foundation import clock
from portal.foundation.jobs.registry import Run
from wsgi import create_app
operations.BATCH = 9
whole, turns = operations.queue_many, []
def queue_many(drafts):
    turns.append(1)
    if len(turns) == 3:
        threading.Event().wait()
    return whole(drafts)
operations.queue_many = queue_many
with create_app().app_context():
    jobs.send_newsletters(Run(at=clock.now()))
"""
