"""How many points something earns: plain arithmetic on a programme, no database.

Money is exact: a purchase's points are one fraction, floored once; the whole points are then
shared among the rules by largest remainder, so that each award can be explained.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from loyalty.clubs.programme import Programme, Rule
from portal.foundation import clock
from portal.foundation.money import from_scaled, to_scaled


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a purchase. amount, quantity: in ten-thousandths."""

    line: str
    amount: int
    quantity: int
    sku: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """What was taken off. scope: "order" or a line's key. amount: in ten-thousandths."""

    scope: str
    amount: int


@dataclass(frozen=True, slots=True)
class Share:
    """The points that one rule gave. why: figures that make the sentence."""

    rule: str
    points: int
    why: dict[str, Any]

    def stored(self) -> dict[str, Any]:
        """Return it as the ledger keeps it."""
        return {"rule": self.rule, "points": self.points, "why": self.why}


@dataclass(frozen=True, slots=True)
class Award:
    """All points of one happening, with when they begin and end."""

    shares: tuple[Share, ...]
    version_id: int | None
    available_at: datetime
    expires_on: date | None
    is_pending: bool
    matures: bool

    @property
    def points(self) -> int:
        """Return how many in all."""
        return sum(share.points for share in self.shares)


@dataclass(slots=True)
class _Claim:
    rule: Rule
    paid: int | Fraction
    exact: Fraction = field(init=False)

    def __post_init__(self) -> None:
        per = self.rule.points_per or Decimal(1)
        self.exact = Fraction(self.paid * self.rule.points) / to_scaled(per)


def paid_amounts(lines: Sequence[Line], discounts: Sequence[Discount]) -> Sequence[int | Fraction]:
    """Return what was paid for each line, in ten-thousandths.

    A line's discount lowers that line, at most to nothing; an order's discount lowers all lines in
    proportion to what is left of them.
    """
    if not discounts:
        return [line.amount for line in lines]
    own: dict[str, int] = {}
    for discount in discounts:
        own[discount.scope] = own.get(discount.scope, 0) + discount.amount
    order = own.pop("order", 0)
    left = [max(0, line.amount - own.get(line.line, 0)) for line in lines]
    total = sum(left)
    if not order or not total:
        return left
    kept = Fraction(max(0, total - order), total)
    return [amount * kept for amount in left]


def _is_meant(line: Line, category: Sequence[str], sku: Sequence[str]) -> bool:
    return (not category or line.category in category) and (not sku or line.sku in sku)


def _is_excluded(programme: Programme, line: Line) -> bool:
    out = programme.excluded
    return line.category in out.category or line.sku in out.sku


def purchase_shares(
    programme: Programme, lines: Sequence[Line], discounts: Sequence[Discount]
) -> tuple[Share, ...]:
    """Return what each rule gives for a purchase; the sum is floored once."""
    paid = paid_amounts(lines, discounts)
    rules = programme.base_rules
    eligible = [
        (line, amount)
        for line, amount in zip(lines, paid, strict=True)
        if not _is_excluded(programme, line)
    ]
    claims = []
    for rule in rules:
        where = rule.where
        if where.category or where.sku:
            meant: list[int | Fraction] = [
                amount for line, amount in eligible if _is_meant(line, where.category, where.sku)
            ]
        else:
            meant = [amount for _, amount in eligible]
        total = sum(meant)
        if total <= 0 or (where.min_amount and total < to_scaled(where.min_amount)):
            continue
        claims.append(_Claim(rule, total))
    return _shared(claims)


def _shared(claims: list[_Claim]) -> tuple[Share, ...]:
    """Floor the sum of the claims and share it by largest remainder, the earlier rule first."""
    whole = sum((claim.exact for claim in claims), Fraction(0)).__floor__()
    floors = [claim.exact.__floor__() for claim in claims]
    rest = whole - sum(floors)
    by_remainder = sorted(range(len(claims)), key=lambda i: (floors[i] - claims[i].exact, i))
    for index in by_remainder[:rest]:
        floors[index] += 1
    return tuple(
        Share(claim.rule.name, points, _why_paid(claim))
        for claim, points in zip(claims, floors, strict=True)
        if points
    )


def _why_paid(claim: _Claim) -> dict[str, Any]:
    # A fraction of a ten-thousandth, which an order's discount may leave, is not shown.
    paid = from_scaled(claim.paid.__floor__())
    per = claim.rule.points_per or Decimal(1)
    return {
        "kind": "paid",
        "amount": format(paid, "f"),
        "points": claim.rule.points,
        "per": format(per.normalize(), "f"),
    }


def source_shares(programme: Programme, source: str, what: str) -> tuple[Share, ...]:
    """Return what each bonus rule gives for a happening of the kind `source`.

    what: the reference that the sentence names.
    """
    return tuple(
        Share(rule.name, rule.points, {"kind": source, "what": what})
        for rule in programme.rules_for(source)
    )


def award(
    programme: Programme,
    version_id: int | None,
    shares: tuple[Share, ...],
    happened_at: datetime,
    zone: str,
    *,
    at_once: bool = False,
) -> Award:
    """Return the award of `shares` with its dates.

    zone: the club's. at_once: usable at once, as gifts are, whatever pending_days says.
    """
    days = 0 if at_once else programme.pending_days
    available_at = happened_at + timedelta(days=days)
    last = programme.expiry.last_day(clock.local_date(happened_at, zone))
    matures = last is None or clock.local_date(available_at, zone) <= last
    return Award(shares, version_id, available_at, last, days > 0, matures)


def birthday_on(birthday: int, year: int) -> date:
    """Return the day on which a birthday, month times 100 plus day, is kept in a year.

    The 29th of February is kept on the 28th in years that have none.
    """
    month, day = divmod(birthday, 100)
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def birthdays_kept_on(day: date) -> list[int]:
    """Return the birthdays, month times 100 plus day, that are kept on `day`."""
    found = [day.month * 100 + day.day]
    if (day.month, day.day) == (2, 28) and birthday_on(229, day.year) == day:
        found.append(229)
    return found
