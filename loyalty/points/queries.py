"""Reads of the ledger: balances of any instant, lots, statements, purchases, redemptions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from loyalty.clubs.models import Club, Member
from loyalty.points import policy
from loyalty.points.models import (
    AccountKind,
    LedgerAudit,
    LotUse,
    PointAccount,
    PointEntry,
    PointLot,
    PointTransfer,
    Purchase,
    PurchaseLine,
    Redemption,
    TransferKind,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.errors import NotFound


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as spending sees it."""

    id: int
    remaining: int
    earned_at: datetime
    expires_on: date | None
    is_pending: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's points as of an instant; debt is a positive number."""

    available: int
    pending: int
    held: int
    debt: int
    lifetime: int
    next_expiry: tuple[int, date] | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as it is shown: what it came from, and what is left of it."""

    points: int
    remaining: int
    earned_at: datetime
    available_at: datetime
    expires_on: date | None
    source: str
    reason: str

    @property
    def cause(self) -> str:
        """Return what kind of thing they came from: the first word of the source."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An entry on one of a member's accounts, with that account's balance after it."""

    at: datetime
    kind: TransferKind
    account: AccountKind
    points: int
    balance_after: int
    reason: str
    source: str
    explanation: Sequence[dict[str, Any]]


def transfer_from(club_id: int, source: str) -> PointTransfer | None:
    """Return the transfer that `source` caused."""
    return db.session.scalar(
        sa.select(PointTransfer).where(
            PointTransfer.club_id == club_id, PointTransfer.source == source
        )
    )


def lot_of(transfer_id: int) -> PointLot | None:
    """Return the lot that a transfer brought, as the database has it now."""
    select = sa.select(PointLot).where(PointLot.transfer_id == transfer_id)
    return db.session.scalar(select.execution_options(populate_existing=True))


def debts(member_ids: Iterable[int]) -> dict[int, int]:
    """Return member → what is owed, for those who owe; at most 1,000 members."""
    owed = sa.func.sum(PointEntry.points)
    select = (
        sa.select(PointAccount.member_id, owed)
        .join(PointEntry, PointEntry.account_id == PointAccount.id)
        .where(PointAccount.member_id.in_(list(member_ids)), PointAccount.kind == AccountKind.DEBT)
        .group_by(PointAccount.member_id)
        .having(owed < 0)
    )
    rows = db.session.execute(select)
    return {member_id: -int(points) for member_id, points in rows if member_id is not None}


def _is_usable(at: datetime, day: date) -> sa.ColumnElement[bool]:
    """Return the condition for lots that may be spent at an instant, whatever jobs have run."""
    return sa.and_(PointLot.available_at <= at, _lasts(day))


def _lasts(day: date) -> sa.ColumnElement[bool]:
    return sa.or_(PointLot.expires_on.is_(None), PointLot.expires_on >= day)


def _spending_order() -> tuple[Any, ...]:
    """Soonest end first, then the oldest; what never ends comes last."""
    return (PointLot.expires_on.is_(None), PointLot.expires_on, PointLot.earned_at, PointLot.id)


def spendable_lots(member_id: int, zone: str, at: datetime) -> list[Lot]:
    """Return the lots that can be spent for something that happened at `at`, in spending order.

    They could be used then and still can be now.
    """
    now = clock.now()
    select = (
        sa.select(
            PointLot.id,
            PointLot.remaining,
            PointLot.earned_at,
            PointLot.expires_on,
            PointLot.is_pending,
        )
        .where(
            PointLot.member_id == member_id,
            PointLot.remaining > 0,
            PointLot.earned_at <= at,
            _is_usable(min(at, now), clock.local_date(max(at, now), zone)),
        )
        .order_by(*_spending_order())
    )
    return [Lot(*row) for row in db.session.execute(select)]


def balance(member: Member, club: Club, as_of: datetime | None = None) -> Balance:
    """Return a member's points as of an instant, now when None.

    A future instant answers as if nothing more happened: what matures until then has matured, what
    ends has ended. A past one answers what was true then, also where a job was late.
    """
    now = clock.now()
    at = as_of or now
    day = clock.local_date(at, club.timezone)
    left = PointLot.remaining if at >= now else _left_at(at)
    usable = sa.case((_is_usable(at, day), left), else_=0)
    waiting = sa.case((sa.and_(PointLot.available_at > at, _lasts(day)), left), else_=0)
    lots = [PointLot.member_id == member.id, PointLot.earned_at <= at]
    if at >= now:
        lots.append(PointLot.remaining > 0)
    sums = sa.select(
        sa.func.coalesce(sa.func.sum(usable), 0), sa.func.coalesce(sa.func.sum(waiting), 0)
    )
    available, pending = db.session.execute(sums.where(*lots)).one()
    ending = (
        sa.select(PointLot.expires_on, sa.func.sum(usable))
        .where(*lots, PointLot.expires_on >= day, _is_usable(at, day))
        .group_by(PointLot.expires_on)
        .having(sa.func.sum(usable) > 0)
        .order_by(PointLot.expires_on)
        .limit(1)
    )
    first = db.session.execute(ending).first()
    return Balance(
        available=int(available),
        pending=int(pending),
        held=0,
        debt=_debt_at(member.id, at),
        lifetime=_lifetime_at(member.id, at),
        next_expiry=(int(first[1]), first[0]) if first else None,
        as_of=at,
    )


