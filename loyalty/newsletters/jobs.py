"""Putting copies of newsletters into the outbox."""

import sqlalchemy as sa
import structlog

from loyalty.newsletters import operations
from loyalty.newsletters.models import Newsletter, NewsletterState
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.jobs.registry import Run, job

BATCHES_A_TURN = 20
log = structlog.get_logger()


@job("newsletters.send", continuous=True)
def send_newsletters(run: Run) -> None:
    """Put the next copies of each newsletter that is being sent into the outbox."""
    sending = sa.select(Newsletter.id).where(Newsletter.state == NewsletterState.SENDING)
    for newsletter_id in db.session.scalars(sending.order_by(Newsletter.id)).all():
        try:
            _send_some(run, newsletter_id)
        except Exception as problem:  # noqa: BLE001 - one that cannot be written stops no other
            log.error("newsletters.not_written", newsletter=newsletter_id, error=repr(problem))
            run.fail(f"newsletter {newsletter_id}", repr(problem))


def _send_some(run: Run, newsletter_id: int) -> None:
    for _turn in range(BATCHES_A_TURN):
        with transaction():
            count = operations.mail_next_copies(SYSTEM, newsletter_id=newsletter_id)
        if not count:
            return
        run.done += count
