"""The second factor: codes of an authenticator, one for 30 seconds, and recovery codes."""

import pyotp
import sqlalchemy as sa

from portal.accounts import credentials, mails, queries
from portal.accounts.models import RecoveryCode, User
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused, WrongState
from portal.foundation.i18n import _l
from portal.foundation.sealing import keyed_hash, seal, unseal

STEP_SECONDS = 30
SECRETS = "accounts.totp"
CODES = "accounts.recovery_codes"


def start_enrolment(user: User) -> None:
    """Give the user a new secret, which counts once a code of it was proven.

    Refuses when the second factor is on already.
    """
    lock(user)
    if user.totp_confirmed_at is not None:
        raise WrongState(_l("Your second factor is on already."))
    user.totp_secret = seal(pyotp.random_base32(), purpose=SECRETS)
    user.totp_last_step = None


def secret_of(user: User) -> str | None:
    """Return the user's secret in base 32; None without one, or when SECRET_KEY has changed."""
    if user.totp_secret is None:
        return None
    try:
        return unseal(user.totp_secret, purpose=SECRETS)
    except ValueError:
        return None


def enrolment_address(user: User, issuer: str) -> str | None:
    """Return what an authenticator scans to enrol; None when no enrolment has begun."""
    secret = secret_of(user)
    if secret is None or user.totp_confirmed_at is not None:
        return None
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer)


def confirm_enrolment(actor: Actor, *, user: User, code: str) -> list[str]:
    """Turn the second factor on and return ten recovery codes, kept here only as hashes.

    Refuses a code that the authenticator does not show at this moment, and when it is on already.
    """
    lock(user)
    if user.totp_confirmed_at is not None:
        raise WrongState(_l("Your second factor is on already."))
    if not _use_totp(user, credentials.plain_code(code)):
        raise Refused(_l("This is not the code that it shows now."), field="code")
    user.totp_confirmed_at = clock.now()
    record(actor, "accounts.second_factor.turned_on", user)
    mails.notice(user, _l("The second factor of your account was turned on."))
    return _new_codes(user)


def renew_codes(actor: Actor, *, user: User) -> list[str]:
    """Return ten new recovery codes; the old ones are useless from now on.

    Refuses when the second factor is off.
    """
    lock(user)
    if user.totp_confirmed_at is None:
        raise WrongState(_l("Your second factor is off."))
    record(actor, "accounts.second_factor.codes_renewed", user)
    mails.notice(user, _l("New recovery codes of your account were made."))
    return _new_codes(user)


def turn_off(actor: Actor, *, user: User) -> None:
    """Take the second factor and its recovery codes away; does nothing when it is off."""
    lock(user)
    if user.totp_confirmed_at is None:
        return
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    record(actor, "accounts.second_factor.turned_off", user, email=user.email)
    mails.notice(user, _l("The second factor of your account was turned off."))


def use_code(actor: Actor, *, user: User, code: str) -> bool:
    """Return whether `code` is the authenticator's present one or an unused recovery code.

    Each works once: of two at the same moment, one succeeds.
    """
    if user.totp_confirmed_at is None:
        return False
    plain = credentials.plain_code(code)
    if len(plain) == 6 and plain.isdigit():
        return _use_totp(user, plain)
    if not _use_recovery_code(user, plain):
        return False
    left = queries.recovery_codes_left(user)
    record(actor, "accounts.second_factor.code_used", user, left=left)
    return True


def _use_totp(user: User, digits: str) -> bool:
    secret = secret_of(user)
    at = int(clock.now().timestamp())
    if secret is None or not pyotp.TOTP(secret).verify(digits, for_time=at, valid_window=0):
        return False
    step = at // STEP_SECONDS
    fresh = sa.or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    used = sa.update(User).where(User.id == user.id, fresh).values(totp_last_step=step)
    return db.session.scalar(used.returning(User.id)) is not None


def _hashed(user: User, plain: str) -> str:
    return keyed_hash(f"{user.id}:{plain}", purpose=CODES)


def _use_recovery_code(user: User, plain: str) -> bool:
    mine = sa.and_(
        RecoveryCode.user_id == user.id,
        RecoveryCode.code_hash == _hashed(user, plain),
        RecoveryCode.used_at.is_(None),
    )
    used = sa.update(RecoveryCode).where(mine).values(used_at=clock.now())
    return db.session.scalar(used.returning(RecoveryCode.id)) is not None


def _new_codes(user: User) -> list[str]:
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = credentials.new_recovery_codes()
    for code in codes:
        hashed = _hashed(user, credentials.plain_code(code))
        db.session.add(RecoveryCode(user_id=user.id, code_hash=hashed))
    return codes
