"""Changes of users, their sign-ins, links and tokens."""

import secrets
from datetime import timedelta

import sqlalchemy as sa

from portal.accounts import credentials, links, mails, queries
from portal.accounts.models import (
    PARTNER_ROLES,
    STAFF_ROLES,
    ApiToken,
    OneTimeToken,
    Purpose,
    Role,
    User,
    UserRole,
    UserSession,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import changed, record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused, WrongState
from portal.foundation.i18n import _l
from portal.foundation.mail.writing import checked_address
from portal.foundation.origin import origin
from portal.foundation.settings import setting

MOST_LINKS_AN_HOUR = 5


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

    Refuses an address that is taken or none, and a password that is too easy.
    """
    checked_address(email)
    if password is not None:
        credentials.check_password(password, email=email)
    if queries.user_by_email(email) is not None:
        raise _taken()
    user = User(
        email=email.strip(),
        email_key=queries.email_key(email),
        name=name.strip(),
        password_hash=credentials.hash_password(password) if password is not None else None,
        partner_id=partner_id,
        language=language,
        zone=zone,
        is_active=True,
        created_at=clock.now(),
        notifications={},
        version=1,
    )
    user.roles = [UserRole(role=role) for role in roles]
    db.session.add(user)
    try:
        db.session.flush()  # of two with one address at once, the second learns it here
    except sa.exc.IntegrityError:
        raise _taken() from None
    record(actor, "accounts.user.created", user, email=user.email, roles=[r.value for r in roles])
    return user


def _taken() -> Refused:
    return Refused(_l("There is a user with this address already."), field="email")


def check_roles(roles: list[Role], partner_id: int | None) -> None:
    """Refuse no role at all, staff who work for a partner, and partner roles without a partner."""
    given = set(roles)
    if not given:
        raise Refused(_l("Choose at least one role."), field="roles")
    if given & STAFF_ROLES and (given & PARTNER_ROLES or partner_id is not None):
        raise Refused(_l("Staff of the vendor cannot work for a partner too."), field="roles")
    if given & PARTNER_ROLES and partner_id is None:
        raise Refused(_l("This role needs a partner."), field="partner")
    if partner_id is not None and not given & PARTNER_ROLES:
        raise Refused(_l("Choose what the user is at this partner."), field="roles")


def invite_user(
    actor: Actor,
    *,
    email: str,
    name: str,
    roles: list[Role],
    partner_id: int | None = None,
    language: str | None = None,
) -> User:
    """Add a user and mail the link by which a password is chosen.

    Refuses an address that is taken, and roles that do not go together.
    """
    check_roles(roles, partner_id)
    user = create_user(
        actor, email=email, name=name, roles=roles, partner_id=partner_id, language=language
    )
    send_link(actor, user=user)
    return user


def change_user(
    actor: Actor, *, user: User, name: str, roles: list[Role], partner_id: int | None
) -> None:
    """Set a user's name, roles and partner.

    Refuses roles that do not go together, and taking away the last active administrator.
    """
    lock(user)
    check_roles(roles, partner_id)
    before = sorted(user.role_names)
    _keep_an_administrator(user, stays=Role.ADMINISTRATOR in roles)
    changes = changed(user, name=name.strip(), partner_id=partner_id)
    after = sorted(role.value for role in set(roles))
    if before != after:
        kept = [row for row in user.roles if row.role in roles]
        new = [role for role in roles if role.value not in before]
        user.roles = [*kept, *(UserRole(role=role) for role in dict.fromkeys(new))]
        changes["roles"] = (", ".join(before), ", ".join(after))
    if changes:
        user.version += 1
        record(actor, "accounts.user.changed", user, email=user.email, **changes)


def _keep_an_administrator(user: User, *, stays: bool) -> None:
    if stays or Role.ADMINISTRATOR.value not in user.role_names or not user.is_active:
        return
    if queries.other_administrators(user) == 0:
        raise Refused(_l("Somebody must stay administrator."), field="roles")


def deactivate_user(actor: Actor, *, user: User) -> None:
    """Shut a user out: sign-ins end, tokens are revoked, links become useless.

    Refuses when the user is inactive already, and the last active administrator.
    """
    lock(user)
    if not user.is_active:
        raise WrongState(_l("This user is deactivated already."))
    _keep_an_administrator(user, stays=False)
    user.is_active = False
    user.version += 1
    end_sessions(actor, user=user)
    links.void(user)
    tokens = sa.update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    db.session.execute(tokens.values(revoked_at=clock.now()))
    record(actor, "accounts.user.deactivated", user, email=user.email)


def reactivate_user(actor: Actor, *, user: User) -> None:
    """Let a user in again, with the old password; refuses when the user is active."""
    lock(user)
    if user.is_active:
        raise WrongState(_l("This user is active."))
    user.is_active = True
    user.version += 1
    record(actor, "accounts.user.reactivated", user, email=user.email)


def change_profile(
    actor: Actor,
    *,
    user: User,
    name: str,
    language: str | None,
    zone: str,
    notifications: dict[str, bool] | None = None,
) -> None:
    """Set a user's own name, language, zone and choice of notices; None leaves the choice."""
    lock(user)
    wanted = dict(user.notifications) | (notifications or {})
    changes = changed(user, name=name.strip(), language=language, zone=zone, notifications=wanted)
    if changes:
        record(actor, "accounts.profile.changed", user, **changes)


def choose_language(actor: Actor, *, user: User, language: str) -> None:
    """Set the language alone."""
    lock(user)
    changes = changed(user, language=language)
    if changes:
        record(actor, "accounts.profile.changed", user, **changes)


def send_link(actor: Actor, *, user: User) -> bool:
    """Mail a link to set a password; return False after five in an hour, and for inactive users."""
    if not user.is_active:
        return False
    if queries.links_since(user, clock.now() - timedelta(hours=1)) >= MOST_LINKS_AN_HOUR:
        return False
    is_new = user.password_hash is None
    token = links.make(user, Purpose.INVITATION if is_new else Purpose.RESET)
    (mails.invitation if is_new else mails.reset)(user, token)
    name = "accounts.user.invited" if is_new else "accounts.password.link_sent"
    record(actor, name, user, email=user.email)
    return True


def set_password(actor: Actor, *, user: User, password: str) -> None:
    """Set a user's password: every sign-in ends, every link becomes useless, the user is told.

    Refuses a password that is too easy.
    """
    credentials.check_password(password, email=user.email)
    lock(user)
    is_first = user.password_hash is None
    user.password_hash = credentials.hash_password(password)
    end_sessions(actor, user=user)
    links.void(user)
    record(actor, "accounts.password.set", user)
    if not is_first:
        mails.notice(user, _l("The password of your account was changed."))


def ask_email(actor: Actor, *, user: User, email: str) -> None:
    """Mail a link that confirms a new address, to that address; the old one is told.

    Whether the address is free is asked when the link is used: only its reader may learn that.
    Refuses what is no address, and more than five tries in an hour.
    """
    checked_address(email)
    since = OneTimeToken.created_at > clock.now() - timedelta(hours=1)
    asked = sa.select(sa.func.count()).where(
        OneTimeToken.user_id == user.id, OneTimeToken.purpose == Purpose.EMAIL, since
    )
    if (db.session.scalar(asked) or 0) >= MOST_LINKS_AN_HOUR:
        raise Refused(_l("That was often. Wait an hour, then try again."), field="email")
    token = links.make(user, Purpose.EMAIL, email=email.strip())
    mails.email_change(user, email.strip(), token)
    mails.notice(user, _l("A change of the address of your account was asked for."))
    record(actor, "accounts.email.asked", user, email=email.strip())


def change_email(actor: Actor, *, user: User, email: str) -> None:
    """Set a user's address; the old one is told, links mailed to it become useless.

    Refuses an address that is taken.
    """
    lock(user)
    taken = queries.user_by_email(email)
    if taken is not None and taken.id != user.id:
        raise _taken()
    before = user.email
    changes = changed(user, email=email, email_key=queries.email_key(email))
    links.void(user)
    try:
        db.session.flush()  # of two who take one address at once, the second learns it here
    except sa.exc.IntegrityError:
        raise _taken() from None
    record(actor, "accounts.email.changed", user, email=changes.get("email", email))
    mails.notice(user, _l("The address of your account was changed."), address=before)


def open_session(actor: Actor, *, user: User, device: str = "") -> str:
    """Begin a sign-in and return the secret for its cookie, of 256 random bits."""
    token, now = secrets.token_urlsafe(32), clock.now()
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
    record(queries.actor_of(user.id) or actor, "accounts.user.signed_in", user)
    return token


def end_session(actor: Actor, *, session: UserSession) -> None:
    """End a sign-in on the server."""
    session.ended_at = clock.now()
    record(actor, "accounts.user.signed_out", db.session.get_one(User, session.user_id))


def end_sessions(actor: Actor, *, user: User, keep: UserSession | None = None) -> int:
    """End every sign-in of a user but the one to keep; return how many ended."""
    live = sa.update(UserSession).where(
        UserSession.user_id == user.id, UserSession.ended_at.is_(None)
    )
    if keep is not None:
        live = live.where(UserSession.id != keep.id)
    ended = db.session.scalars(live.values(ended_at=clock.now()).returning(UserSession.id)).all()
    if ended:
        name = "accounts.user.sessions_ended"
        record(actor, name, user, email=user.email, count=len(ended))
    return len(ended)


def end_other_sessions(actor: Actor, *, user: User, session: UserSession) -> str:
    """End every sign-in but this one, and return its new secret; the old cookie opens nothing."""
    end_sessions(actor, user=user, keep=session)
    token = secrets.token_urlsafe(32)
    session.token_hash, session.confirmed_at = queries.token_hash(token), clock.now()
    return token


def start_viewing(actor: Actor, *, session: UserSession, user: User) -> None:
    """Let an administrator see what a user sees, reading only, until it is stopped."""
    session.viewing_as_id = user.id
    record(actor, "accounts.viewing.started", user, email=user.email)


def stop_viewing(actor: Actor, *, session: UserSession) -> None:
    """End looking as another user; does nothing when nobody does."""
    if session.viewing_as_id is None:
        return
    user = db.session.get_one(User, session.viewing_as_id)
    session.viewing_as_id = None
    record(actor, "accounts.viewing.stopped", user, email=user.email)


def create_token(
    actor: Actor, *, user: User, name: str, expires_in: timedelta | None = None
) -> str:
    """Make an API token of `user` and return it; only its hash is stored."""
    token, now = "gh_" + secrets.token_urlsafe(32), clock.now()
    expires_at = now + expires_in if expires_in else None
    row = ApiToken(user_id=user.id, name=name, created_at=now, expires_at=expires_at)
    row.token_hash = queries.token_hash(token)
    db.session.add(row)
    record(actor, "accounts.token.created", user, token_name=name)
    return token


def revoke_token(actor: Actor, *, token: ApiToken) -> None:
    """Let an API token open nothing any more."""
    token.revoked_at = clock.now()
    user = db.session.get_one(User, token.user_id)
    record(actor, "accounts.token.revoked", user, token_name=token.name)
