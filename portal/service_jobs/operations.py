"""Changes of repair jobs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.accounts.queries import ACTIVE_PARTNER_STATES, email_key
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db, is_postgresql, lock
from portal.foundation.errors import Refused
from portal.foundation.facts import announce
from portal.foundation.i18n import _l
from portal.installed_base.models import Device, serial_key
from portal.installed_base.operations import register_device
from portal.installed_base.queries import device_by_serial
from portal.partners.models import Partner
from portal.service_jobs import queries
from portal.service_jobs.errors import GateNotMet, JobOpen
from portal.service_jobs.facts import ServiceJobClosed, ServiceJobReopened
from portal.service_jobs.models import STEPS, JobNote, JobNumber, JobState, ServiceJob, UsedPart


def receive_job(
    actor: Actor,
    *,
    problem: str,
    serial: str | None = None,
    sku: str | None = None,
    customer_name: str | None = None,
    customer_email: str | None = None,
    symptom_code: str | None = None,
    accessories: str | None = None,
    proof_of_purchase: str | None = None,
    sold_on: date | None = None,
    station_id: int | None = None,
) -> ServiceJob:
    """Take a device in at the actor's station and freeze who pays.

    station_id: a partner's key, for actors of no partner. sku, sold_on: of a device whose serial
    number is not registered; with the first it is registered, to be confirmed by the vendor.
    Refuses (JobOpen) a serial number with an open job anywhere, (GateNotMet) an unknown one without
    a proof of purchase, and a station that may not act at present.
    """
    place = _station(station_id if station_id is not None else actor.tenant_id)
    key = serial_key(serial) if serial else None
    if serial and not key:
        raise Refused(_l("Write the serial number as it stands on the device."), field="serial")
    if key:
        _refuse_second(key)
    device = device_by_serial(serial) if serial else None
    if serial and device is None:
        device = _register(actor, serial, sku, sold_on, proof_of_purchase, place)
    now = clock.now()
    reference = _next_reference(now.year)
    job = ServiceJob(
        reference=reference,
        reference_key=reference.lower(),
        station_id=place.id,
        device_id=device.id if device else None,
        serial=serial.strip() if serial else None,
        serial_key=key,
        is_unknown_serial=bool(key) and (device is None or not device.is_confirmed),
        sku=(device.sku if device else None) or sku,
        problem=problem,
        symptom_code=symptom_code,
        accessories=accessories,
        proof_of_purchase=proof_of_purchase,
        customer_name=customer_name,
        customer_email=customer_email,
        customer_email_key=email_key(customer_email) if customer_email else None,
        entitlement=queries.entitlement(device, queries.today_at(place)),
        status=JobState.RECEIVED,
        status_since=now,
        received_at=now,
        closings=0,
    )
    with _one_open(reference, key):
        db.session.add(job)
    record(actor, "service_jobs.job.received", job, reference=job.reference, serial=job.serial)
    return job


def _station(station_id: int | None) -> Partner:
    """Return the partner that takes in; refuses none and one that may not act."""
    if station_id is None:
        raise Refused(_l("Name the station that takes the device in."), field="station")
    place = queries.station(station_id)
    if place.status.value not in ACTIVE_PARTNER_STATES:
        raise Refused(_l("This station takes nothing in at present."), field="station")
    return place


def _register(
    actor: Actor,
    serial: str,
    sku: str | None,
    sold_on: date | None,
    proof_of_purchase: str | None,
    place: Partner,
) -> Device | None:
    """Register an unknown serial number on a proof of purchase, when its product is named."""
    if not proof_of_purchase:
        raise GateNotMet(["proof_of_purchase"])
    if not sku:
        return None
    device = register_device(
        actor,
        serial=serial,
        sku=sku,
        sold_on=sold_on,
        country=place.country,
        is_confirmed=False,
    )
    db.session.flush()  # the job needs the device's key
    return device


def _refuse_second(key: str, *, besides: str | None = None) -> None:
    first = queries.open_job_reference(key)
    if first is not None and first != besides:
        raise JobOpen(first)


@contextmanager
def _one_open(reference: str, key: str | None) -> Iterator[None]:
    """Write an open job inside; two at once meet at the unique index, and the second is refused."""
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()  # the index judges here, not at the commit
    except sa.exc.IntegrityError:
        if key:
            _refuse_second(key, besides=reference)
        raise


def _next_reference(year: int) -> str:
    """Return J-YYYY-NNNNN with the year's next number, its row held till the commit."""
    table = JobNumber.__table__
    insert: Any = postgresql.insert if is_postgresql() else sqlite.insert
    number = db.session.scalar(
        insert(JobNumber)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": table.c.last + 1})
        .returning(JobNumber.last)
    )
    return f"J-{year}-{number:05d}"


