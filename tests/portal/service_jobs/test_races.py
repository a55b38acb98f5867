"""Two at once: one open job a serial number, one closing, whichever database."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.foundation.actors import Actor
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.facts import StoredFact
from portal.service_jobs import operations, queries
from portal.service_jobs.models import ServiceJob
from tests.factories import service_jobs as factory

pytestmark = pytest.mark.both_databases
MANY = 6


def at_once(app, work: Callable[[int], object]) -> list[object]:
    """Do `work` in as many threads, begun together; return what each gave or was refused."""
    gate = threading.Barrier(MANY)
    found: list[object] = [None] * MANY

    def run(number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                found[number] = work(number)
            except Refused as refusal:
                found[number] = refusal.code

    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def receive(actor: Actor) -> ServiceJob:
    return operations.receive_job(
        actor, serial="A-1", problem="Dead", proof_of_purchase="Receipt 4711"
    )


def test_intakes_of_one_serial_number_leave_one(app):
    with app.app_context():
        stations = [factory.fixit(), factory.pacific()]

    def take_in(number: int) -> str:
        with transaction():
            return receive(stations[number % 2]).reference

    found = at_once(app, take_in)
    with app.app_context():
        kept = db.session.scalars(sa.select(ServiceJob.reference)).all()
    assert len(kept) == 1
    assert sorted(map(str, found)) == sorted([*kept, *["job_open"] * (MANY - 1)])


def test_closings_at_once_close_once(app):
    with app.app_context():
        actor = factory.fixit()
        job_id = factory.ready_job(actor, serial="A-1").id

    def close(_number: int) -> str:
        with transaction():
            operations.close_job(actor, queries.job_for(actor, job_id))
        return "closed"

    found = at_once(app, close)
    assert sorted(map(str, found)) == ["closed", *["wrong_state"] * (MANY - 1)]
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFact)) == 1
        assert db.session.get_one(ServiceJob, job_id).closings == 1


def test_reopening_meets_an_intake(app):
    with app.app_context():
        actor, manager = factory.fixit(), factory.service_manager()
        job_id = factory.closed_job(actor, serial="A-1").id

    def either(number: int) -> str:
        with transaction():
            if number % 2:
                operations.reopen_job(manager, queries.job_for(manager, job_id))
            else:
                receive(actor)
        return "done"

    found = at_once(app, either)
    assert found.count("done") == 1
    with app.app_context():
        select = sa.select(ServiceJob).where(ServiceJob.status.in_(["received", "repairing"]))
        assert len(db.session.scalars(select).all()) == 1
