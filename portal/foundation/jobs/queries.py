"""What the desk, the commands and the readiness check ask about jobs."""

from datetime import timedelta

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.database import db
from portal.foundation.jobs.models import Heartbeat, JobRun, RunState

STOPPED_AFTER = timedelta(seconds=60)


def heartbeat_age() -> timedelta | None:
    """Return how long ago a jobs process last said it lives; None when none ever did."""
    last = db.session.scalar(sa.select(sa.func.max(Heartbeat.beat_at)))
    return None if last is None else clock.machine_now() - last


def clock_is_stopped() -> bool:
    """Return whether no jobs process has been alive for a minute."""
    age = heartbeat_age()
    return age is None or age > STOPPED_AFTER


def heartbeats() -> list[Heartbeat]:
    """Return the processes that were alive within a day, the leader first."""
    order = (Heartbeat.leads.desc(), Heartbeat.worker)
    return list(db.session.scalars(sa.select(Heartbeat).order_by(*order)))


def last_runs() -> dict[str, JobRun]:
    """Return the latest run of each job."""
    latest = sa.select(sa.func.max(JobRun.id)).group_by(JobRun.job)
    rows = db.session.scalars(sa.select(JobRun).where(JobRun.id.in_(latest)))
    return {row.job: row for row in rows}


def runs(job: str | None = None, limit: int = 50) -> list[JobRun]:
    """Return the latest runs, of one job or of all."""
    select = sa.select(JobRun).order_by(JobRun.id.desc()).limit(limit)
    if job:
        select = select.where(JobRun.job == job)
    return list(db.session.scalars(select))


def queue_age() -> timedelta:
    """Return how long the oldest queued run has waited."""
    oldest = db.session.scalar(
        sa.select(sa.func.min(JobRun.due_at)).where(JobRun.state == RunState.QUEUED)
    )
    return timedelta() if oldest is None else max(timedelta(), clock.machine_now() - oldest)
