"""Points that come in for something that happened, and their being taken back."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Award, Share, award
from loyalty.points.models import (
    AccountKind,
    LotUse,
    PointAccount,
    PointEntry,
    PointLot,
    PointTransfer,
    TransferKind,
)
from loyalty.points.operations.ledger import (
    NewLot,
    Posting,
    lock_members,
    member_code,
    open_accounts,
    source_code,
    transfer_points,
)
from loyalty.points.operations.sweeping import expire_lots, mature_lots
from loyalty.points.queries import balances, movements
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l


def earn(
    actor: Actor,
    *,
    member: Member,
    club: Club,
    source: str,
    shares: tuple[Share, ...],
    reason: str,
    happened_at: datetime | None = None,
    at_once: bool = False,
) -> PointTransfer | None:
    """Give a member points for what `source` names, once; return the transfer, also the earlier.

    shares: what each rule gives; nothing is written when they give nothing. at_once: usable at
    once, whatever the programme's pending_days. A debt is repaid first. Refuses instants that are
    still to come.
    """
    happened_at = past(actor, happened_at=happened_at)
    lock_members(actor, member_ids=[member.id])
    found = movements.transfer_from(club.id, source)
    if found is not None or not any(share.points for share in shares):
        return found
    version_id, programme = clubs.rules_of(club).on(clock.local_date(happened_at, club.timezone))
    given = award(programme, version_id, shares, happened_at, club.timezone, at_once=at_once)
    post_award(
        actor,
        club_id=club.id,
        member_id=member.id,
        given=given,
        source=source,
        reason=reason,
        happened_at=happened_at,
    )
    return movements.transfer_from(club.id, source)


def past(_actor: Actor, *, happened_at: datetime | None) -> datetime:
    """Return the instant, or now; refuses one that is still to come."""
    now = clock.now()
    if happened_at is None:
        return now
    if happened_at > now:
        raise Refused(_l("This is still to come."), field="happened_at", code="in_the_future")
    return happened_at


def post_award(
    actor: Actor,
    *,
    club_id: int,
    member_id: int,
    given: Award,
    source: str,
    reason: str,
    happened_at: datetime,
) -> int | None:
    """Write an award of at least one point; return the transfer's key, None for a known source.

    The member is locked. What the member owes is repaid first.
    """
    debt_code = member_code(member_id, AccountKind.DEBT)
    kind = AccountKind.PENDING if given.is_pending else AccountKind.AVAILABLE
    own = member_code(member_id, kind)
    codes = {source_code(share.rule) for share in given.shares} | {own}
    debt = balances.debts([member_id]).get(member_id, 0)
    if debt:
        codes.add(debt_code)
    accounts = open_accounts(actor, club_id=club_id, codes=codes)
    posting = award_posting(
        actor,
        accounts=accounts,
        club_id=club_id,
        member_id=member_id,
        given=given,
        source=source,
        reason=reason,
        happened_at=happened_at,
        debt=debt,
    )
    return transfer_points(actor, postings=[posting])[0]


def award_posting(
    _actor: Actor,
    *,
    accounts: dict[str, int],
    club_id: int,
    member_id: int,
    given: Award,
    source: str,
    reason: str,
    happened_at: datetime,
    debt: int = 0,
) -> Posting:
    """Return the posting of an award; debt: what the member owes, as a positive number."""
    total = given.points
    repaid = min(total, debt)
    kind = AccountKind.PENDING if given.is_pending else AccountKind.AVAILABLE
    entries = [(accounts[source_code(share.rule)], -share.points) for share in given.shares]
    if repaid:
        entries.append((accounts[member_code(member_id, AccountKind.DEBT)], repaid))
    lot = None
    if total > repaid:
        entries.append((accounts[member_code(member_id, kind)], total - repaid))
        lot = NewLot(
            total - repaid,
            happened_at,
            given.available_at,
            given.expires_on,
            given.is_pending,
            given.matures,
        )
    return Posting(
        club_id,
        member_id,
        TransferKind.EARN,
        source,
        reason[:200],
        happened_at,
        total,
        entries,
        lot=lot,
        version_id=given.version_id,
        explanation=[share.stored() for share in given.shares],
    )


def reverse_award(
    actor: Actor,
    *,
    transfer: PointTransfer,
    club: Club,
    source: str,
    reason: str,
    happened_at: datetime | None = None,
) -> PointTransfer | None:
    """Take an award back, once for each source; return the reversal, None when nothing was left.

    First what is left of its own lot, then other usable points, then as the programme's `negative`
    says: a debt, or no more. What expired from the lot is not taken a second time.
    """
    happened_at = past(actor, happened_at=happened_at)
    lock_members(actor, member_ids=[transfer.member_id])
    found = movements.transfer_from(club.id, source)
    if found is not None:
        return found
    _, programme = clubs.rules_of(club).on(clock.local_date(happened_at, club.timezone))
    own = _settled_lot(actor, transfer, club, happened_at)
    owed = transfer.points - _expired(own)
    taken = _taken_back(transfer, own, owed, club, happened_at)
    short = owed - sum(points for _, points in taken)
    debt = short if programme.negative == "debt" else 0
    total = owed - short + debt
    if not total:
        return None
    waiting = [lot.id for lot, _ in taken if lot.is_pending and (own is None or lot.id != own.id)]
    if waiting:
        mature_lots(actor, lot_ids=waiting)  # their time has come, the job's has not
        taken = [
            (replace(lot, is_pending=lot.is_pending and lot.id not in waiting), points)
            for lot, points in taken
        ]
    posting = _reversal(actor, transfer, taken, debt, source, reason, happened_at)
    transfer_points(actor, postings=[posting])
    made = movements.transfer_from(club.id, source)
    member = db.session.get_one(Member, transfer.member_id)
    record(actor, "points.transfer.reversed", member, points=total, reason=reason)
    return made


def _settled_lot(
    actor: Actor, transfer: PointTransfer, club: Club, happened_at: datetime
) -> PointLot | None:
    """Return an award's lot after what time has done to it is in the books, job or no job."""
    lot = balances.lot_of(transfer.id)
    if lot is None:
        return None
    if lot.is_pending and lot.matures and lot.available_at <= happened_at:
        mature_lots(actor, lot_ids=[lot.id])
    if lot.expires_on is not None and lot.expires_on < clock.today(club.timezone):
        expire_lots(actor, club=club, day=lot.expires_on, lot_ids=[lot.id])
    return balances.lot_of(transfer.id)


