"""Purchases, redemptions and balances in JSON."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from loyalty.clubs import policy as club_policy
from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points import policy, queries
from loyalty.points.awards import Discount, Line
from loyalty.points.models import AccountKind, Purchase, Redemption, TransferKind
from loyalty.points.operations.purchases import record_purchase
from loyalty.points.operations.redeeming import redeem
from loyalty.points.wording import why_text
from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.money import to_scaled
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    AmountIn,
    AmountOut,
    Currency,
    In,
    InstantIn,
    InstantOut,
    Out,
    PageOut,
    PageQuery,
    Points,
    ShortText,
    Text,
)
from portal.foundation.web.policies import requires

bp = ApiBlueprint("points", __name__, tag="Points")
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

    since: Annotated[date | InstantIn | None, Field(alias="from")] = None
    until: date | InstantIn | None = None


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


def _shares(explanation: Sequence[dict[str, Any]]) -> list[ShareOut]:
    return [
        ShareOut(rule=one["rule"], points=one["points"], why=why_text(one)) for one in explanation
    ]


def _purchases_out(purchases: Sequence[Purchase]) -> list[PurchaseOut]:
    """Return purchases as they are shown; two queries, however many there are."""
    numbers = clubs.numbers_of({one.member_id for one in purchases})
    awards = queries.awards_of(purchases)
    now = clock.now()
    found = []
    for one in purchases:
        explanation, available_at = awards.get(one.transfer_id, ([], None))
        found.append(
            PurchaseOut(
                purchase_id=one.purchase_id,
                member=numbers[one.member_id],
                happened_at=one.happened_at,
                currency=one.currency,
                amount=one.amount,
                points=one.points,
                pending_until=available_at if available_at and available_at > now else None,
                explanation=_shares(explanation),
            )
        )
    return found


def _redemptions_out(redemptions: Sequence[Redemption]) -> list[RedemptionOut]:
    """Return redemptions as they are shown; two queries, however many there are."""
    numbers = clubs.numbers_of({one.member_id for one in redemptions})
    lots = queries.used_lots([one.transfer_id for one in redemptions])
    return [
        RedemptionOut(
            redemption_id=one.id,
            member=numbers[one.member_id],
            points=one.points,
            status=one.status.value,
            reason=one.reason,
            happened_at=one.happened_at,
            lots=[
                UsedLotOut(earned_at=earned_at, expires_on=on, points=points)
                for earned_at, on, points in lots.get(one.transfer_id, [])
            ],
        )
        for one in redemptions
    ]


def _member_and_club(number: str) -> tuple[Member, Club]:
    member = clubs.member_for(current_actor(), number)
    return member, db.session.get_one(Club, member.club_id)


@bp.post("/clubs/<club>/purchases", moves_value=True)
@requires(policy.may_move_points)
@bp.input(PurchaseIn, arg_name="body")
@bp.output(PurchaseOut, status_code=201)
def tell_purchase(club: str, body: PurchaseIn) -> PurchaseOut:
    """Tell of a purchase and give its points.

    The same purchase told again answers the same; with other content it is `purchase_differs`.
    """
    actor = current_actor()
    with transaction():
        found = clubs.club_for(actor, club)
        member = clubs.member_named(found, body.member)
        if member is None:
            raise Refused(
                _l("There is no member %(member)s in this club.", member=body.member),
                field="member",
                code="member_unknown",
            )
        purchase = record_purchase(
            actor,
            club=found,
            member=member,
            purchase_id=body.purchase_id,
            currency=body.currency,
            happened_at=body.happened_at,
            lines=[
                Line(
                    one.line, to_scaled(one.amount), to_scaled(one.quantity), one.sku, one.category
                )
                for one in body.lines
            ],
            discounts=[Discount(one.scope, to_scaled(one.amount)) for one in body.discounts],
            tenders=[(one.kind, to_scaled(one.amount)) for one in body.tenders],
        )
        return _purchases_out([purchase])[0]


@bp.get("/clubs/<club>/purchases")
@requires(club_policy.may_look_into_clubs)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[PurchaseOut])
def list_purchases(club: str, query: PageQuery) -> dict[str, Any]:
    """List a club's purchases that the token's user may see, those told last first."""
    actor = current_actor()
    found = clubs.club_for(actor, club)
    select = queries.purchase_select(actor, found)
    purchases, following = listed(select, Purchase.id, query)
    return {"items": _purchases_out(purchases), "next_cursor": following}


@bp.get("/clubs/<club>/purchases/<purchase_id>")
@requires(club_policy.may_look_into_clubs)
@bp.output(PurchaseOut)
def show_purchase(club: str, purchase_id: str) -> PurchaseOut:
    """Show one purchase by the shop's key."""
    actor = current_actor()
    purchase = queries.purchase_for(actor, clubs.club_for(actor, club), purchase_id)
    return _purchases_out([purchase])[0]


