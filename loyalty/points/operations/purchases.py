"""Purchases: told once by the till or many at once by a file, with the same arithmetic."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Award, Discount, Line, award, paid_amounts, purchase_shares
from loyalty.points.models import AccountKind, Purchase, PurchaseLine
from loyalty.points.operations.earning import award_posting, past, post_award
from loyalty.points.operations.ledger import (
    lock_members,
    member_code,
    open_accounts,
    source_code,
    transfer_points,
)
from loyalty.points.queries import balances
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, is_postgresql
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.money import from_scaled

PURCHASES = cast(sa.Table, Purchase.__table__)
LINES = cast(sa.Table, PurchaseLine.__table__)


@dataclass(frozen=True, slots=True)
class Told:
    """A purchase as it was told. tenders, discounts: as they are kept."""

    purchase_id: str
    member_id: int
    happened_at: datetime
    currency: str
    lines: Sequence[Line]
    discounts: Sequence[Discount] = ()
    tenders: Sequence[tuple[str, int]] = ()

    def fingerprint(self) -> str:
        """Return what is the same only for the same member, lines, discounts and tenders."""
        parts = [str(self.member_id), self.currency]
        parts += sorted(
            f"{line.line}\x1f{line.sku or ''}\x1f{line.category or ''}\x1f"
            f"{line.quantity}\x1f{line.amount}"
            for line in self.lines
        )
        parts += sorted(f"-{one.scope}\x1f{one.amount}" for one in self.discounts)
        parts += sorted(f"+{kind}\x1f{amount}" for kind, amount in self.tenders)
        return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()


def _source(purchase_id: str) -> str:
    """Return the source of the award of a purchase."""
    return f"purchase:{purchase_id}"


def record_purchase(
    actor: Actor,
    *,
    club: Club,
    member: Member,
    purchase_id: str,
    currency: str,
    lines: Sequence[Line],
    happened_at: datetime | None = None,
    discounts: Sequence[Discount] = (),
    tenders: Sequence[tuple[str, int]] = (),
) -> Purchase:
    """Take a purchase and give its points; the same one told again is returned as it is.

    Refuses (`purchase_differs`) a known purchase_id with another member, other lines, payment or
    instant; (`currency_differs`) another currency than the club's; no lines, two lines of one key,
    negative amounts, discounts beyond what they are taken from, and instants still to come.
    """
    at = past(actor, happened_at=happened_at)
    if currency != club.currency:
        raise Refused(
            _l("This club counts in %(currency)s.", currency=club.currency),
            field="currency",
            code="currency_differs",
        )
    _check(lines, discounts)
    told = Told(purchase_id, member.id, at, currency, lines, discounts, tenders)
    lock_members(actor, member_ids=[member.id])
    known = _known(club.id, purchase_id)
    if known is not None:
        return _same(known, told, happened_at)
    given = _award_of(told, club)
    transfer_id = None
    if given.points:
        transfer_id = post_award(
            actor,
            club_id=club.id,
            member_id=member.id,
            given=given,
            source=_source(purchase_id),
            reason=purchase_id,
            happened_at=at,
        )
    row = _row(told, club, given.points, transfer_id)
    insert = (postgresql if is_postgresql() else sqlite).insert(PURCHASES).values(**row)
    key = None
    if transfer_id is not None or not given.points:
        key = db.session.scalar(insert.on_conflict_do_nothing().returning(PURCHASES.c.id))
    if key is None:  # told at the same moment for another member
        return _same(cast(Purchase, _known(club.id, purchase_id)), told, happened_at)
    db.session.connection().execute(sa.insert(LINES), _line_rows(key, lines))
    return db.session.get_one(Purchase, key)


def _check(lines: Sequence[Line], discounts: Sequence[Discount]) -> None:
    if not lines:
        raise Refused(_l("A purchase has at least one line."), field="lines")
    amounts = {line.line: line.amount for line in lines}
    if len(amounts) != len(lines):
        raise Refused(_l("Two lines have the same key."), field="lines")
    if any(line.amount < 0 or line.quantity < 0 for line in lines):
        raise Refused(_l("A line cannot be negative; take it back as a return."), field="lines")
    amounts["order"] = sum(amounts.values())
    taken: dict[str, int] = {}
    for discount in discounts:
        taken[discount.scope] = taken.get(discount.scope, 0) + discount.amount
        if discount.scope not in amounts:
            raise Refused(_l("There is no line %(line)s.", line=discount.scope), field="discounts")
        if discount.amount < 0 or taken[discount.scope] > amounts[discount.scope]:
            raise Refused(_l("A discount is larger than what it is taken from."), field="discounts")


def _known(club_id: int, purchase_id: str) -> Purchase | None:
    select = sa.select(Purchase).where(
        Purchase.club_id == club_id, Purchase.purchase_id == purchase_id
    )
    return db.session.scalar(select)


def _same(known: Purchase, told: Told, happened_at: datetime | None) -> Purchase:
    other_time = happened_at is not None and happened_at != known.happened_at
    if known.fingerprint != told.fingerprint() or other_time:
        raise Refused(
            _l("The purchase %(purchase)s is known with other content.", purchase=told.purchase_id),
            field="purchase_id",
            code="purchase_differs",
        )
    return known


def _award_of(told: Told, club: Club) -> Award:
    """Return what a purchase earns by the rules that held on its day in the club's zone."""
    day = clock.local_date(told.happened_at, club.timezone)
    version_id, programme = clubs.rules_of(club).on(day)
    shares = purchase_shares(programme, told.lines, told.discounts)
    return award(programme, version_id, shares, told.happened_at, club.timezone)


