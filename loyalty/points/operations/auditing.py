"""Recomputing the ledger: what entries, lots and uses say must be the same."""

from typing import Any

import sqlalchemy as sa

from loyalty.points.models import AccountKind, LedgerAudit
from loyalty.points.operations.ledger import ACCOUNTS, ENTRIES, LOTS, TRANSFERS, USES
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, is_postgresql

MOST_FINDINGS = 20
OWN = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD, AccountKind.DEBT)


def audit_ledger(_actor: Actor) -> LedgerAudit:
    """Recompute every balance and keep the result.

    Each check is one statement, so that it sees one instant while others post. unbalanced counts
    transfers whose entries do not sum to nothing. drifted counts member's accounts that differ from
    their lots or are on the wrong side of nothing, lots that differ from their uses, and transfers
    that say other points than their entries.
    """
    if is_postgresql():
        db.session.connection().exec_driver_sql("SET LOCAL statement_timeout = 0")
    findings: list[dict[str, Any]] = []
    unbalanced = _found("unbalanced", _unbalanced(), findings)
    drifted = sum(
        _found(what, select, findings)
        for what, select in (
            ("account", _drifted_accounts()),
            ("side", _wrong_sides()),
            ("lot", _drifted_lots()),
            ("transfer", _drifted_transfers()),
        )
    )
    result = LedgerAudit(
        at=clock.now(),
        accounts=_count(ACCOUNTS),
        transfers=_count(TRANSFERS),
        entries=_count(ENTRIES),
        unbalanced=unbalanced,
        drifted=drifted,
        findings=findings,
    )
    db.session.add(result)
    db.session.flush()  # the caller reads it
    return result


def _count(table: sa.Table) -> int:
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _found(what: str, select: sa.Select[Any], findings: list[dict[str, Any]]) -> int:
    """Count what a check found, and keep the first: its key, what is written, what should be."""
    count = 0
    for key, written, due in db.session.execute(select, execution_options={"yield_per": 1_000}):
        count += 1
        if len(findings) < MOST_FINDINGS:
            findings.append({"what": what, "id": key, "found": int(written), "due": int(due)})
    return count


def _unbalanced() -> sa.Select[Any]:
    total = sa.func.coalesce(sa.func.sum(ENTRIES.c.points), 0)
    count = sa.func.count(ENTRIES.c.id)
    moves = TRANSFERS.c.points != 0
    return (
        sa.select(TRANSFERS.c.id, total, sa.literal(0))
        .select_from(TRANSFERS.outerjoin(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id))
        .group_by(TRANSFERS.c.id, TRANSFERS.c.points)
        .having(sa.or_(total != 0, sa.and_(moves, count < 2)))
    )


def _account_sums() -> sa.Subquery:
    return (
        sa.select(
            ACCOUNTS.c.id,
            ACCOUNTS.c.member_id,
            ACCOUNTS.c.kind,
            sa.func.coalesce(sa.func.sum(ENTRIES.c.points), 0).label("points"),
        )
        .select_from(ACCOUNTS.outerjoin(ENTRIES, ENTRIES.c.account_id == ACCOUNTS.c.id))
        .where(ACCOUNTS.c.member_id.is_not(None))
        .group_by(ACCOUNTS.c.id, ACCOUNTS.c.member_id, ACCOUNTS.c.kind)
        .subquery("sums")
    )


def _drifted_accounts() -> sa.Select[Any]:
    """Return available and pending accounts that are not what is left of their lots.

    Lots without an account are found from the lots' side.
    """
    sums = _account_sums()
    kind = sa.case(
        (LOTS.c.is_pending, sa.literal(AccountKind.PENDING, ACCOUNTS.c.kind.type)),
        else_=sa.literal(AccountKind.AVAILABLE, ACCOUNTS.c.kind.type),
    )
    left = (
        sa.select(
            LOTS.c.member_id, kind.label("kind"), sa.func.sum(LOTS.c.remaining).label("points")
        )
        .group_by(LOTS.c.member_id, kind)
        .subquery("left")
    )
    same = sa.and_(left.c.member_id == sums.c.member_id, left.c.kind == sums.c.kind)
    due, found = sa.func.coalesce(left.c.points, 0), sa.func.coalesce(sums.c.points, 0)
    from_accounts = (
        sa.select(sums.c.id, found, due)
        .select_from(sums.outerjoin(left, same))
        .where(sums.c.kind.in_([AccountKind.AVAILABLE, AccountKind.PENDING]), found != due)
    )
    from_lots = (
        sa.select(left.c.member_id, sa.literal(0), due)
        .select_from(left.outerjoin(sums, same))
        .where(sums.c.id.is_(None), due != 0)
    )
    both = sa.union_all(from_accounts, from_lots).subquery()
    return sa.select(*both.c)


def _wrong_sides() -> sa.Select[Any]:
    """Return accounts below nothing that may not be, and debts above it."""
    sums = _account_sums()
    below = sa.and_(sums.c.kind != AccountKind.DEBT, sums.c.points < 0)
    above = sa.and_(sums.c.kind == AccountKind.DEBT, sums.c.points > 0)
    return sa.select(sums.c.id, sums.c.points, sa.literal(0)).where(sa.or_(below, above))


def _drifted_lots() -> sa.Select[Any]:
    used = sa.func.coalesce(sa.func.sum(USES.c.points), 0)
    return (
        sa.select(LOTS.c.id, LOTS.c.remaining, LOTS.c.points - used)
        .select_from(LOTS.outerjoin(USES, USES.c.lot_id == LOTS.c.id))
        .group_by(LOTS.c.id, LOTS.c.remaining, LOTS.c.points)
        .having(LOTS.c.remaining != LOTS.c.points - used)
    )


def _drifted_transfers() -> sa.Select[Any]:
    """Return transfers that say other points than they put on their member's accounts."""
    own = sa.case((ACCOUNTS.c.kind.in_(OWN), ENTRIES.c.points), else_=0)
    total = sa.func.coalesce(sa.func.sum(own), 0)
    sides = TRANSFERS.outerjoin(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id).outerjoin(
        ACCOUNTS, ACCOUNTS.c.id == ENTRIES.c.account_id
    )
    foreign = sa.and_(
        ACCOUNTS.c.member_id.is_not(None), ACCOUNTS.c.member_id != TRANSFERS.c.member_id
    )
    strangers = sa.func.count(sa.case((foreign, 1)))
    return (
        sa.select(TRANSFERS.c.id, TRANSFERS.c.points, total)
        .select_from(sides)
        .group_by(TRANSFERS.c.id, TRANSFERS.c.points)
        .having(sa.or_(total != TRANSFERS.c.points, strangers > 0))
    )
