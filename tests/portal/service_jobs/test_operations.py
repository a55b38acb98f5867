from datetime import date

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.foundation.audit import timeline
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from portal.foundation.facts import StoredFact, revive
from portal.installed_base.queries import device_by_serial
from portal.partners.operations import suspend_partner
from portal.service_jobs import operations
from portal.service_jobs.errors import GateNotMet, JobOpen
from portal.service_jobs.facts import ServiceJobClosed, ServiceJobReopened
from portal.service_jobs.models import STEPS, JobNumber, JobState
from portal.service_jobs.queries import parts_of
from tests.factories import installed_base as devices
from tests.factories import service_jobs as factory

pytestmark = pytest.mark.usefixtures("context")


def facts() -> list[object]:
    return [revive(fact) for fact in db.session.scalars(sa.select(StoredFact)) if _mine(fact)]


def _mine(fact: StoredFact) -> bool:
    return fact.name.startswith("service_jobs.")


def payers(job) -> set[str]:
    return {line["payer"] for line in job.entitlement["lines"]}


def test_a_device_is_taken_in_and_who_pays_is_frozen(clock):
    clock.set("2026-11-22T10:00Z")
    devices.spectrometer()
    device = devices.device()
    job = factory.job(factory.fixit(), serial="hx9 2231 00847")
    assert job.reference == "J-2026-00001"
    assert job.status is JobState.RECEIVED
    assert (job.device_id, job.sku, job.is_unknown_serial) == (device.id, "HX-900", False)
    assert payers(job) == {"warranty"}
    with transaction():
        device.warranty_until = date(2026, 1, 1)
    assert payers(job) == {"warranty"}
    assert "took in J-2026-00001" in timeline(job)[0].sentence


def test_after_the_warranty_the_customer_pays(clock):
    clock.set("2027-03-15T10:00Z")
    devices.spectrometer()
    devices.device()
    assert payers(factory.job(factory.fixit(), serial="HX9-2231-00847")) == {"customer"}


def test_the_stations_own_day_counts(clock):
    clock.set("2027-03-14T20:00Z")
    devices.spectrometer()
    devices.device()
    east = factory.station("East", "EAST", zone="Asia/Shanghai")
    actor = factory.person("bench@east.example", Role.TECHNICIAN, east)
    assert payers(factory.job(actor, serial="HX9-2231-00847")) == {"customer"}


def test_references_count_by_year(clock):
    actor = factory.fixit()
    clock.set("2026-12-31T23:59Z")
    assert [factory.job(actor).reference for _ in range(2)] == ["J-2026-00001", "J-2026-00002"]
    clock.set("2027-01-01T00:00Z")
    assert factory.job(actor).reference == "J-2027-00001"


def test_a_second_open_job_is_refused_with_the_first_ones_reference():
    first = factory.job(factory.fixit(), serial="A-1")
    with pytest.raises(JobOpen) as refused:
        factory.job(factory.pacific(), serial="a1")
    assert refused.value.code == "job_open"
    assert refused.value.status == 409
    assert refused.value.extra == {"reference": first.reference}


def test_after_the_end_the_device_may_come_again():
    actor = factory.fixit()
    first = factory.job(actor, serial="A-1")
    with transaction():
        operations.cancel_job(actor, first, reason="Wrong device")
    assert factory.job(actor, serial="A-1").reference != first.reference


def test_an_unknown_serial_number_needs_a_proof_of_purchase():
    actor = factory.fixit()
    with pytest.raises(GateNotMet) as refused:
        factory.job(actor, serial="NEW-1", proof_of_purchase=None)
    assert refused.value.extra == {"missing": ["proof_of_purchase"]}
    job = factory.job(actor, serial="NEW-1")
    assert job.is_unknown_serial
    assert job.device_id is None


def test_an_unknown_serial_number_of_a_known_product_is_registered(clock):
    clock.set("2026-11-22T10:00Z")
    devices.spectrometer()
    bought = date(2026, 1, 5)
    job = factory.job(factory.fixit(), serial="NEW-1", sku="HX-900", sold_on=bought)
    device = device_by_serial("NEW-1")
    assert device is not None
    assert not device.is_confirmed
    assert job.device_id == device.id
    assert job.is_unknown_serial
    assert payers(job) == {"warranty"}


def test_a_job_needs_no_serial_number():
    actor = factory.fixit()
    first, second = factory.job(actor, sku="HX-900"), factory.job(actor, sku="HX-900")
    assert first.serial_key is None
    assert second.is_open


def test_staff_name_a_station_that_may_act():
    manager, place = factory.service_manager(), factory.station("Fix-It", "FIXIT")
    with pytest.raises(Refused) as refused:
        factory.job(manager)
    assert refused.value.field == "station"
    assert factory.job(manager, station_id=place.id).station_id == place.id
    with transaction():
        suspend_partner(manager, place, reason="Unpaid")
    with pytest.raises(Refused):
        factory.job(manager, station_id=place.id)


