"""Distributors of the named cast and their people."""

from typing import Any

from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import transaction
from portal.partners.models import Partner, PartnerKind, PartnerState
from portal.partners.operations import add_partner, suspend_partner
from tests.factories.accounts import CAST, actor_of, make_user


def partner(name: str, reference: str, **values: Any) -> Partner:
    """Add an active distributor."""
    given = {"kind": PartnerKind.DISTRIBUTOR, "country": "NO", "status": PartnerState.ACTIVE}
    with transaction():
        return add_partner(SYSTEM, name=name, reference=reference, **given | values)


def person(email: str, owner: Partner | None = None, **values: Any) -> Actor:
    """Add one of the cast, or somebody else with name and roles, and return them as an actor."""
    return actor_of(make_user(email, partner_id=owner.id if owner else None, **values))


def north() -> Actor:
    """Add North Systems and return its seller."""
    owner = partner("North Systems", "NORTH", email="office@north.example")
    return person("sales@north.example", owner)


def harbour() -> Actor:
    """Add the rival Harbour Trading and return its owner."""
    return person("owner@harbour.example", partner("Harbour Trading", "HARBOUR"))


def technician_of_north(seller: Actor) -> Actor:
    """Add a technician to the seller's own partner."""
    values = {"name": "Tor North", "roles": [Role.TECHNICIAN], "partner_id": seller.tenant_id}
    return actor_of(make_user("tor@north.example", **values))


def channel_manager() -> Actor:
    """Add the vendor's channel manager."""
    assert "channel@vendor.example" in CAST
    return person("channel@vendor.example")


def suspend(owner: Partner) -> None:
    """Suspend a partner."""
    with transaction():
        suspend_partner(SYSTEM, owner, reason="Unpaid.")
