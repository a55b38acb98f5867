"""The named cast, made by the operation that makes every user."""

from dataclasses import dataclass
from typing import Any

import pyotp

from portal.accounts import operations, queries, second_factor
from portal.accounts.models import Role, User
from portal.foundation import clock
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import transaction
from tests.pages import PASSWORD


@dataclass(frozen=True)
class Person:
    """Who somebody is: name and role."""

    name: str
    role: Role


CAST = {
    "admin@vendor.example": Person("Ada Halden", Role.ADMINISTRATOR),
    "channel@vendor.example": Person("Ingrid Moen", Role.CHANNEL_MANAGER),
    "service@vendor.example": Person("Per Lund", Role.SERVICE_MANAGER),
    "marketing@vendor.example": Person("Li Na", Role.MARKETING),
    "owner@north.example": Person("Nora North", Role.PARTNER_ADMIN),
    "sales@north.example": Person("Sven North", Role.PARTNER_SALES),
    "owner@harbour.example": Person("Hanna Harbour", Role.PARTNER_ADMIN),
    "bench@fixit.example": Person("Felix Fixit", Role.TECHNICIAN),
    "bench@pacific.example": Person("Pia Pacific", Role.TECHNICIAN),
    "lin@club.example": Person("林晓雯", Role.MEMBER),
    "marta@club.example": Person("Marta Lind", Role.MEMBER),
}


def make_user(email: str = "admin@vendor.example", **values: Any) -> User:
    """Make one of the cast, or somebody else when name and roles are given."""
    person = CAST.get(email)
    given: dict[str, Any] = {"password": PASSWORD}
    if person is not None:
        given |= {"name": person.name, "roles": [person.role]}
    with transaction():
        return operations.create_user(SYSTEM, email=email, **given | values)


def actor_of(user: User) -> Actor:
    """Return a user as the actor of a signed-in request."""
    actor = queries.actor_of(user.id)
    assert actor is not None
    return actor


def make_token(user: User, name: str = "tests") -> str:
    """Make an API token of a user."""
    with transaction():
        return operations.create_token(SYSTEM, user=user, name=name)


def code_now(secret: str) -> str:
    """Return what an authenticator with this secret shows at the product's present instant."""
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()))


def enrol(user: User) -> tuple[str, list[str]]:
    """Turn a user's second factor on; return its secret and the recovery codes."""
    with transaction():
        second_factor.start_enrolment(user)
        secret = second_factor.secret_of(user)
        assert secret is not None
        code = code_now(secret)
        codes = second_factor.confirm_enrolment(actor_of(user), user=user, code=code)
    return secret, codes
