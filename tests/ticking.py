"""Guildhall with a job that is due every second, for tests that kill processes.

Each tick queues a task; the task queues a mail and announces a fact once for its tick; the fact's
listener notes it in the audit. Whatever is killed, each tick must leave one of each.
"""

from dataclasses import dataclass
from datetime import UTC, timedelta

import sqlalchemy as sa
from apiflask import APIFlask
from apscheduler.triggers.cron import CronTrigger
from flask import Blueprint

from portal.foundation.actors import SYSTEM
from portal.foundation.audit import Sentence, record, sentences
from portal.foundation.database import transaction
from portal.foundation.facts import Fact, StoredFact, announce, fact, listens
from portal.foundation.i18n import _l
from portal.foundation.jobs import worker
from portal.foundation.jobs.registry import JOBS, CatchUp, Job, Run, job
from portal.foundation.jobs.scheduler import enqueue
from portal.foundation.mail.operations import Draft, queue_many
from portal.foundation.mail.writing import Written
from portal.foundation.web.policies import public
from wsgi import create_app as create_guildhall

worker.LEASE = timedelta(seconds=3)
bp = Blueprint("ticking", __name__)
sentences({"tests.tick.heard": Sentence(_l("Tick %(tick)s was heard"))})


@fact("tests.ticked")
@dataclass(frozen=True)
class Ticked(Fact):
    """A tick happened.

    tick: its due instant as text.
    """

    tick: str


def tick(run: Run) -> None:
    """Queue the task of this tick."""
    due = run.at.isoformat()
    with transaction():
        enqueue("tests.task", key=due, tick=due)
    run.done += 1


@job("tests.task")
def task(run: Run) -> None:
    """Mail and announce this tick, once."""
    due = str(run.args["tick"])
    with transaction() as session:
        known = sa.select(StoredFact.id).where(
            StoredFact.name == Ticked.name, StoredFact.values["tick"].as_string() == due
        )
        if session.scalar(known) is None:
            announce(Ticked(due))
            queue_many([Draft("tests/tick", "t@north.example", "T", "en", due, WRITTEN)])
    run.done += 1


WRITTEN = Written("Tick", "It ticked.", "<p>It ticked.</p>")


@listens(Ticked)
def hear(ticked: Ticked) -> None:
    """Note the tick."""
    record(SYSTEM, "tests.tick.heard", tick=ticked.tick)


@bp.post("/tests/announce/<word>")
@public
def announce_word(word: str) -> tuple[str, int]:
    """Announce a fact from a web process."""
    with transaction():
        announce(Ticked(word))
    return word, 201


def create_app() -> APIFlask:
    """Return Guildhall with the ticking job, on the environment's database."""
    if "tests.tick" not in JOBS:
        trigger = CronTrigger(second="*", timezone=UTC)
        JOBS["tests.tick"] = Job("tests.tick", tick, "Tick.", trigger, catch_up=CatchUp.ALL)
    app = create_guildhall()
    app.config["WTF_CSRF_ENABLED"] = False
    app.register_blueprint(bp)
    return app