def balances(member_ids: Iterable[int]) -> dict[int, int]:
    """Return member → what can be spent now, for those who have anything; at most 1,000 members."""
    ids = list(member_ids)
    zones = sa.select(Club.id, Club.timezone).where(
        Club.id.in_(sa.select(Member.club_id).where(Member.id.in_(ids)))
    )
    now = clock.now()
    found: dict[int, int] = {}
    for club_id, zone in db.session.execute(zones).all():
        sums = (
            sa.select(PointLot.member_id, sa.func.sum(PointLot.remaining))
            .where(
                PointLot.club_id == club_id,
                PointLot.member_id.in_(ids),
                PointLot.remaining > 0,
                _is_usable(now, clock.local_date(now, zone)),
            )
            .group_by(PointLot.member_id)
        )
        found |= {member_id: int(points) for member_id, points in db.session.execute(sums)}
    return found


def _left_at(at: datetime) -> sa.ColumnElement[int]:
    """Return what was left of a lot at a past instant; its end is a question of the date alone."""
    taken = (
        sa.select(sa.func.coalesce(sa.func.sum(LotUse.points), 0))
        .join(PointTransfer, PointTransfer.id == LotUse.transfer_id)
        .where(
            LotUse.lot_id == PointLot.id,
            PointTransfer.kind != TransferKind.EXPIRE,
            PointTransfer.happened_at <= at,
        )
        .correlate(PointLot)
        .scalar_subquery()
    )
    return PointLot.points - taken


def _debt_at(member_id: int, at: datetime) -> int:
    owed = (
        sa.select(sa.func.coalesce(sa.func.sum(PointEntry.points), 0))
        .join(PointAccount, PointAccount.id == PointEntry.account_id)
        .join(PointTransfer, PointTransfer.id == PointEntry.transfer_id)
        .where(
            PointAccount.member_id == member_id,
            PointAccount.kind == AccountKind.DEBT,
            PointTransfer.happened_at <= at,
        )
    )
    return -int(db.session.scalar(owed) or 0)


def _lifetime_at(member_id: int, at: datetime) -> int:
    earned = sa.select(sa.func.coalesce(sa.func.sum(PointTransfer.points), 0)).where(
        PointTransfer.member_id == member_id,
        PointTransfer.kind.in_([TransferKind.EARN, TransferKind.REVERSE]),
        PointTransfer.happened_at <= at,
    )
    return int(db.session.scalar(earned) or 0)


def lots(member: Member, club: Club) -> list[LotRow]:
    """Return what a member has left that has not ended, soonest end first."""
    select = (
        sa.select(
            PointLot.points,
            PointLot.remaining,
            PointLot.earned_at,
            PointLot.available_at,
            PointLot.expires_on,
            PointTransfer.source,
            PointTransfer.reason,
        )
        .join(PointTransfer, PointTransfer.id == PointLot.transfer_id)
        .where(
            PointLot.member_id == member.id,
            PointLot.remaining > 0,
            _lasts(clock.today(club.timezone)),
        )
        .order_by(*_spending_order())
    )
    return [LotRow(*row) for row in db.session.execute(select)]


def statement(
    member: Member, *, since: datetime | None = None, until: datetime | None = None
) -> list[StatementLine]:
    """Return the entries on a member's accounts in order, each with its account's balance after.

    since, until: instants, the first included, the second not; balances count what was before.
    """
    running = sa.func.sum(PointEntry.points).over(
        partition_by=PointAccount.id, order_by=(PointTransfer.happened_at, PointEntry.id)
    )
    inner = (
        sa.select(
            PointTransfer.happened_at.label("at"),
            PointTransfer.kind,
            PointAccount.kind.label("account"),
            PointEntry.points,
            running.label("balance_after"),
            PointTransfer.reason,
            PointTransfer.source,
            PointTransfer.explanation,
            PointEntry.id.label("entry_id"),
        )
        .join(PointTransfer, PointTransfer.id == PointEntry.transfer_id)
        .join(PointAccount, PointAccount.id == PointEntry.account_id)
        .where(PointAccount.member_id == member.id)
        .subquery()
    )
    select = sa.select(*(column for column in inner.c if column.key != "entry_id")).order_by(
        inner.c.at, inner.c.entry_id
    )
    if since is not None:
        select = select.where(inner.c.at >= since)
    if until is not None:
        select = select.where(inner.c.at < until)
    return [StatementLine(*row) for row in db.session.execute(select)]


