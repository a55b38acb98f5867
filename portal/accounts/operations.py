"""Changes of users, sessions and tokens."""

import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts import queries
from portal.accounts.models import ApiToken, Role, User, UserRole, UserSession
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.origin import origin
from portal.foundation.settings import setting

# OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
DUMMY_HASH = HASHER.hash(secrets.token_urlsafe())


def create_user(
    actor: Actor,
    *,
    email: str,
    name: str,
    roles: list[Role],
    password: str | None = None,
    partner_id: int | None = None,
    language: str | None = None,
    zone: str = "UTC",
) -> User:
    """Add a user, active at once; without a password one must be set by a mailed link.

    Refuses an address that is taken.
    """
    if queries.user_by_email(email) is not None:
        raise Refused(_l("There is a user with this address already."), field="email")
    user = User(
        email=email.strip(),
        email_key=queries.email_key(email),
        name=name.strip(),
        password_hash=HASHER.hash(password) if password else None,
        partner_id=partner_id,
        language=language,
        zone=zone,
        is_active=True,
        created_at=clock.now(),
        notifications={},
    )
    user.roles = [UserRole(role=role) for role in roles]
    db.session.add(user)
    record(actor, "accounts.user.created", user, email=user.email, roles=[r.value for r in roles])
    return user


def password_fits(user: User | None, password: str) -> bool:
    """Return whether `password` is the user's; takes the same time for an unknown user."""
    stored = user.password_hash if user is not None and user.password_hash else DUMMY_HASH
    try:
        HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and stored is not DUMMY_HASH


def open_session(user: User, *, device: str = "") -> str:
    """Begin a sign-in and return the secret for its cookie, of 256 random bits."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    db.session.add(
        UserSession(
            user_id=user.id,
            token_hash=queries.token_hash(token),
            created_at=now,
            last_seen_at=now,
            confirmed_at=now,
            expires_at=now + timedelta(days=setting("accounts.session_days")),
            address=origin().address,
            device=device[:200],
        )
    )
    actor = queries.actor_of(user.id)
    record(actor or Actor(name=user.name), "accounts.user.signed_in", user)
    return token


def end_session(actor: Actor, session: UserSession) -> None:
    """End a sign-in on the server."""
    session.ended_at = clock.now()
    record(actor, "accounts.user.signed_out", db.session.get_one(User, session.user_id))


def create_token(
    actor: Actor, *, user: User, name: str, expires_in: timedelta | None = None
) -> str:
    """Make an API token of `user` and return it; only its hash is stored."""
    token = "gh_" + secrets.token_urlsafe(32)
    now = clock.now()
    expires_at = now + expires_in if expires_in else None
    row = ApiToken(user_id=user.id, name=name, created_at=now, expires_at=expires_at)
    row.token_hash = queries.token_hash(token)
    db.session.add(row)
    record(actor, "accounts.token.created", user, token_name=name)
    return token
