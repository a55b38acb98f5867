"""What the API takes and gives about points."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from loyalty.points.models import AccountKind, TransferKind
from portal.foundation.web.api.schemas import (
    AmountIn,
    AmountOut,
    Currency,
    DayIn,
    In,
    InstantIn,
    InstantOut,
    Out,
    Points,
    ShortText,
    Text,
)

Quantity = Annotated[AmountIn, Field(ge=0, le=10**9)]
NotNegative = Annotated[AmountIn, Field(ge=0)]


class LineIn(In):
    """A line of a purchase; amount is for the whole line, before discounts."""

    line: Annotated[str, Field(min_length=1, max_length=40)]
    sku: ShortText | None = None
    category: ShortText | None = None
    quantity: Quantity = Decimal(1)
    amount: NotNegative


class TenderIn(In):
    """How a part was paid; it changes nothing about the points."""

    kind: Literal["cash", "card", "gift_card", "wallet"]
    amount: NotNegative


class DiscountIn(In):
    """What was taken off the order or one of its lines."""

    scope: Annotated[str, Field(min_length=1, max_length=40)]
    amount: NotNegative


class PurchaseIn(In):
    """What a member bought; member is an external id or a card number."""

    purchase_id: ShortText
    member: ShortText
    happened_at: InstantIn | None = None
    currency: Currency
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1_000)]
    tenders: Annotated[list[TenderIn], Field(max_length=50)] = []
    discounts: Annotated[list[DiscountIn], Field(max_length=1_000)] = []


class ShareOut(Out):
    """The points that one rule gave, and why."""

    rule: str
    points: int
    why: str


class PurchaseOut(Out):
    """What a purchase earned. pending_until: not to be spent before it; null when at once."""

    purchase_id: str
    member: str
    happened_at: InstantOut
    currency: str
    amount: AmountOut
    points: int
    pending_until: InstantOut | None
    explanation: list[ShareOut]


class RedemptionIn(In):
    """Points to be spent; happened_at for what is told late."""

    points: Points
    reason: Text | None = None
    happened_at: InstantIn | None = None


class UsedLotOut(Out):
    """Points that came out of one lot."""

    earned_at: InstantOut
    expires_on: date | None
    points: int


class RedemptionOut(Out):
    """A redemption and the lots it took from, in the order of spending."""

    redemption_id: int
    member: str
    points: int
    status: str
    reason: str
    happened_at: InstantOut
    lots: list[UsedLotOut]


class ExpiryOut(Out):
    """The next points to end, and their last day."""

    points: int
    on: date


class BalanceOut(Out):
    """A member's points as of an instant."""

    available: int
    pending: int
    held: int
    debt: int
    lifetime: int
    tier: str | None
    tier_until: date | None
    next_expiry: ExpiryOut | None
    as_of: InstantOut


class AsOf(In):
    """The instant that is asked about; now when missing."""

    as_of: InstantIn | None = None


class LotOut(Out):
    """Points that were earned together. source: what they came from."""

    points: int
    remaining: int
    earned_at: InstantOut
    available_at: InstantOut
    expires_on: date | None
    source: str


class LotsOut(Out):
    """A member's lots, the soonest end first."""

    items: list[LotOut]


class Period(In):
    """Days in the club's zone, or instants; from is included, until too when it is a day."""

    since: Annotated[DayIn | InstantIn | None, Field(alias="from")] = None
    until: DayIn | InstantIn | None = None


class EntryOut(Out):
    """An entry on one of a member's accounts, with that account's balance after it."""

    at: InstantOut
    kind: TransferKind
    account: AccountKind
    points: int
    balance_after: int
    reason: str
    source: str
    explanation: list[ShareOut]


class StatementOut(Out):
    """A member's entries in the order in which they happened."""

    items: list[EntryOut]
