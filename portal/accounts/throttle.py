"""Guessing is slow: failures with one address are counted, and the wait after ten of them grows.

Counts are kept by the address as typed, whether there is such a user or not, and committed apart
from the request's transaction, so that a refusal does not roll them back.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from portal.accounts import credentials, queries
from portal.accounts.errors import NotRecognised, TooManyTries
from portal.accounts.models import SignInBackOff, User
from portal.foundation import clock
from portal.foundation.actors import ANONYMOUS
from portal.foundation.audit import record
from portal.foundation.database import Instant, aside, db, is_postgresql, transaction

log = structlog.get_logger()
FREE_FAILURES = 10
WAITS = [timedelta(seconds=30 * 2**step) for step in range(6)]  # 30 s to 16 minutes
FORGOTTEN_AFTER = timedelta(days=1)


def blocked_until(email: str) -> datetime | None:
    """Return until when nobody may try this address; None when it may be tried now."""
    select = sa.select(SignInBackOff.blocked_until)
    with db.engine.connect() as connection:  # beside the session, which may see an older state
        until = connection.scalar(select.where(SignInBackOff.email_key == queries.email_key(email)))
    return until if until is not None and until > clock.now() else None


def refuse_while_blocked(email: str) -> None:
    """Refuse (TooManyTries) an address that must wait."""
    until = blocked_until(email)
    if until is not None:
        raise TooManyTries(until - clock.now())


def count_failure(email: str) -> int:
    """Count a failed try and return how many there are in a row; no two at once are lost."""
    key, now = queries.email_key(email)[:254], clock.now()
    table = SignInBackOff
    count = sa.case((table.last_at < now - FORGOTTEN_AFTER, 1), else_=table.failures + 1)
    wait = sa.case(
        (count < FREE_FAILURES, sa.null()),
        *(
            (count == FREE_FAILURES + step, sa.literal(now + length, Instant()))
            for step, length in enumerate(WAITS)
        ),
        else_=sa.literal(now + WAITS[-1], Instant()),
    )
    insert = (postgresql if is_postgresql() else sqlite).insert(table)
    statement = (
        insert.values(email_key=key, failures=1, last_at=now)
        .on_conflict_do_update(
            index_elements=["email_key"],
            set_={"failures": count, "last_at": now, "blocked_until": wait},
        )
        .returning(table.failures)
    )
    with aside() as connection:
        return int(connection.execute(statement).scalar_one())


def note_failure(email: str) -> None:
    """Count a failed try; refuses (TooManyTries) when it was beyond the free ones.

    The last free one is written to the audit, with the address as typed.
    """
    failures = count_failure(email)
    log.info("sign_in.failed", failures=failures)
    if failures == FREE_FAILURES:
        with transaction():
            address = queries.email_key(email)[:254]
            record(ANONYMOUS, "accounts.user.blocked", email=address, count=failures)
    if failures > FREE_FAILURES:
        raise TooManyTries(WAITS[min(failures - FREE_FAILURES, len(WAITS) - 1)])


def rehash(user: User, password: str) -> None:
    """Hash a password that was just proven anew, where the parameters have changed since."""
    if user.password_hash and credentials.needs_rehash(user.password_hash):
        user.password_hash = credentials.hash_password(password)


def forgive(email: str) -> None:
    """Forget the failures of an address, within the transaction of a success.

    Refuses (TooManyTries) when others were counted meanwhile and the address must wait: of many
    guesses at once not even the right one gets in once the free ones are used up.
    """
    key = queries.email_key(email)
    row = db.session.scalar(
        sa.select(SignInBackOff)
        .where(SignInBackOff.email_key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return
    if row.blocked_until is not None and row.blocked_until > clock.now():
        raise TooManyTries(row.blocked_until - clock.now())
    db.session.delete(row)


def recognised(email: str, password: str) -> User:
    """Return the active user whom address and password name, outside any transaction.

    Refuses (NotRecognised) anything else in the same words and time, whether there is such a user
    or not, and (TooManyTries) an address that must wait. Failures stay counted until `forgive`.
    """
    refuse_while_blocked(email)
    user = queries.user_by_email(email)
    fits = credentials.password_fits(user.password_hash if user else None, password)
    if user is None or not fits or not user.is_active:
        note_failure(email)
        raise NotRecognised
    return user


def forget_failures(before: datetime) -> int:
    """Delete counts whose last failure was before an instant; return how many."""
    old = sa.delete(SignInBackOff).where(SignInBackOff.last_at < before)
    return len(db.session.scalars(old.returning(SignInBackOff.id)).all())