def _move(actor: Actor, job: ServiceJob, step: str, name: str, **told: object) -> JobState:
    """Take a step of the table, if it is possible from here; return the state before."""
    before = lock(job).status
    job.status = STEPS.target(before, step)
    job.status_since = clock.now()
    if not job.is_open:
        job.ended_at = job.status_since
    record(actor, f"service_jobs.job.{name}", job, **told)
    return before


def start_repair(actor: Actor, job: ServiceJob) -> None:
    """Begin to mend; refuses (WrongState) a job that is not just received."""
    _move(actor, job, "start-repair", "repair_started")


def ready_job(
    actor: Actor,
    job: ServiceJob,
    *,
    repair_code: str | None,
    repair_note: str | None = None,
    parts: Sequence[dict[str, Any]] = (),
) -> None:
    """Say that the repair is done.

    parts: sku, quantity, and perhaps old_serial and new_serial. Refuses (WrongState) a job that is
    not in repair, (GateNotMet) without a repair code.
    """
    lock(job)
    STEPS.target(job.status, "ready")
    if not repair_code:
        raise GateNotMet(["repair_code"])
    _move(actor, job, "ready", "readied", repair_code=repair_code)
    job.repair_code = repair_code
    job.repair_note = repair_note or job.repair_note
    for part in parts:
        db.session.add(UsedPart(job_id=job.id, used_at=clock.now(), **part))


def close_job(actor: Actor, job: ServiceJob) -> None:
    """Hand the device over and announce it; refuses (WrongState) a job that is not ready."""
    _move(actor, job, "close", "closed")
    job.closings += 1
    email, name = _owner(job)
    announce(
        ServiceJobClosed(
            job_id=job.id,
            reference=job.reference,
            closing=job.closings,
            serial=job.serial,
            sku=job.sku,
            station_id=job.station_id,
            owner_email=email,
            owner_name=name,
            closed_at=job.status_since,
        )
    )


def reopen_job(actor: Actor, job: ServiceJob) -> None:
    """Take a closed job up again and announce it.

    Refuses (WrongState) a job that is not closed, (JobOpen) while the device has another open job.
    """
    lock(job)
    STEPS.target(job.status, "reopen")
    if job.serial_key:
        _refuse_second(job.serial_key)
    with _one_open(job.reference, job.serial_key):
        _move(actor, job, "reopen", "reopened")
        job.ended_at = None
    announce(
        ServiceJobReopened(
            job_id=job.id,
            reference=job.reference,
            closing=job.closings,
            serial=job.serial,
            station_id=job.station_id,
            owner_email=_owner(job)[0],
            reopened_at=job.status_since,
        )
    )


def _owner(job: ServiceJob) -> tuple[str | None, str | None]:
    """Return the owner's address and name: as registered, else who brought the device."""
    device = queries.device_of(job)
    if device is not None and device.owner_email:
        return device.owner_email, device.owner_name
    return job.customer_email, job.customer_name


def decline_job(actor: Actor, job: ServiceJob, *, reason: str | None = None) -> None:
    """End a job whose repair the customer does not want; refuses (WrongState) one that is ready."""
    _move(actor, job, "decline", "declined", reason=reason)
    job.end_reason = reason


def give_up_job(actor: Actor, job: ServiceJob, *, reason: str | None = None) -> None:
    """End a job whose device cannot be mended; refuses (WrongState) one that is ready or ended."""
    _move(actor, job, "unrepairable", "given_up", reason=reason)
    job.end_reason = reason


def cancel_job(actor: Actor, job: ServiceJob, *, reason: str) -> None:
    """End a job that should not be; refuses (WrongState) one that is ready or ended."""
    _move(actor, job, "cancel", "cancelled", reason=reason)
    job.end_reason = reason


def write_note(actor: Actor, job: ServiceJob, *, body: str) -> JobNote:
    """Add a note about a job, in whatever state it is."""
    note = JobNote(job_id=job.id, author_name=actor.name, body=body, written_at=clock.now())
    db.session.add(note)
    record(actor, "service_jobs.note.written", job)
    return note
