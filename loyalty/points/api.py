"""Purchases, redemptions and balances in JSON."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from loyalty.clubs import policy as club_policy
from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points import policy
from loyalty.points.awards import Discount, Line
from loyalty.points.models import Purchase, Redemption
from loyalty.points.operations.purchases import record_purchase
from loyalty.points.operations.redeeming import redeem
from loyalty.points.queries import balances, movements, purchases
from loyalty.points.schemas import (
    AsOf,
    BalanceOut,
    EntryOut,
    ExpiryOut,
    LotsOut,
    Period,
    PurchaseIn,
    PurchaseOut,
    RedemptionIn,
    RedemptionOut,
    ShareOut,
    StatementOut,
    UsedLotOut,
)
from loyalty.points.wording import why_text
from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.money import to_scaled
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    PageOut,
    PageQuery,
)
from portal.foundation.web.policies import requires

bp = ApiBlueprint("points", __name__, tag="Points")


def _shares(explanation: Sequence[dict[str, Any]]) -> list[ShareOut]:
    return [
        ShareOut(rule=one["rule"], points=one["points"], why=why_text(one)) for one in explanation
    ]


def _purchases_out(some: Sequence[Purchase]) -> list[PurchaseOut]:
    """Return purchases as they are shown; two queries, however many there are."""
    numbers = clubs.numbers_of({one.member_id for one in some})
    awards = movements.awards_of(some)
    now = clock.now()
    found = []
    for one in some:
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
    lots = movements.used_lots([one.transfer_id for one in redemptions])
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
    select = purchases.purchase_select(actor, found)
    page, following = listed(select, Purchase.id, query)
    return {"items": _purchases_out(page), "next_cursor": following}


@bp.get("/clubs/<club>/purchases/<purchase_id>")
@requires(club_policy.may_look_into_clubs)
@bp.output(PurchaseOut)
def show_purchase(club: str, purchase_id: str) -> PurchaseOut:
    """Show one purchase by the shop's key."""
    actor = current_actor()
    purchase = purchases.purchase_for(actor, clubs.club_for(actor, club), purchase_id)
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
    select = purchases.redemption_select(current_actor()).where(Redemption.member_id == member.id)
    redemptions, following = listed(select, Redemption.id, query)
    return {"items": _redemptions_out(redemptions), "next_cursor": following}


@bp.get("/redemptions/<int:redemption_id>")
@requires(club_policy.may_look_into_clubs)
@bp.output(RedemptionOut)
def show_redemption(redemption_id: int) -> RedemptionOut:
    """Show one redemption."""
    return _redemptions_out([purchases.redemption_for(current_actor(), redemption_id)])[0]


@bp.get("/members/<number>/balance")
@requires(club_policy.may_look_into_clubs)
@bp.input(AsOf, location="query", arg_name="query")
@bp.output(BalanceOut)
def show_balance(number: str, query: AsOf) -> BalanceOut:
    """Show a member's points as of an instant; a future one answers as if nothing more happened."""
    member, club = _member_and_club(number)
    found = balances.balance(member, club, query.as_of)
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
    return {"items": balances.lots(*_member_and_club(number))}


@bp.get("/members/<number>/statement")
@requires(club_policy.may_look_into_clubs)
@bp.input(Period, location="query", arg_name="query")
@bp.output(StatementOut)
def show_statement(number: str, query: Period) -> dict[str, Any]:
    """List a member's entries, each with the balance of its account after it."""
    member, club = _member_and_club(number)
    since = _instant(query.since, club.timezone, ends=False)
    until = _instant(query.until, club.timezone, ends=True)
    entries = movements.statement(member, since=since, until=until)
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
