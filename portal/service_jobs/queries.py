"""Reads of repair jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, starting_with
from portal.foundation.errors import NotFound
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step
from portal.installed_base.models import Device, serial_key
from portal.installed_base.policy import may_see_owner
from portal.installed_base.queries import (
    LINES,
    MOST_VISITS,
    Visit,
    WarrantyLine,
    device_by_serial,
    is_in_warranty,
    product_of,
    tells_history,
    warranty_lines,
    warranty_look,
)
from portal.partners.models import Partner
from portal.products.models import Product
from portal.service_jobs import policy
from portal.service_jobs.models import (
    END_STATES,
    LOOKS,
    OPEN_STATES,
    STEPS,
    JobNote,
    JobState,
    ServiceJob,
    UsedPart,
)

RULE_VERSION = 1
TITLE_LENGTH = 120
MOST_ON_BOARD = 30
MOST_COUNTED = 1_000


def _visible(actor: Actor) -> sa.Select[ServiceJob]:
    return sa.select(ServiceJob).where(policy.visible_to(actor))


def job_for(actor: Actor, job_id: int) -> ServiceJob:
    """Return a job by its key; refuses (NotFound) one that the actor may not see."""
    job = db.session.scalar(_visible(actor).where(ServiceJob.id == job_id))
    if job is None:
        raise NotFound
    return job


def job_by_reference(actor: Actor, reference: str) -> ServiceJob:
    """Return a job by its reference; refuses (NotFound) one that the actor may not see."""
    job = db.session.scalar(_visible(actor).where(ServiceJob.reference == reference))
    if job is None:
        raise NotFound
    return job


def jobs_visible_to(actor: Actor) -> sa.Select[ServiceJob]:
    """Return the select of all jobs that the actor may see."""
    return _visible(actor)


def open_job_reference(key: str) -> str | None:
    """Return the reference of the job that a serial key has open at any station."""
    return db.session.scalar(
        sa.select(ServiceJob.reference).where(
            ServiceJob.serial_key == key, ServiceJob.status.not_in(END_STATES)
        )
    )


def station(station_id: int) -> Partner:
    """Return the partner that mends."""
    return db.session.get_one(Partner, station_id)


def station_by_reference(reference: str) -> Partner | None:
    """Return the partner of a reference."""
    return db.session.scalar(sa.select(Partner).where(Partner.reference == reference))


def station_references(jobs: Sequence[ServiceJob]) -> dict[int, str]:
    """Return the references of the jobs' stations, by key."""
    ids = {job.station_id for job in jobs}
    rows = db.session.execute(sa.select(Partner.id, Partner.reference).where(Partner.id.in_(ids)))
    return {row.id: row.reference for row in rows}


def device_of(job: ServiceJob) -> Device | None:
    """Return the registered device of a job."""
    return None if job.device_id is None else db.session.get(Device, job.device_id)


def notes_of(job: ServiceJob) -> list[JobNote]:
    """Return the notes about a job, newest first."""
    select = sa.select(JobNote).where(JobNote.job_id == job.id).order_by(JobNote.id.desc())
    return list(db.session.scalars(select.limit(100)))


def parts_of(job: ServiceJob) -> list[UsedPart]:
    """Return the parts that the repair used."""
    select = sa.select(UsedPart).where(UsedPart.job_id == job.id).order_by(UsedPart.id)
    return list(db.session.scalars(select))


def entitlement(device: Device | None, on: date) -> dict[str, Any]:
    """Return who pays which kind of cost for a device on a day, to be frozen with the job."""
    covered = device is not None and is_in_warranty(device, on)
    payer = "warranty" if covered else "customer"
    until = device.warranty_until if device is not None else None
    return {
        "rule_version": RULE_VERSION,
        "on": on.isoformat(),
        "warranty_until": until.isoformat() if until else None,
        "lines": [{"line": line, "payer": payer} for line in LINES],
    }


def open_steps(actor: Actor, job: ServiceJob) -> list[Step[JobState]]:
    """Return the steps that the actor may take from where the job stands."""
    steps = STEPS.open_steps(job.status)
    return [step for step in steps if policy.MAY_STEP[step.name](actor, job)]


def _problem_start() -> sa.ColumnElement[str]:
    return sa.func.substr(ServiceJob.problem, 1, TITLE_LENGTH + 1)


def _shown(problem: str) -> str:
    """Return the start of a problem's words as a title shows it."""
    whole = len(problem) <= TITLE_LENGTH
    return problem if whole else problem[: TITLE_LENGTH - 1].rstrip() + "…"


def visits(actor: Actor, key: str, *, besides: int | None = None) -> list[Visit]:
    """Return the jobs that a serial key ever had, newest first.

    besides: the key of a job to leave out. Of another station's job only the coded outcome is
    told: the customer's words may name the customer.
    """
    visible = sa.case((policy.visible_to(actor), True), else_=False)
    select = (
        sa.select(
            ServiceJob.id,
            ServiceJob.reference,
            ServiceJob.status,
            ServiceJob.received_at,
            ServiceJob.ended_at,
            ServiceJob.repair_code,
            ServiceJob.symptom_code,
            _problem_start().label("problem"),
            Partner.name.label("station"),
            visible.label("is_visible"),
        )
        .join(Partner, Partner.id == ServiceJob.station_id)
        .where(ServiceJob.serial_key == key)
        .order_by(ServiceJob.received_at.desc())
        .limit(MOST_VISITS + 1)
    )
    rows = [row for row in db.session.execute(select) if row.id != besides]
    return [_visit(row) for row in rows[:MOST_VISITS]]


