"""Reads of users, sessions and tokens."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.accounts import policy
from portal.accounts.models import (
    STAFF_ROLES,
    ApiToken,
    OneTimeToken,
    Purpose,
    RecoveryCode,
    Role,
    User,
    UserRole,
    UserSession,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import Model, db
from portal.foundation.errors import NotFound
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


def user_for(actor: Actor, user_id: int) -> User:
    """Return a user that the actor may see; refuses (NotFound) others."""
    mine = sa.select(User).where(User.id == user_id, policy.visible_to(actor))
    user = db.session.scalar(mine)
    if user is None:
        raise NotFound
    return user


def oneself(actor: Actor) -> User:
    """Return the user who acts; refuses (NotFound) nobody and Guildhall itself."""
    user = db.session.get(User, actor.user_id) if actor.user_id is not None else None
    if user is None:
        raise NotFound
    return user


def _partners() -> sa.Table:
    return Model.metadata.tables["partners"]


def partner_id_by_reference(reference: str) -> int | None:
    """Return the key of the partner with this reference."""
    partners = _partners()
    return db.session.scalar(sa.select(partners.c.id).where(partners.c.reference == reference))


def partner_of(user: User) -> tuple[str, str] | None:
    """Return reference and name of the partner whom the user works for."""
    if user.partner_id is None:
        return None
    partners = _partners()
    select = sa.select(partners.c.reference, partners.c.name)
    row = db.session.execute(select.where(partners.c.id == user.partner_id)).one()
    return row.reference, row.name


def _partner_columns() -> tuple[Any, Any]:
    partners = _partners()
    return partners.c.name.label("partner_name"), partners.c.status.label("partner_state")


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
    partners = _partners()
    row = db.session.execute(
        sa.select(User, *_partner_columns())
        .outerjoin(partners, partners.c.id == User.partner_id)
        .where(User.id == user_id, User.is_active.is_(True))
    ).first()
    return _actor(*row, **more) if row else None


def _is_live() -> sa.ColumnElement[bool]:
    return sa.and_(UserSession.ended_at.is_(None), UserSession.expires_at > clock.now())


def live_session(token: str) -> UserSession | None:
    """Return the session whose cookie holds `token`, unless it ended."""
    return db.session.scalar(
        sa.select(UserSession).where(UserSession.token_hash == token_hash(token), _is_live())
    )


def live_sessions(user: User) -> Sequence[UserSession]:
    """Return the user's sign-ins that have not ended, latest used first."""
    return db.session.scalars(
        sa.select(UserSession)
        .where(UserSession.user_id == user.id, _is_live())
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    ).all()


def session_of(actor: Actor, session_id: int) -> UserSession:
    """Return one of the actor's own sign-ins; refuses (NotFound) others' and ended ones."""
    mine = sa.select(UserSession).where(UserSession.user_id == actor.user_id, _is_live())
    session = db.session.scalar(mine.where(UserSession.id == session_id))
    if session is None:
        raise NotFound
    return session


