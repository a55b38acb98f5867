"""Who may do what with points."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loyalty.clubs import policy as clubs
from loyalty.clubs.models import Member
from loyalty.points.models import Purchase, Redemption
from portal.foundation.actors import Actor


def may_move_points(actor: Actor) -> bool:
    """Return whether the actor may tell of purchases and redeem for members."""
    return clubs.may_run_clubs(actor)


def may_see_ledger(actor: Actor) -> bool:
    """Return whether the actor may see what the recomputation of the ledger found."""
    return clubs.may_run_clubs(actor)


def redemptions_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for redemptions: those of members that the actor may see."""
    return Redemption.member_id.in_(sa.select(Member.id).where(clubs.visible_to(actor)))


def purchases_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for purchases: those of members that the actor may see."""
    return Purchase.member_id.in_(sa.select(Member.id).where(clubs.visible_to(actor)))