@bp.post("/members/<number>/redemptions", moves_value=True)
@requires(policy.may_move_points)
@bp.input(RedemptionIn, arg_name="body")
@bp.output(RedemptionOut, status_code=201)
def redeem_points(number: str, body: RedemptionIn) -> RedemptionOut:
    """Spend a member's points at once; too few are `insufficient_points`."""
    with transaction():
        member, club = _member_and_club(number)
        redemption = redeem(current_actor(), member=member, club=club, **body.model_dump())
        return _redemptions_out([redemption])[0]


@bp.get("/members/<number>/redemptions")
@requires(club_policy.may_look_into_clubs)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[RedemptionOut])
def list_redemptions(number: str, query: PageQuery) -> dict[str, Any]:
    """List a member's redemptions, the latest first."""
    member, _ = _member_and_club(number)
    select = queries.redemption_select(current_actor()).where(Redemption.member_id == member.id)
    redemptions, following = listed(select, Redemption.id, query)
    return {"items": _redemptions_out(redemptions), "next_cursor": following}


@bp.get("/redemptions/<int:redemption_id>")
@requires(club_policy.may_look_into_clubs)
@bp.output(RedemptionOut)
def show_redemption(redemption_id: int) -> RedemptionOut:
    """Show one redemption."""
    return _redemptions_out([queries.redemption_for(current_actor(), redemption_id)])[0]


@bp.get("/members/<number>/balance")
@requires(club_policy.may_look_into_clubs)
@bp.input(AsOf, location="query", arg_name="query")
@bp.output(BalanceOut)
def show_balance(number: str, query: AsOf) -> BalanceOut:
    """Show a member's points as of an instant; a future one answers as if nothing more happened."""
    member, club = _member_and_club(number)
    found = queries.balance(member, club, query.as_of)
    ending = found.next_expiry
    return BalanceOut(
        available=found.available,
        pending=found.pending,
        held=found.held,
        debt=found.debt,
        lifetime=found.lifetime,
        tier=member.tier,
        tier_until=None,
        next_expiry=ExpiryOut(points=ending[0], on=ending[1]) if ending else None,
        as_of=found.as_of,
    )


@bp.get("/members/<number>/lots")
@requires(club_policy.may_look_into_clubs)
@bp.output(LotsOut)
def list_lots(number: str) -> dict[str, Any]:
    """List what a member has left, the soonest end first."""
    return {"items": queries.lots(*_member_and_club(number))}


@bp.get("/members/<number>/statement")
@requires(club_policy.may_look_into_clubs)
@bp.input(Period, location="query", arg_name="query")
@bp.output(StatementOut)
def show_statement(number: str, query: Period) -> dict[str, Any]:
    """List a member's entries, each with the balance of its account after it."""
    member, club = _member_and_club(number)
    since = _instant(query.since, club.timezone, ends=False)
    until = _instant(query.until, club.timezone, ends=True)
    entries = queries.statement(member, since=since, until=until)
    items = [
        EntryOut(
            at=one.at,
            kind=one.kind,
            account=one.account,
            points=one.points,
            balance_after=one.balance_after,
            reason=one.reason,
            source=one.source,
            explanation=_shares(one.explanation),
        )
        for one in entries
    ]
    return {"items": items}


def _instant(value: date | datetime | None, zone: str, *, ends: bool) -> datetime | None:
    """Return an instant; a day is its start, or its end, in the club's zone."""
    if value is None or isinstance(value, datetime):
        return value
    return clock.day_end(value, zone) if ends else clock.day_start(value, zone)
