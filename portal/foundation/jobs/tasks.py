"""The foundation's own jobs: delivering facts and forgetting what has served its time."""

from datetime import timedelta

import sqlalchemy as sa

from portal.foundation import facts
from portal.foundation.database import transaction
from portal.foundation.jobs.models import JobRun, RunState
from portal.foundation.jobs.registry import Run, job


@job("facts.deliver", continuous=True)
def deliver_facts(run: Run) -> None:
    """Deliver announced facts to their listeners."""
    for delivery_id in facts.waiting_deliveries():
        outcome = facts.deliver(delivery_id)
        if outcome is None:
            run.skipped += 1
        elif outcome:
            run.done += 1
        else:
            run.fail(f"delivery {delivery_id}", "see `facts failed`")


@job("jobs.clean", at="03:40")
def clean_runs(run: Run) -> None:
    """Forget ended runs after 30 days."""
    with transaction() as session:
        ids = session.scalars(
            sa.delete(JobRun)
            .where(JobRun.state == RunState.DONE, JobRun.due_at < run.at - timedelta(days=30))
            .returning(JobRun.id)
        ).all()
    run.done = len(ids)
