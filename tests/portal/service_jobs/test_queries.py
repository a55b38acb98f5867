import pytest
import sqlalchemy as sa

from portal.foundation.database import db
from portal.installed_base.queries import history
from portal.service_jobs import queries
from portal.service_jobs.models import JobState
from tests.factories import installed_base as devices
from tests.factories import service_jobs as factory
from tests.factories.service_jobs import counted_reads

pytestmark = pytest.mark.usefixtures("context")


def test_another_stations_visit_tells_the_outcome_and_no_words():
    fixit, pacific = factory.fixit(), factory.pacific()
    job = factory.closed_job(
        fixit, serial="A-1", problem="Tell Ola Nordmann", customer_name="Ola Nordmann"
    )
    own, other = queries.visits(fixit, "A1")[0], queries.visits(pacific, "A1")[0]
    assert (own.reference, own.values) == (job.reference, {"job_id": job.id})
    assert (other.reference, other.endpoint, other.values) == (None, None, None)
    told = f"{other.title} {other.note}"
    for secret in ("Ola", "Fix-It", job.reference):
        assert secret not in told
    assert "GRATING" in told
    assert [visit.reference for visit in history(pacific, "A1")] == [None]


def test_a_job_is_not_its_own_earlier_job():
    fixit = factory.fixit()
    first = factory.closed_job(fixit, serial="A-1")
    second = factory.job(fixit, serial="A-1")
    found = queries.visits(fixit, "A1", besides=second.id)
    assert [visit.reference for visit in found] == [first.reference]


def test_the_board_takes_two_queries_and_counts_by_state():
    fixit, pacific = factory.fixit(), factory.pacific()
    for _ in range(3):
        factory.job(fixit)
    factory.ready_job(fixit)
    factory.job(pacific)
    factory.closed_job(fixit)
    with counted_reads() as reads:
        board = queries.board(fixit)
    assert len(reads) == 2
    found = {column.state: (column.count, len(column.cards)) for column in board}
    assert found == {
        JobState.RECEIVED: (3, 3),
        JobState.REPAIRING: (0, 0),
        JobState.READY: (1, 1),
    }
    assert queries.waiting(fixit) == (3, False)


def test_what_the_intake_is_told():
    devices.spectrometer()
    devices.device("A-1")
    fixit, pacific = factory.fixit(), factory.pacific()
    job = factory.job(fixit, serial="A-1")
    today = job.received_at.date()
    own = queries.intake_of(fixit, "a1", today)
    other = queries.intake_of(pacific, "a1", today)
    assert own is not None
    assert other is not None
    assert (own.open_reference, own.open_job_id) == (job.reference, job.id)
    assert (other.open_reference, other.open_job_id) == (job.reference, None)
    assert not other.sees_owner
    assert queries.intake_of(fixit, " - ", today) is None
    unknown = queries.intake_of(fixit, "ZZ", today)
    assert unknown is not None
    assert unknown.device is None


def test_lists_are_served_by_indexes():
    fixit = factory.fixit()
    factory.job(fixit, serial="A-1")
    plans = {
        "station": "select id from service_jobs where station_id = 1 "
        "order by received_at desc, id desc limit 50",
        "state": "select id from service_jobs where station_id = 1 and status = 'received' "
        "order by received_at, id limit 30",
        "serial": "select id from service_jobs where serial_key >= 'A' and serial_key < 'B'",
        "reference": "select id from service_jobs where reference_key >= 'j' "
        "and reference_key < 'k'",
    }
    for name, statement in plans.items():
        steps = db.session.execute(sa.text(f"explain query plan {statement}")).all()
        assert all("USING" in step[3] and "TEMP B-TREE" not in step[3] for step in steps), name