def last_seen(user: User) -> datetime | None:
    """Return when the user was last here."""
    select = sa.select(sa.func.max(UserSession.last_seen_at))
    return db.session.scalar(select.where(UserSession.user_id == user.id))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in found by its cookie: its row, and who acts with it."""

    session: UserSession
    actor: Actor


def signed_in(token: str) -> SignedIn | None:
    """Return the live sign-in of a cookie, in one query and one for the roles.

    An administrator who views as another acts as that one. Staff who lack a demanded second
    factor must set it up first.
    """
    partners = _partners()
    row = db.session.execute(
        sa.select(UserSession, User, *_partner_columns())
        .join(User, User.id == UserSession.user_id)
        .outerjoin(partners, partners.c.id == User.partner_id)
        .where(UserSession.token_hash == token_hash(token), _is_live(), User.is_active.is_(True))
    ).first()
    if row is None:
        return None
    session, user, partner_name, partner_state = row
    must_enrol = lacks_second_factor(user)
    actor = _actor(user, partner_name, partner_state, session_id=token, must_enrol=must_enrol)
    if session.viewing_as_id is not None and not must_enrol and policy.is_administrator(actor):
        viewed = actor_of(session.viewing_as_id, session_id=token, viewed_by=actor)
        return SignedIn(session, viewed or actor)
    return SignedIn(session, actor)


def actor_for_session(token: str) -> Actor | None:
    """Return who is signed in with this cookie; a viewing administrator is the one viewed."""
    found = signed_in(token)
    return found.actor if found else None


def lacks_second_factor(user: User) -> bool:
    """Return whether the user is staff, must have a second factor, and has none."""
    is_staff = bool(user.role_names & STAFF_ROLE_NAMES)
    missing = user.totp_confirmed_at is None
    return is_staff and missing and bool(setting("accounts.staff_second_factor"))


def actor_for_token(token: str) -> Actor | None:
    """Return the user of an API token, unless it ended or was revoked.

    A token of staff who lack a demanded second factor opens nothing until they have set it up:
    otherwise a password alone would lead to everything.
    """
    partners = _partners()
    row = db.session.execute(
        sa.select(User, *_partner_columns())
        .join(ApiToken, ApiToken.user_id == User.id)
        .outerjoin(partners, partners.c.id == User.partner_id)
        .where(
            ApiToken.token_hash == token_hash(token),
            ApiToken.revoked_at.is_(None),
            sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now()),
            User.is_active.is_(True),
        )
    ).first()
    if row is None or lacks_second_factor(row[0]):
        return None
    return _actor(*row)


def api_tokens(user: User) -> Sequence[ApiToken]:
    """Return the user's tokens that are not revoked, newest first; ended ones among them."""
    mine = sa.select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return db.session.scalars(mine.order_by(ApiToken.id.desc())).all()


def api_token_of(actor: Actor, token_id: int) -> ApiToken:
    """Return one of the actor's own tokens; refuses (NotFound) others' and revoked ones."""
    mine = sa.select(ApiToken).where(
        ApiToken.user_id == actor.user_id, ApiToken.revoked_at.is_(None)
    )
    token = db.session.scalar(mine.where(ApiToken.id == token_id))
    if token is None:
        raise NotFound
    return token


def open_link(token: str, *purposes: Purpose) -> tuple[OneTimeToken, User] | None:
    """Return an unused link in its time and its active user; looking does not use it up."""
    row = db.session.execute(
        sa.select(OneTimeToken, User)
        .join(User, User.id == OneTimeToken.user_id)
        .where(
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.purpose.in_(purposes),
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > clock.now(),
            User.is_active.is_(True),
        )
    ).first()
    return (row[0], row[1]) if row else None


def links_since(user: User, instant: datetime) -> int:
    """Return how many links to set a password were made for the user since an instant."""
    count = sa.select(sa.func.count()).select_from(OneTimeToken)
    found = db.session.scalar(
        count.where(
            OneTimeToken.user_id == user.id,
            OneTimeToken.purpose.in_([Purpose.RESET, Purpose.INVITATION]),
            OneTimeToken.created_at > instant,
        )
    )
    return found or 0


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes the user has not used."""
    count = sa.select(sa.func.count()).select_from(RecoveryCode)
    unused = count.where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


def wants_mail(user: User, kind: str) -> bool:
    """Return whether the user takes mail of this kind of notice; yes unless the user said no."""
    return bool(user.notifications.get(kind, True))


def user_ids_with_role(role: Role) -> list[int]:
    """Return the active users who have `role`."""
    select = sa.select(User.id).join(UserRole).where(UserRole.role == role, User.is_active)
    return list(db.session.scalars(select.order_by(User.id)))


def other_administrators(user: User) -> int:
    """Return how many active administrators there are beside the user."""
    select = sa.select(sa.func.count(User.id)).join(UserRole)
    administrators = select.where(UserRole.role == Role.ADMINISTRATOR, User.is_active)
    return db.session.scalar(administrators.where(User.id != user.id)) or 0


def users_found(actor: Actor, text: str, *, most: int = 10) -> Sequence[User]:
    """Return users whose address starts with `text`, whatever its case."""
    start = email_key(text)
    starts = sa.and_(User.email_key >= start, User.email_key < start + "\U0010ffff")
    select = sa.select(User).where(starts, policy.visible_to(actor))
    return db.session.scalars(select.order_by(User.email_key).limit(most)).all()