def _row(told: Told, club: Club, points: int, transfer_id: int | None) -> dict[str, Any]:
    paid = sum(paid_amounts(told.lines, told.discounts)).__floor__()
    return {
        "club_id": club.id,
        "member_id": told.member_id,
        "purchase_id": told.purchase_id,
        "happened_at": told.happened_at,
        "currency": told.currency,
        "amount": from_scaled(paid),
        "points": points,
        "transfer_id": transfer_id,
        "fingerprint": told.fingerprint(),
        "tenders": [{"kind": kind, "amount": _text(amount)} for kind, amount in told.tenders],
        "discounts": [{"scope": d.scope, "amount": _text(d.amount)} for d in told.discounts],
        "recorded_at": clock.now(),
    }


def _text(amount: int) -> str:
    return format(from_scaled(amount), "f")


def _line_rows(key: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "purchase_id": key,
            "line": line.line,
            "sku": line.sku,
            "category": line.category,
            "quantity": Decimal(line.quantity) / 10_000,
            "amount": from_scaled(line.amount),
        }
        for line in lines
    ]


def record_purchases(actor: Actor, *, club: Club, told: Sequence[Told]) -> dict[str, int]:
    """Take purchases that are known to be new, in bulk; return purchase_id → key.

    At most about 1,000 at once. The caller holds the members' locks and writes the lines. Members
    who owe points are served first, one purchase after the other, so that each repays in turn.
    """
    owing = balances.debts({one.member_id for one in told})
    awards = [(one, _award_of(one, club)) for one in told]
    earning = [(one, given) for one, given in awards if given.points]
    keys: dict[str, int | None] = {}
    for one, given in sorted(earning, key=lambda pair: pair[0].happened_at):
        if one.member_id in owing:
            keys[one.purchase_id] = post_award(
                actor,
                club_id=club.id,
                member_id=one.member_id,
                given=given,
                source=_source(one.purchase_id),
                reason=one.purchase_id,
                happened_at=one.happened_at,
            )
    plain = [(one, given) for one, given in earning if one.member_id not in owing]
    codes = {source_code(share.rule) for _, given in plain for share in given.shares}
    for one, given in plain:
        kind = AccountKind.PENDING if given.is_pending else AccountKind.AVAILABLE
        codes.add(member_code(one.member_id, kind))
    accounts = open_accounts(actor, club_id=club.id, codes=codes)
    postings = [
        award_posting(
            actor,
            accounts=accounts,
            club_id=club.id,
            member_id=one.member_id,
            given=given,
            source=_source(one.purchase_id),
            reason=one.purchase_id,
            happened_at=one.happened_at,
        )
        for one, given in plain
    ]
    made = transfer_points(actor, postings=postings)
    keys |= {one.purchase_id: key for (one, _), key in zip(plain, made, strict=True)}
    rows = [_row(one, club, given.points, keys.get(one.purchase_id)) for one, given in awards]
    if not rows:
        return {}
    insert = sa.insert(PURCHASES).returning(PURCHASES.c.purchase_id, PURCHASES.c.id)
    made_rows = db.session.connection().execute(insert, rows)
    return {row.purchase_id: row.id for row in made_rows}