def _expired(lot: PointLot | None) -> int:
    if lot is None:
        return 0
    uses = sa.select(sa.func.coalesce(sa.func.sum(LotUse.points), 0)).join(
        PointTransfer, PointTransfer.id == LotUse.transfer_id
    )
    expired = uses.where(LotUse.lot_id == lot.id, PointTransfer.kind == TransferKind.EXPIRE)
    return int(db.session.scalar(expired) or 0)


def _taken_back(
    transfer: PointTransfer,
    own: PointLot | None,
    owed: int,
    club: Club,
    happened_at: datetime,
) -> list[tuple[balances.Lot, int]]:
    """Return from which lots how much is taken: the award's own first."""
    lots: list[balances.Lot] = []
    if own is not None and own.remaining:
        lots.append(
            balances.Lot(own.id, own.remaining, own.earned_at, own.expires_on, own.is_pending)
        )
    spendable = balances.spendable_lots(transfer.member_id, club.timezone, happened_at)
    lots += [lot for lot in spendable if own is None or lot.id != own.id]
    taken = []
    for lot in lots:
        points = min(lot.remaining, owed)
        if points:
            taken.append((lot, points))
            owed -= points
    return taken


def _reversal(
    actor: Actor,
    transfer: PointTransfer,
    taken: list[tuple[balances.Lot, int]],
    debt: int,
    source: str,
    reason: str,
    happened_at: datetime,
) -> Posting:
    member_id = transfer.member_id
    by_kind = {AccountKind.DEBT: debt}
    for lot, points in taken:
        kind = AccountKind.PENDING if lot.is_pending else AccountKind.AVAILABLE
        by_kind[kind] = by_kind.get(kind, 0) + points
    codes = {kind: member_code(member_id, kind) for kind, points in by_kind.items() if points}
    accounts = open_accounts(actor, club_id=transfer.club_id, codes=codes.values())
    entries = [(accounts[code], -by_kind[kind]) for kind, code in codes.items()]
    total = sum(by_kind.values())
    sources = (
        sa.select(PointEntry.account_id, PointEntry.points)
        .join(PointAccount, PointAccount.id == PointEntry.account_id)
        .where(PointEntry.transfer_id == transfer.id, PointAccount.kind == AccountKind.SOURCE)
        .order_by(PointEntry.id)
    )
    rest = total
    for account_id, points in db.session.execute(sources):
        back = min(rest, -points)
        if back:
            entries.append((account_id, back))
            rest -= back
    return Posting(
        transfer.club_id,
        member_id,
        TransferKind.REVERSE,
        source,
        reason[:200],
        happened_at,
        -total,
        entries,
        uses=[(lot.id, points) for lot, points in taken],
        reverses_id=transfer.id,
    )
