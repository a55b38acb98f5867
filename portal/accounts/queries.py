"""Reads of users, sessions and tokens."""

import hashlib
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import STAFF_ROLES, ApiToken, Role, User, UserRole, UserSession
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import Model, db
from portal.foundation.settings import setting

STAFF_ROLE_NAMES = frozenset(role.value for role in STAFF_ROLES)
ACTIVE_PARTNER_STATES = ("onboarding", "active", "on_notice")


def token_hash(token: str) -> str:
    """Return what is stored of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


def email_key(email: str) -> str:
    """Return the form of an address that signing in compares."""
    return email.strip().lower()


def user_by_email(email: str) -> User | None:
    """Return the user with this address, whatever its case."""
    return db.session.scalar(sa.select(User).where(User.email_key == email_key(email)))


def _with_partner() -> sa.Select[Any]:
    partners = Model.metadata.tables["partners"]
    columns = (User, partners.c.name.label("partner_name"), partners.c.status.label("partner_state"))
    return sa.select(*columns).outerjoin(partners, partners.c.id == User.partner_id)


def _actor(user: User, partner_name: str | None, partner_state: Any, **more: Any) -> Actor:
    state = getattr(partner_state, "value", partner_state)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        roles=user.role_names,
        tenant_id=user.partner_id,
        tenant_name=partner_name,
        tenant_is_active=user.partner_id is None or state in ACTIVE_PARTNER_STATES,
        language=user.language,
        zone=user.zone,
        staff_roles=STAFF_ROLE_NAMES,
        **more,
    )


def actor_of(user_id: int, **more: Any) -> Actor | None:
    """Return the active user as an actor, in one query and one for the roles."""
    row = db.session.execute(
        _with_partner().where(User.id == user_id, User.is_active.is_(True))
    ).first()
    return _actor(*row, **more) if row else None


def live_session(token: str) -> UserSession | None:
    """Return the session whose cookie holds `token`, unless it ended."""
    return db.session.scalar(
        sa.select(UserSession).where(
            UserSession.token_hash == token_hash(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > clock.now(),
        )
    )


def actor_for_session(token: str) -> Actor | None:
    """Return who is signed in with this cookie; an administrator who views as another is that one."""
    session = live_session(token)
    if session is None:
        return None
    actor = actor_of(session.user_id, session_id=token)
    if actor is None:
        return None
    if session.viewing_as_id is not None:
        return actor_of(session.viewing_as_id, session_id=token, viewed_by=actor)
    if actor.is_staff and setting("accounts.staff_second_factor"):
        user = db.session.get_one(User, session.user_id)
        if user.totp_confirmed_at is None:
            return actor_of(session.user_id, session_id=token, must_enrol=True)
    return actor


def actor_for_token(token: str) -> Actor | None:
    """Return the user of an API token, unless it ended or was revoked."""
    row = db.session.scalar(
        sa.select(ApiToken).where(ApiToken.token_hash == token_hash(token))
    )
    if row is None or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= clock.now():
        return None
    return actor_of(row.user_id)


def user_ids_with_role(role: Role) -> list[int]:
    """Return the active users who have `role`."""
    select = sa.select(User.id).join(UserRole).where(UserRole.role == role, User.is_active)
    return list(db.session.scalars(select.order_by(User.id)))
