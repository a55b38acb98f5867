"""How movements of points read: why they came, and what they were for."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from loyalty.points.models import PointTransfer, TransferKind
from portal.foundation.i18n import _, decimal_text, long_day_text, number_text


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


def title_of(transfer: PointTransfer) -> str:
    """Return what a movement of points was, for the member."""
    return title(transfer.kind, transfer.source, transfer.reason)


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
