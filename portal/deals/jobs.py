"""What happens to deals by itself: protections end, partners are reminded before."""

from portal.deals import queries
from portal.deals.models import Deal
from portal.deals.operations import steps
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import WrongState
from portal.foundation.jobs.registry import Run, job


@job("deals.expire", every_minutes=15)
def expire_deals(run: Run) -> None:
    """End the protection of deals whose last day is over."""
    while True:
        ids = queries.expired_ids(run.at)
        done = run.done
        for deal_id in ids:
            try:
                with transaction():
                    steps.expire_deal(SYSTEM, db.session.get_one(Deal, deal_id))
            except WrongState:
                run.skipped += 1  # somebody withdrew it meanwhile
            else:
                run.done += 1
        if run.done == done:
            return


@job("deals.remind", at="06:00")
def remind_of_deals(run: Run) -> None:
    """Remind partners 30, 14 and 3 days before a protection ends, each once."""
    after = 0
    while ids := queries.ids_to_remind(run.at, after):
        for deal_id in ids:
            with transaction():
                told = steps.remind_of_deal(SYSTEM, db.session.get_one(Deal, deal_id))
            run.done += told
            run.skipped += not told
        after = ids[-1]
