"""Repair jobs over the API."""

from typing import Annotated, Any

from pydantic import Field

from portal.foundation.database import lock, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    DayIn,
    Email,
    Empty,
    In,
    InstantOut,
    LongText,
    Name,
    Out,
    PageOut,
    PageQuery,
    ShortText,
    Text,
)
from portal.foundation.web.policies import authorise, requires
from portal.installed_base.api import VisitOut, visit_out
from portal.service_jobs import operations, policy, queries
from portal.service_jobs.models import JobState, ServiceJob

bp = ApiBlueprint("service_jobs", __name__, tag="Service jobs")


class CustomerIn(In):
    """Who brings the device."""

    name: Name
    email: Email | None = None


class JobIn(In):
    """A device to take in; `station` is for service staff, who belong to none.

    `sku` and `sold_on` are of a device whose serial number is not registered.
    """

    serial: ShortText | None = None
    sku: ShortText | None = None
    customer: CustomerIn
    problem: Annotated[LongText, Field(min_length=1)]
    symptom_code: Annotated[ShortText, Field(max_length=40)] | None = None
    accessories: Text | None = None
    proof_of_purchase: Text | None = None
    sold_on: DayIn | None = None
    station: ShortText | None = None


class PartIn(In):
    """A part that was used."""

    sku: ShortText
    quantity: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    old_serial: ShortText | None = None
    new_serial: ShortText | None = None


class ReadyIn(In):
    """What was done."""

    repair_code: ShortText | None = None
    repair_note: LongText | None = None
    parts: Annotated[list[PartIn], Field(max_length=100)] = []


class ReasonIn(In):
    """Why the job ends."""

    reason: Annotated[Text, Field(min_length=1)]


class MaybeReasonIn(In):
    """Why the job ends, if anything is to be said."""

    reason: Text | None = None


class PayerOut(Out):
    """Who pays one kind of cost."""

    line: str
    payer: str


class CustomerOut(Out):
    """Who brought the device."""

    name: str | None
    email: str | None


class JobOut(Out):
    """A job in a list."""

    reference: str
    status: JobState
    station: str
    serial: str | None
    sku: str | None
    brand: str | None
    category: str | None
    problem: str
    symptom_code: str | None
    repair_code: str | None
    customer: CustomerOut
    is_unknown_serial: bool
    entitlement: list[PayerOut]
    received_at: InstantOut
    ended_at: InstantOut | None


class RepeatOut(Out):
    """An earlier job that this one repeats."""

    reference: str
    kind: str
    charged_to: str | None


class FullJobOut(JobOut):
    """A job; earlier jobs of other stations come without reference and customer."""

    earlier_jobs: list[VisitOut]
    repeat_of: RepeatOut | None


def _out(job: ServiceJob, station: str) -> dict[str, Any]:
    names = (
        *("reference", "status", "serial", "sku", "brand", "category", "problem", "symptom_code"),
        *("repair_code", "is_unknown_serial", "received_at", "ended_at"),
    )
    return {name: getattr(job, name) for name in names} | {
        "station": station,
        "customer": {"name": job.customer_name, "email": job.customer_email},
        "entitlement": job.entitlement.get("lines", []),
    }


def _full(job: ServiceJob) -> dict[str, Any]:
    earlier = []
    if job.serial_key:
        earlier = queries.visits(current_actor(), job.serial_key, besides=job.id)
    return _out(job, queries.station(job.station_id).reference) | {
        "earlier_jobs": [visit_out(visit) for visit in earlier],
        "repeat_of": None,
    }


@bp.post("/service-jobs")
@requires(policy.may_receive)
@bp.input(JobIn, arg_name="body")
@bp.output(FullJobOut, status_code=201)
def receive_job(body: JobIn) -> dict[str, Any]:
    """Take a device in; who pays is frozen.

    A device with an open job anywhere: 409 `job_open` with the first one's `reference`. A serial
    number that is not registered needs `proof_of_purchase`, else 422 `gate_not_met`.
    """
    actor = current_actor()
    with transaction():
        job = operations.receive_job(
            actor,
            serial=body.serial,
            sku=body.sku,
            problem=body.problem,
            customer_name=body.customer.name,
            customer_email=body.customer.email,
            symptom_code=body.symptom_code,
            accessories=body.accessories,
            proof_of_purchase=body.proof_of_purchase,
            sold_on=body.sold_on,
            station_id=_station_id(body.station),
        )
        return _full(job)


