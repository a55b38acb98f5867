"""What members have: balances of any instant, lots in the order of spending, debts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from loyalty.clubs.models import Club, Member
from loyalty.points.models import (
    AccountKind,
    LotUse,
    PointAccount,
    PointEntry,
    PointLot,
    PointTransfer,
    TransferKind,
)
from portal.foundation import clock
from portal.foundation.database import db


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
