"""Who may do what with repair jobs."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.accounts.models import Role
from portal.accounts.policy import (
    has_role,
    is_channel_staff,
    is_of_partner,
    is_service_staff,
    is_system,
)
from portal.foundation.actors import Actor
from portal.service_jobs.models import ServiceJob


def may_mend(actor: Actor) -> bool:
    """Return whether the actor may take devices in: everybody of any partner that is active."""
    return is_of_partner(actor)


def works_at_bench(actor: Actor) -> bool:
    """Return whether the actor's day begins at the bench: every technician's does."""
    return may_mend(actor) and has_role(actor, Role.TECHNICIAN)


def starts_with_board(actor: Actor) -> bool:
    """Return whether the actor's day begins with the network's jobs: the service manager's does."""
    return is_service_staff(actor) and not is_channel_staff(actor)


def may_see_jobs(actor: Actor) -> bool:
    """Return whether the actor has anything to do with repair jobs."""
    return may_mend(actor) or is_service_staff(actor)


def sees_stations(actor: Actor) -> bool:
    """Return whether the actor sees the jobs of more than one station."""
    return is_service_staff(actor)


def may_receive(actor: Actor) -> bool:
    """Return whether the actor may log a job; service staff do so for a station that they name."""
    return may_see_jobs(actor)


def may_import_jobs(actor: Actor) -> bool:
    """Return whether the actor may send files of jobs."""
    return is_service_staff(actor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the jobs that the actor may see: all to service staff, to a partner its own."""
    if is_system(actor) or is_service_staff(actor):
        return sa.true()
    if is_of_partner(actor):
        return ServiceJob.station_id == actor.tenant_id
    return sa.false()


def may_work(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may move this job on: its station and service staff."""
    of_station = is_of_partner(actor) and job.station_id == actor.tenant_id
    return of_station or is_service_staff(actor) or is_system(actor)


def may_start_repair(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may start the repair."""
    return may_work(actor, job)


def may_ready(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may say that the repair is done."""
    return may_work(actor, job)


def may_close(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may hand the device over."""
    return may_work(actor, job)


def may_decline(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may note that the customer declines."""
    return may_work(actor, job)


def may_unrepairable(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may give the device up."""
    return may_work(actor, job)


def may_cancel(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may cancel the job."""
    return may_work(actor, job)


def may_reopen(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may reopen a closed job: service staff alone."""
    return is_service_staff(actor) or is_system(actor)


def may_write_note(actor: Actor, job: ServiceJob) -> bool:
    """Return whether the actor may write a note about the job."""
    return may_work(actor, job)


MAY_STEP: dict[str, Callable[[Actor, ServiceJob], bool]] = {
    "start-repair": may_start_repair,
    "ready": may_ready,
    "close": may_close,
    "decline": may_decline,
    "unrepairable": may_unrepairable,
    "cancel": may_cancel,
    "reopen": may_reopen,
}
