"""What other slices announce and points answer to."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club
from loyalty.points.awards import source_shares
from loyalty.points.models import JobClosing
from loyalty.points.operations.earning import earn, reverse_award
from loyalty.points.queries import movements
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, is_postgresql
from portal.foundation.facts import listens
from portal.service_jobs.facts import ServiceJobClosed, ServiceJobReopened

SERVICE_JOB = "service_job"


def closing_source(job_id: int, closing: int) -> str:
    """Return the source of the award for a closing of a service job."""
    first = f"service_job_closed:{job_id}"
    return first if closing == 1 else f"{first}:{closing}"


def _closing(job_id: int, closing: int) -> JobClosing:
    """Return what is known of a closing, held until the transaction ends."""
    values = {"job_id": job_id, "closing": closing, "is_undone": False}
    insert = (postgresql if is_postgresql() else sqlite).insert(JobClosing).values(**values)
    db.session.execute(insert.on_conflict_do_nothing())
    select = sa.select(JobClosing).where(JobClosing.job_id == job_id, JobClosing.closing == closing)
    options = {"populate_existing": True}
    return db.session.scalars(select.with_for_update().execution_options(**options)).one()


@listens(ServiceJobClosed)
def award_for_closed_job(fact: ServiceJobClosed) -> None:
    """Give the device's owner what each club's programme gives for a repair, once a closing."""
    if _closing(fact.job_id, fact.closing).is_undone:
        return
    for member in clubs.members_by_email(fact.owner_email):
        club = db.session.get_one(Club, member.club_id)
        day = clock.local_date(fact.closed_at, club.timezone)
        _, programme = clubs.rules_of(club).on(day)
        earn(
            SYSTEM,
            member=member,
            club=club,
            source=closing_source(fact.job_id, fact.closing),
            shares=source_shares(programme, SERVICE_JOB, fact.reference),
            reason=fact.reference,
            happened_at=min(fact.closed_at, clock.now()),
        )


@listens(ServiceJobReopened)
def take_back_for_reopened_job(fact: ServiceJobReopened) -> None:
    """Take back what a closing gave; one that is heard of later gives nothing."""
    _closing(fact.job_id, fact.closing).is_undone = True
    for club in clubs.all_clubs():
        transfer = movements.transfer_from(club.id, closing_source(fact.job_id, fact.closing))
        if transfer is not None:
            reverse_award(
                SYSTEM,
                transfer=transfer,
                club=club,
                source=f"service_job_reopened:{fact.job_id}:{fact.closing}",
                reason=fact.reference,
                happened_at=min(fact.reopened_at, clock.now()),
            )
