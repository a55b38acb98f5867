"""Secrets that work once: made, stored as hashes, used up, made useless."""

import secrets
from datetime import timedelta

import sqlalchemy as sa

from portal.accounts import queries
from portal.accounts.models import OneTimeToken, Purpose, User
from portal.foundation import clock
from portal.foundation.database import db
from portal.foundation.jobs.scheduler import enqueue

LINK_LIFE = timedelta(minutes=60)
STEP_LIFE = timedelta(minutes=10)


def make(user: User, purpose: Purpose, *, email: str | None = None) -> str:
    """Return a new secret of 256 random bits: an hour for what is mailed, ten minutes for a step.

    email: the new address, where the secret confirms one.
    """
    token, now = secrets.token_urlsafe(32), clock.now()
    life = STEP_LIFE if purpose is Purpose.SIGN_IN else LINK_LIFE
    db.session.add(
        OneTimeToken(
            user_id=user.id,
            purpose=purpose,
            token_hash=queries.token_hash(token),
            created_at=now,
            expires_at=now + life,
            email=email,
        )
    )
    return token


def use(link: OneTimeToken) -> bool:
    """Use a link up; return False when another request was faster, or its time is over."""
    now = clock.now()
    unused = sa.and_(
        OneTimeToken.id == link.id, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now
    )
    used = sa.update(OneTimeToken).where(unused).values(used_at=now).returning(OneTimeToken.id)
    return db.session.scalar(used) is not None


def void(user: User) -> None:
    """Make every unused link of a user useless."""
    unused = sa.update(OneTimeToken).where(
        OneTimeToken.user_id == user.id, OneTimeToken.used_at.is_(None)
    )
    db.session.execute(unused.values(used_at=clock.now()))


def ask(email: str) -> None:
    """Have a link to set a password mailed to an address, if somebody has it.

    A job looks it up, so that asking does the same and takes as long for an unknown address.
    """
    enqueue("accounts.send_link", key=secrets.token_urlsafe(18), email=queries.email_key(email))
