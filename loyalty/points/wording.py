"""How movements of points read: why they came, and what they were for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from loyalty.points.models import PointTransfer, TransferKind
from loyalty.points.queries.balances import LotRow
from portal.foundation import clock
from portal.foundation.i18n import _, _n, decimal_text, long_day_text, number_text


def why_text(share: dict[str, Any]) -> str:
    """Return why a rule gave points, from the figures that the ledger keeps."""
    why = share["why"]
    kind = why.get("kind")
    if kind == "paid":
        return _(
            "%(points)s for every %(per)s of %(amount)s paid",
            points=number_text(why["points"]),
            per=decimal_text(Decimal(why["per"])),
            amount=decimal_text(Decimal(why["amount"])),
        )
    if kind == "service_job":
        return _("the repair %(job)s was finished", job=why["what"])
    if kind == "birthday":
        return _(
            "a gift for the birthday on %(day)s", day=long_day_text(date.fromisoformat(why["on"]))
        )
    return str(share["rule"])


def title(kind: TransferKind, source: str, reason: str) -> str:
    """Return what a movement of points was, from its kind, source and reason."""
    cause = source.partition(":")[0]
    if kind is TransferKind.EARN:
        return earned_by(cause, reason)
    if kind is TransferKind.REDEEM:
        return reason or _("Points redeemed")
    if kind is TransferKind.EXPIRE:
        return _("Points ended")
    if kind is TransferKind.MATURE:
        return _("Points became usable")
    return _("Taken back: %(what)s", what=reason)


def earned_by(cause: str, reason: str) -> str:
    """Return what points came from: cause is the first word of the source."""
    if cause == "purchase":
        return _("Purchase %(reference)s", reference=reason)
    if cause == "service_job_closed":
        return _("Repair %(reference)s", reference=reason)
    if cause == "birthday":
        return _("Birthday gift")
    return reason or _("Points earned")


def whys(explanation: Sequence[dict[str, Any]]) -> list[str]:
    """Return one sentence for each rule that gave points."""
    return [
        _("%(points)s points: %(why)s", points=number_text(share["points"]), why=why_text(share))
        for share in explanation
    ]


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of points as pages show it."""

    title: str
    kind: TransferKind
    at: datetime
    on: date
    points: int
    whys: list[str]


def as_movements(transfers: Sequence[PointTransfer], zone: str) -> list[Movement]:
    """Return movements as pages show them; zone: the club's, for the day."""
    return [
        Movement(
            title(one.kind, one.source, one.reason),
            one.kind,
            one.happened_at,
            clock.local_date(one.happened_at, zone),
            one.points,
            whys(one.explanation),
        )
        for one in transfers
    ]


@dataclass(frozen=True, slots=True)
class Ending:
    """Points that end on one day, None for those that never do. soon: days until then."""

    on: date | None
    day: str
    points: int
    note: str
    soon: int | None


def endings(lots: Sequence[LotRow], today: date) -> list[Ending]:
    """Return when points end, by day, the soonest first, each with what they came from."""
    found = []
    for on, group in groupby(lots, lambda lot: lot.expires_on):
        some = list(group)
        points = sum(lot.remaining for lot in some)
        soon = (on - today).days if on else None
        found.append(
            Ending(on, long_day_text(on) if on else _("Never"), points, _origin(some), soon)
        )
    return found


def _origin(lots: list[LotRow]) -> str:
    """Return what points came from, in a few words."""
    counts: dict[str, int] = {}
    for lot in lots:
        counts[lot.cause] = counts.get(lot.cause, 0) + 1
    if len(lots) == 1:
        return earned_by(lots[0].cause, lots[0].reason)
    parts = []
    if "purchase" in counts:
        count = counts.pop("purchase")
        parts.append(_n("%(num)s purchase", "%(num)s purchases", count))
    if "service_job_closed" in counts:
        count = counts.pop("service_job_closed")
        parts.append(_n("%(num)s repair", "%(num)s repairs", count))
    if "birthday" in counts:
        count = counts.pop("birthday")
        parts.append(_n("%(num)s birthday gift", "%(num)s birthday gifts", count))
    if counts:
        parts.append(_("others"))
    return ", ".join(parts)
