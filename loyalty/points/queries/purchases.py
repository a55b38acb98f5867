"""Purchases and redemptions that a reader may see."""

from typing import Any

import sqlalchemy as sa

from loyalty.clubs.models import Club, Member
from loyalty.points import policy
from loyalty.points.models import Purchase, PurchaseLine, Redemption
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.errors import NotFound


def purchase_select(actor: Actor, club: Club) -> sa.Select[Any]:
    """Return the club's purchases that the actor may see."""
    return sa.select(Purchase).where(
        Purchase.club_id == club.id, policy.purchases_visible_to(actor)
    )


def purchase_for(actor: Actor, club: Club, purchase_id: str) -> Purchase:
    """Return a purchase by the shop's key; refuses (NotFound) one not to be seen."""
    select = purchase_select(actor, club).where(Purchase.purchase_id == purchase_id)
    found: Purchase | None = db.session.scalar(select)
    if found is None:
        raise NotFound
    return found


def lines_of(purchase: Purchase) -> list[PurchaseLine]:
    """Return a purchase's lines in the order they were told."""
    select = sa.select(PurchaseLine).where(PurchaseLine.purchase_id == purchase.id)
    return list(db.session.scalars(select.order_by(PurchaseLine.id)))


def purchases_of(member: Member, limit: int) -> list[Purchase]:
    """Return a member's latest purchases."""
    select = sa.select(Purchase).where(Purchase.member_id == member.id)
    order = (Purchase.happened_at.desc(), Purchase.id.desc())
    return list(db.session.scalars(select.order_by(*order).limit(limit)))


def redemption_select(actor: Actor) -> sa.Select[Any]:
    """Return the redemptions that the actor may see."""
    return sa.select(Redemption).where(policy.redemptions_visible_to(actor))


def redemption_for(actor: Actor, redemption_id: int) -> Redemption:
    """Return a redemption; refuses (NotFound) one that is not the actor's to see."""
    found: Redemption | None = db.session.scalar(
        redemption_select(actor).where(Redemption.id == redemption_id)
    )
    if found is None:
        raise NotFound
    return found