def _visit(row: Any) -> Visit:
    coded = row.repair_code or row.symptom_code
    shared = (row.received_at, row.ended_at, LOOKS[row.status], row.status.value)
    if not row.is_visible:
        title = coded or _l("Repair")
        return Visit(title, _l("Another station. Its customer is not shown."), *shared)
    title = f"{row.reference}: {_shown(row.problem)}" if row.problem else row.reference
    note = f"{coded} · {row.station}" if coded else row.station
    return Visit(title, note, *shared, row.reference, "service_jobs.show", {"job_id": row.id})


@tells_history
def visits_of_device(actor: Actor, key: str) -> list[Visit]:
    """Return the repairs in a device's history."""
    return visits(actor, key)


@dataclass(frozen=True, slots=True)
class Card:
    """A job as the board draws it."""

    id: int
    reference: str
    problem: str
    serial: str | None
    customer: str | None
    station: str
    received_at: datetime
    since: datetime

    @property
    def days(self) -> int:
        """Return for how many whole days it has been in its state."""
        return (clock.now() - self.since).days


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One state of the board: its oldest jobs, how many there are (at most 1,001)."""

    state: JobState
    look: Look
    cards: list[Card]
    count: int

    @property
    def is_capped(self) -> bool:
        """Return whether there are more than are counted."""
        return self.count > MOST_COUNTED


def board(actor: Actor) -> list[BoardColumn]:
    """Return the actor's open jobs by state, the longest there first; two queries in all."""
    counts = _open_counts(actor)
    cards: dict[JobState, list[Card]] = {state: [] for state in OPEN_STATES}
    parts = [
        sa.select(
            ServiceJob.id,
            ServiceJob.reference,
            ServiceJob.status,
            _problem_start().label("problem"),
            ServiceJob.serial,
            ServiceJob.customer_name,
            Partner.name.label("station"),
            ServiceJob.received_at,
            ServiceJob.status_since,
        )
        .join(Partner, Partner.id == ServiceJob.station_id)
        .where(policy.visible_to(actor), ServiceJob.status == state)
        .order_by(ServiceJob.received_at, ServiceJob.id)
        .limit(MOST_ON_BOARD)
        .subquery()
        for state in OPEN_STATES
    ]
    whole = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    for row in db.session.execute(sa.select(whole).order_by(whole.c.received_at, whole.c.id)):
        cards[row.status].append(
            Card(
                row.id,
                row.reference,
                _shown(row.problem),
                row.serial,
                row.customer_name,
                row.station,
                row.received_at,
                row.status_since,
            )
        )
    return [BoardColumn(state, LOOKS[state], cards[state], counts[state]) for state in OPEN_STATES]


def _open_counts(actor: Actor) -> dict[JobState, int]:
    """Return how many open jobs there are in each state, each at most 1,001."""
    columns = []
    for state in OPEN_STATES:
        some = (
            sa.select(sa.literal(1))
            .select_from(ServiceJob)
            .where(policy.visible_to(actor), ServiceJob.status == state)
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        count = sa.select(sa.func.count()).select_from(some).scalar_subquery()
        columns.append(count.label(state.value))
    row = db.session.execute(sa.select(*columns)).one()
    return {state: getattr(row, state.value) for state in OPEN_STATES}


def waiting(actor: Actor) -> tuple[int, bool]:
    """Return how many devices wait for somebody to start, never reported as late."""
    return _open_counts(actor)[JobState.RECEIVED], False


def today_at(partner: Partner) -> date:
    """Return the date at a station."""
    return clock.today(partner.zone)


@dataclass(frozen=True, slots=True)
class Intake:
    """What the bench is told of a serial number before the device is taken in.

    device, product: when registered. warranty: the badge of the day, none for an unknown device.
    open_reference: of the job that is open anywhere; open_job_id: its key, where the reader may
    see it.
    """

    serial: str
    device: Device | None
    product: Product | None
    warranty: Look | None
    lines: list[WarrantyLine]
    visits: list[Visit]
    sees_owner: bool
    open_reference: str | None
    open_job_id: int | None


def intake_of(actor: Actor, serial: str, on: date) -> Intake | None:
    """Return what is known of a serial number on a day; None when it has no letter or digit."""
    key = serial_key(serial)
    if not key:
        return None
    device = device_by_serial(serial)
    found = visits(actor, key)
    reference = open_job_reference(key)
    mine = (visit.values for visit in found if visit.reference == reference and visit.values)
    return Intake(
        serial=serial.strip(),
        device=device,
        product=product_of(device) if device else None,
        warranty=warranty_look(device, on) if device else None,
        lines=warranty_lines(device) if device else [],
        visits=found,
        sees_owner=device is not None and may_see_owner(actor, device),
        open_reference=reference,
        open_job_id=next((values["job_id"] for values in mine), None) if reference else None,
    )


def jobs_found(actor: Actor, text: str) -> list[ServiceJob]:
    """Return at most ten jobs by how the reference starts, or of one serial number."""
    wanted = starting_with(ServiceJob.reference, text.upper())
    if key := serial_key(text):
        wanted = sa.or_(wanted, ServiceJob.serial_key == key)
    select = _visible(actor).where(wanted).order_by(ServiceJob.received_at.desc())
    return list(db.session.scalars(select.limit(10)))
