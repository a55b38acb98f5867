"""What happened to points: transfers, statements, what was used, what audits found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from loyalty.clubs.models import Member
from loyalty.points.models import (
    AccountKind,
    LedgerAudit,
    LotUse,
    PointAccount,
    PointEntry,
    PointLot,
    PointTransfer,
    Purchase,
    TransferKind,
)
from portal.foundation.database import db


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