def transfers_of(
    member: Member, *, limit: int, before: tuple[datetime, int] | None = None
) -> list[PointTransfer]:
    """Return what happened to a member's points, the latest first; maturing is left out.

    before: happened_at and key of the last one seen, for the next page.
    """
    select = sa.select(PointTransfer).where(
        PointTransfer.member_id == member.id, PointTransfer.kind != TransferKind.MATURE
    )
    order = (PointTransfer.happened_at, PointTransfer.id)
    if before is not None:
        edge = (sa.literal(before[0], PointTransfer.happened_at.type), sa.literal(before[1]))
        select = select.where(sa.tuple_(*order) < sa.tuple_(*edge))
    newest = select.order_by(*(column.desc() for column in order))
    return list(db.session.scalars(newest.limit(limit)))


def purchase_select(actor: Actor, club: Club) -> sa.Select[Any]:
    """Return the club's purchases that the actor may see."""
    return sa.select(Purchase).where(
        Purchase.club_id == club.id, policy.purchases_visible_to(actor)
    )


def purchase_for(actor: Actor, club: Club, purchase_id: str) -> Purchase:
    """Return a purchase by the shop's key; refuses (NotFound) one not to be seen."""
    select = purchase_select(actor, club).where(Purchase.purchase_id == purchase_id)
    found: Purchase | None = db.session.scalar(select)
    if found is None:
        raise NotFound
    return found


def lines_of(purchase: Purchase) -> list[PurchaseLine]:
    """Return a purchase's lines in the order they were told."""
    select = sa.select(PurchaseLine).where(PurchaseLine.purchase_id == purchase.id)
    return list(db.session.scalars(select.order_by(PurchaseLine.id)))


def purchases_of(member: Member, limit: int) -> list[Purchase]:
    """Return a member's latest purchases."""
    select = sa.select(Purchase).where(Purchase.member_id == member.id)
    order = (Purchase.happened_at.desc(), Purchase.id.desc())
    return list(db.session.scalars(select.order_by(*order).limit(limit)))


def redemption_select(actor: Actor) -> sa.Select[Any]:
    """Return the redemptions that the actor may see."""
    return sa.select(Redemption).where(policy.redemptions_visible_to(actor))


def redemption_for(actor: Actor, redemption_id: int) -> Redemption:
    """Return a redemption; refuses (NotFound) one that is not the actor's to see."""
    found: Redemption | None = db.session.scalar(
        redemption_select(actor).where(Redemption.id == redemption_id)
    )
    if found is None:
        raise NotFound
    return found


def used_lots(transfer_ids: Sequence[int]) -> dict[int, list[tuple[datetime, date | None, int]]]:
    """Return transfer → when the lots it took from began and end, and the points taken."""
    select = (
        sa.select(LotUse.transfer_id, PointLot.earned_at, PointLot.expires_on, LotUse.points)
        .join(PointLot, PointLot.id == LotUse.lot_id)
        .where(LotUse.transfer_id.in_(transfer_ids))
        .order_by(LotUse.id)
    )
    found: dict[int, list[tuple[datetime, date | None, int]]] = {}
    for transfer_id, earned_at, expires_on, points in db.session.execute(select):
        found.setdefault(transfer_id, []).append((earned_at, expires_on, points))
    return found


def awards_of(
    purchases: Sequence[Purchase],
) -> dict[int | None, tuple[list[Any], datetime | None]]:
    """Return transfer → its explanation and from when its points can be used."""
    ids = [one.transfer_id for one in purchases if one.transfer_id is not None]
    select = (
        sa.select(PointTransfer.id, PointTransfer.explanation, PointLot.available_at)
        .outerjoin(PointLot, PointLot.transfer_id == PointTransfer.id)
        .where(PointTransfer.id.in_(ids))
    )
    return {
        key: (explanation, available_at)
        for key, explanation, available_at in db.session.execute(select)
    }


def latest_audit() -> LedgerAudit | None:
    """Return what the last recomputation of the ledger found."""
    return db.session.scalar(sa.select(LedgerAudit).order_by(LedgerAudit.id.desc()).limit(1))


def audits(limit: int = 30) -> list[LedgerAudit]:
    """Return what the last recomputations found, the newest first."""
    select = sa.select(LedgerAudit).order_by(LedgerAudit.id.desc())
    return list(db.session.scalars(select.limit(limit)))