def _station_id(reference: str | None) -> int | None:
    """Return the key of the station that staff name; refuses others who name one but their own."""
    if reference is None:
        return None
    actor = current_actor()
    found = queries.station_by_reference(reference)
    is_own = found is not None and found.id == actor.tenant_id
    if found is None or not (is_own or policy.sees_stations(actor)):
        raise Refused(_l("There is no such station."), field="station")
    return found.id


@bp.get("/service-jobs")
@requires(policy.may_see_jobs)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[JobOut])
def list_jobs(query: PageQuery) -> dict[str, Any]:
    """List the jobs that the token's user may see, newest first."""
    select = queries.jobs_visible_to(current_actor())
    jobs, cursor = listed(select, ServiceJob.id, query)
    stations = queries.station_references(jobs)
    return {"items": [_out(job, stations[job.station_id]) for job in jobs], "next_cursor": cursor}


@bp.get("/service-jobs/<reference>")
@requires(policy.may_see_jobs)
@bp.output(FullJobOut)
def show_job(reference: str) -> dict[str, Any]:
    """Return a job by its reference."""
    return _full(queries.job_by_reference(current_actor(), reference))


def _step(reference: str, name: str, operation: Any, body: In) -> dict[str, Any]:
    actor = current_actor()
    with transaction():
        job = queries.job_by_reference(actor, reference)
        authorise(policy.MAY_STEP[name], job)
        operation(actor, lock(job), **body.model_dump())
        return _full(job)


@bp.post("/service-jobs/<reference>/steps/start-repair")
@requires(policy.may_see_jobs)
@bp.input(Empty, arg_name="body")
@bp.output(FullJobOut)
def start_repair(reference: str, body: Empty) -> dict[str, Any]:
    """Start the repair of a received job."""
    return _step(reference, "start-repair", operations.start_repair, body)


@bp.post("/service-jobs/<reference>/steps/ready")
@requires(policy.may_see_jobs)
@bp.input(ReadyIn, arg_name="body")
@bp.output(FullJobOut)
def ready(reference: str, body: ReadyIn) -> dict[str, Any]:
    """Say that the repair is done; without a repair code 422 `gate_not_met`."""
    return _step(reference, "ready", operations.ready_job, body)


@bp.post("/service-jobs/<reference>/steps/close")
@requires(policy.may_see_jobs)
@bp.input(Empty, arg_name="body")
@bp.output(FullJobOut)
def close(reference: str, body: Empty) -> dict[str, Any]:
    """Hand a ready device over."""
    return _step(reference, "close", operations.close_job, body)


@bp.post("/service-jobs/<reference>/steps/decline")
@requires(policy.may_see_jobs)
@bp.input(MaybeReasonIn, arg_name="body")
@bp.output(FullJobOut)
def decline(reference: str, body: MaybeReasonIn) -> dict[str, Any]:
    """Note that the customer does not want the repair."""
    return _step(reference, "decline", operations.decline_job, body)


@bp.post("/service-jobs/<reference>/steps/unrepairable")
@requires(policy.may_see_jobs)
@bp.input(MaybeReasonIn, arg_name="body")
@bp.output(FullJobOut)
def unrepairable(reference: str, body: MaybeReasonIn) -> dict[str, Any]:
    """Give the device up."""
    return _step(reference, "unrepairable", operations.give_up_job, body)


@bp.post("/service-jobs/<reference>/steps/cancel")
@requires(policy.may_see_jobs)
@bp.input(ReasonIn, arg_name="body")
@bp.output(FullJobOut)
def cancel(reference: str, body: ReasonIn) -> dict[str, Any]:
    """Cancel the job."""
    return _step(reference, "cancel", operations.cancel_job, body)


@bp.post("/service-jobs/<reference>/steps/reopen")
@requires(policy.may_see_jobs)
@bp.input(Empty, arg_name="body")
@bp.output(FullJobOut)
def reopen(reference: str, body: Empty) -> dict[str, Any]:
    """Take a closed job up again; service staff alone."""
    return _step(reference, "reopen", operations.reopen_job, body)
