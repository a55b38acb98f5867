"""Work of accounts that no page waits for."""

from datetime import timedelta

import sqlalchemy as sa

from portal.accounts import operations, queries, throttle
from portal.accounts.models import OneTimeToken, UserSession
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.foundation.jobs.registry import Run, job

KEPT = timedelta(days=90)


@job("accounts.send_link")
def send_link(run: Run) -> None:
    """Mail a link to set a password to an address that asked for it, if somebody has it."""
    with transaction():
        user = queries.user_by_email(str(run.args.get("email", "")))
        if user is not None and operations.send_link(SYSTEM, user=user):
            run.done = 1
        else:
            run.skipped = 1


@job("accounts.clean", at="03:50")
def clean(run: Run) -> None:
    """Forget sign-ins and links that ended 90 days ago, and failures of yesterday."""
    before = run.at - KEPT
    sessions = sa.delete(UserSession).where(
        sa.or_(UserSession.ended_at < before, UserSession.expires_at < before)
    )
    links = sa.delete(OneTimeToken).where(OneTimeToken.expires_at < before)
    with transaction() as session:
        run.done += len(session.scalars(sessions.returning(UserSession.id)).all())
        run.done += len(session.scalars(links.returning(OneTimeToken.id)).all())
        run.done += throttle.forget_failures(run.at - throttle.FORGOTTEN_AFTER)
