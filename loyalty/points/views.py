"""The member's own pages, the member as staff see one, and the state of the ledger."""

from datetime import datetime

from flask import Blueprint, render_template, request, url_for

from loyalty.clubs import policy as club_policy
from loyalty.clubs import queries as clubs
from loyalty.clubs.models import MEMBER_LOOKS, Channel, Club, Member, Purpose
from loyalty.clubs.numbers import spaced_number
from loyalty.points import policy
from loyalty.points.models import TRANSFER_LOOKS, PointTransfer
from loyalty.points.queries import balances, movements, purchases
from loyalty.points.wording import as_movements, earned_by, endings
from portal.foundation import clock
from portal.foundation.audit import timeline
from portal.foundation.codes import qr_svg
from portal.foundation.database import db
from portal.foundation.errors import NotFound
from portal.foundation.i18n import _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.lists import cursor
from portal.foundation.web.policies import requires
from portal.foundation.web.templating import NavItem, home, navigation

bp = Blueprint("points", __name__)
MINE = _l("Your club")
navigation(
    NavItem(
        _l("Home"), "points.home_page", "home", club_policy.may_see_own_card, MINE, 10, key="h"
    ),
    NavItem(_l("Card"), "points.card", "qrcode", club_policy.may_see_own_card, MINE, 11, key="c"),
    NavItem(
        _l("Activity"), "points.activity", "list", club_policy.may_see_own_card, MINE, 13, key="a"
    ),
    NavItem(
        _l("Ledger"), "points.ledger", "scale", policy.may_see_ledger, _l("Service and club"), 38
    ),
)
home(club_policy.may_see_own_card, "points.home_page")
LATELY = 5
PAGE = 30
SOON_DAYS = 30


def _own() -> tuple[Member, Club, list[tuple[Member, Club]]] | None:
    """Return the membership that the reader looks at, and all of them; None without any."""
    mine = clubs.memberships(current_actor())
    if not mine:
        return None
    chosen = request.args.get("club", "")
    member, club = next((pair for pair in mine if pair[1].code == chosen), mine[0])
    return member, club, mine


@bp.get("/club")
@requires(club_policy.may_see_own_card)
def home_page() -> str:
    """Show a member's points, card, what ends next and what happened lately."""
    own = _own()
    if own is None:
        return render_template("loyalty/points/none.html")
    member, club, mine = own
    lots = balances.lots(member, club)
    now = clock.now()
    usable = [lot for lot in lots if lot.available_at <= now]
    latest = movements.transfers_of(member, limit=LATELY)
    return render_template(
        "loyalty/points/home.html",
        member=member,
        club=club,
        mine=mine,
        number=spaced_number(member.number),
        qr=qr_svg(member.number),
        available=sum(lot.remaining for lot in usable),
        pending=sum(lot.remaining for lot in lots if lot.available_at > now),
        endings=endings(usable, clock.today(club.timezone)),
        soon_days=SOON_DAYS,
        lately=as_movements(latest, club.timezone),
    )


def _page_edge() -> tuple[datetime, int] | None:
    word = request.args.get("after")
    if not word:
        return None
    happened_at, key = cursor.unpack(word, [PointTransfer.happened_at.type, PointTransfer.id.type])
    if happened_at is None or key is None:
        raise NotFound
    return happened_at, key


@bp.get("/club/activity")
@requires(club_policy.may_see_own_card)
def activity() -> str:
    """Show everything that happened to a member's points, the latest first."""
    own = _own()
    if own is None:
        return render_template("loyalty/points/none.html")
    member, club, mine = own
    found = movements.transfers_of(member, limit=PAGE + 1, before=_page_edge())
    following = None
    if len(found) > PAGE:
        found = found[:PAGE]
        edge = cursor.pack([found[-1].happened_at, found[-1].id])
        following = url_for(".activity", club=club.code, after=edge)
    return render_template(
        "loyalty/points/activity.html",
        member=member,
        club=club,
        mine=mine,
        movements=as_movements(found, club.timezone),
        following=following,
    )


@bp.get("/club/card")
@requires(club_policy.may_see_own_card)
def card() -> str:
    """Show a member's card, large, for the counter."""
    own = _own()
    if own is None:
        return render_template("loyalty/points/none.html")
    member, club, mine = own
    return render_template(
        "loyalty/points/card.html",
        member=member,
        club=club,
        mine=mine,
        number=spaced_number(member.number),
        qr=qr_svg(member.number),
    )


@bp.get("/members/<number>")
@requires(club_policy.may_run_clubs)
def member(number: str) -> str:
    """Show a member with all that is known: points, lots, purchases, consents, changes."""
    actor = current_actor()
    found = clubs.member_for(actor, number)
    club = db.session.get_one(Club, found.club_id)
    return render_template(
        "loyalty/points/member.html",
        member=found,
        club=club,
        number=spaced_number(found.number),
        look=MEMBER_LOOKS[found.state],
        balance=balances.balance(found, club),
        lots=[(lot, earned_by(lot.cause, lot.reason)) for lot in balances.lots(found, club)],
        movements=as_movements(movements.transfers_of(found, limit=PAGE), club.timezone),
        looks=TRANSFER_LOOKS,
        purchases=purchases.purchases_of(found, PAGE),
        consents=clubs.consents(found),
        agrees=clubs.agrees(found, Purpose.MARKETING, Channel.EMAIL),
        may_change=club_policy.may_change_member(actor, found),
        timeline=timeline(found),
    )


@bp.get("/ledger")
@requires(policy.may_see_ledger)
def ledger() -> str:
    """Show what the nightly recomputation of the ledger found."""
    return render_template(
        "loyalty/points/ledger.html", latest=movements.latest_audit(), audits=movements.audits()
    )
