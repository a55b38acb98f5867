"""Spending points."""

import secrets
from datetime import datetime

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points.facts import PointsRedeemed
from loyalty.points.models import AccountKind, Redemption, RedemptionState, TransferKind
from loyalty.points.operations.earning import past
from loyalty.points.operations.ledger import (
    Posting,
    lock_members,
    member_code,
    open_accounts,
    sink_code,
    transfer_points,
)
from loyalty.points.operations.sweeping import mature_lots
from loyalty.points.queries import balances
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.foundation.facts import announce
from portal.foundation.i18n import _l


def redeem(
    actor: Actor,
    *,
    member: Member,
    club: Club,
    points: int,
    reason: str | None = None,
    happened_at: datetime | None = None,
) -> Redemption:
    """Spend points: those that end soonest, then the oldest, those that never end last.

    happened_at: for what is told late; only points that were usable then and still are count.
    Refuses (`insufficient_points`) more than there are, (`redemption_minimum`, `redemption_step`)
    what the programme does not let be spent at once, and instants still to come.
    """
    at = past(actor, happened_at=happened_at)
    _, programme = clubs.rules_of(club).on(clock.local_date(at, club.timezone))
    rule = programme.redemption
    if points < rule.minimum:
        raise Refused(
            _l("At least %(minimum)s points can be redeemed at once.", minimum=rule.minimum),
            field="points",
            code="redemption_minimum",
        )
    if points % rule.step:
        raise Refused(
            _l("Points are redeemed in multiples of %(step)s.", step=rule.step),
            field="points",
            code="redemption_step",
        )
    lock_members(actor, member_ids=[member.id])
    spendable = balances.spendable_lots(member.id, club.timezone, at)
    uses, rest = [], points
    for lot in spendable:
        if not rest:
            break
        taken = min(rest, lot.remaining)
        uses.append((lot, taken))
        rest -= taken
    if rest:
        raise Refused(
            _l("There are only %(available)s points.", available=points - rest),
            field="points",
            code="insufficient_points",
            available=points - rest,
        )
    waiting = [lot.id for lot, _ in uses if lot.is_pending]
    if waiting:
        mature_lots(actor, lot_ids=waiting)  # their time has come, the job's has not
    own = member_code(member.id, AccountKind.AVAILABLE)
    sink = sink_code("redeemed")
    accounts = open_accounts(actor, club_id=club.id, codes={own, sink})
    reason = (reason or "").strip()[:200]
    posting = Posting(
        club.id,
        member.id,
        TransferKind.REDEEM,
        f"redemption:{secrets.token_hex(12)}",
        reason,
        at,
        -points,
        [(accounts[own], -points), (accounts[sink], points)],
        uses=[(lot.id, taken) for lot, taken in uses],
    )
    transfer_id = transfer_points(actor, postings=[posting])[0]
    redemption = Redemption(
        club_id=club.id,
        member_id=member.id,
        transfer_id=transfer_id,
        points=points,
        status=RedemptionState.CONFIRMED,
        reason=reason,
        happened_at=at,
        recorded_at=clock.now(),
    )
    db.session.add(redemption)
    db.session.flush()  # the fact needs the redemption's key
    record(actor, "points.redemption.confirmed", member, points=points, reason=reason or "–")
    announce(PointsRedeemed(redemption.id, member.id, points))
    return redemption