def test_a_job_goes_from_received_to_closed_and_announces_it(clock):
    clock.set("2026-11-22T10:00Z")
    actor = factory.fixit()
    job = factory.job(actor, serial="A-1", sku="HX-900")
    with transaction():
        operations.start_repair(actor, job)
    clock.advance(hours=2)
    part = {"sku": "LAMP", "quantity": 2, "old_serial": "L1", "new_serial": None}
    with transaction():
        operations.ready_job(actor, job, repair_code="LAMP", repair_note="New", parts=[part])
    assert [(used.sku, used.quantity) for used in parts_of(job)] == [("LAMP", 2)]
    with transaction():
        operations.close_job(actor, job)
    assert job.status is JobState.CLOSED
    assert job.ended_at == clock.now()
    assert facts() == [
        ServiceJobClosed(
            job_id=job.id,
            reference=job.reference,
            closing=1,
            serial="A-1",
            sku="HX-900",
            station_id=job.station_id,
            owner_email="marta@club.example",
            owner_name="Marta Lind",
            closed_at=clock.now(),
        )
    ]
    said = [entry.sentence for entry in timeline(job)]
    assert "handed it over" in said[0]
    assert "finished the repair: LAMP" in said[1]


def test_the_registered_owner_is_announced_before_who_brought_it():
    devices.spectrometer()
    devices.device("A-1", owner_name="Lin Xiaowen", owner_email="lin@club.example")
    factory.closed_job(factory.fixit(), serial="A-1")
    closed = facts()[0]
    assert isinstance(closed, ServiceJobClosed)
    assert (closed.owner_email, closed.owner_name) == ("lin@club.example", "Lin Xiaowen")


def test_ready_needs_a_repair_code():
    actor = factory.fixit()
    job = factory.job(actor)
    with transaction():
        operations.start_repair(actor, job)
    with pytest.raises(GateNotMet) as refused, transaction():
        operations.ready_job(actor, job, repair_code=None)
    assert refused.value.extra == {"missing": ["repair_code"]}


@pytest.mark.parametrize("step", [name for name in STEPS.steps if name != "reopen"])
def test_nothing_leads_out_of_a_closed_job_but_reopening(step):
    actor = factory.fixit()
    job = factory.closed_job(actor)
    take = {
        "start-repair": lambda: operations.start_repair(actor, job),
        "ready": lambda: operations.ready_job(actor, job, repair_code="X"),
        "close": lambda: operations.close_job(actor, job),
        "decline": lambda: operations.decline_job(actor, job),
        "unrepairable": lambda: operations.give_up_job(actor, job),
        "cancel": lambda: operations.cancel_job(actor, job, reason="X"),
    }[step]
    with pytest.raises(WrongState) as refused, transaction():
        take()
    assert refused.value.code == "wrong_state"
    assert len(facts()) == 1


def test_a_reopened_job_announces_it_and_counts_its_next_closing():
    actor, manager = factory.fixit(), factory.service_manager()
    job = factory.closed_job(actor, serial="A-1")
    with transaction():
        operations.reopen_job(manager, job)
    assert job.status is JobState.REPAIRING
    assert job.ended_at is None
    with transaction():
        operations.ready_job(actor, job, repair_code="GRATING")
        operations.close_job(actor, job)
    closed, reopened, again = facts()
    assert isinstance(reopened, ServiceJobReopened)
    assert (reopened.job_id, reopened.closing) == (job.id, 1)
    assert isinstance(closed, ServiceJobClosed)
    assert isinstance(again, ServiceJobClosed)
    assert (closed.closing, again.closing) == (1, 2)


def test_a_job_is_not_reopened_beside_another_open_one():
    actor, manager = factory.fixit(), factory.service_manager()
    first = factory.closed_job(actor, serial="A-1")
    second = factory.job(actor, serial="A-1")
    with pytest.raises(JobOpen) as refused, transaction():
        operations.reopen_job(manager, first)
    assert refused.value.extra == {"reference": second.reference}


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (operations.decline_job, JobState.DECLINED),
        (operations.give_up_job, JobState.UNREPAIRABLE),
        (operations.cancel_job, JobState.CANCELLED),
    ],
)
def test_other_ends_keep_their_reason_and_earn_nothing(end, state):
    actor = factory.fixit()
    job = factory.job(actor)
    with transaction():
        end(actor, job, reason="Board burnt through")
    assert (job.status, job.end_reason) == (state, "Board burnt through")
    assert not job.is_open
    assert facts() == []


def test_every_number_is_given_once_after_a_refusal():
    actor = factory.fixit()
    factory.job(actor, serial="A-1")
    with pytest.raises(JobOpen):
        factory.job(actor, serial="A-1")
    assert db.session.scalar(sa.select(JobNumber.last)) == 1
