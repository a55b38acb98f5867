"""Purchases and redemptions, made by the operations themselves."""

import itertools
from datetime import datetime
from typing import Any

from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Line
from loyalty.points.models import LedgerAudit, Purchase, Redemption
from loyalty.points.operations.auditing import audit_ledger
from loyalty.points.operations.purchases import record_purchase
from loyalty.points.operations.redeeming import redeem
from loyalty.points.queries import balances
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.money import parse_amount, to_scaled

_numbers = itertools.count(1)


def line(amount: str, key: str = "1", **values: Any) -> Line:
    """Return a line of a purchase; amount as written, such as "12.50"."""
    return Line(key, to_scaled(parse_amount(amount)), 10_000, **values)


def make_purchase(
    member: Member,
    amount: str = "100",
    *,
    purchase_id: str | None = None,
    happened_at: datetime | None = None,
) -> Purchase:
    """Let a member buy one thing for `amount` of the club's currency."""
    club = db.session.get_one(Club, member.club_id)
    with transaction():
        return record_purchase(
            SYSTEM,
            club=club,
            member=member,
            purchase_id=purchase_id or f"P-{next(_numbers)}",
            currency=club.currency,
            lines=[line(amount)],
            happened_at=happened_at,
        )


def make_redemption(member: Member, points: int, **values: Any) -> Redemption:
    """Let a member spend points."""
    club = db.session.get_one(Club, member.club_id)
    with transaction():
        return redeem(SYSTEM, member=member, club=club, points=points, **values)


def balance_of(member: Member, as_of: datetime | None = None) -> balances.Balance:
    """Return a member's balance as the database has it now."""
    db.session.expire_all()
    return balances.balance(member, db.session.get_one(Club, member.club_id), as_of)


def audited() -> LedgerAudit:
    """Recompute the ledger and return what was found."""
    with transaction():
        return audit_ledger(SYSTEM)
