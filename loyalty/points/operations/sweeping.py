"""What time does to points, in sets: pending points become usable, expired ones go.

Balances do not wait for these: they write into the books what the dates have said already, at the
instant when it became true.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from loyalty.clubs.models import Club
from loyalty.points.models import AccountKind, TransferKind
from loyalty.points.operations.ledger import (
    ACCOUNTS,
    ENTRIES,
    LOTS,
    TRANSFERS,
    USES,
    lock_members,
    member_code,
    open_accounts,
    sink_code,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, in_chunks

BATCH = 2_000
MOST_KEYS = 500


def mature_lots(actor: Actor, *, lot_ids: Sequence[int]) -> int:
    """Move lots whose instant has come from pending to available; return how many.

    Lots that are moved already are left alone. Takes the members' locks.
    """
    done = 0
    for ids in in_chunks(list(lot_ids), MOST_KEYS):
        due = sa.and_(
            LOTS.c.id.in_(ids),
            LOTS.c.is_pending,
            LOTS.c.matures,
            LOTS.c.available_at <= clock.now(),
        )
        _prepare(actor, due, AccountKind.AVAILABLE)
        full = sa.and_(due, LOTS.c.remaining > 0)
        source = sa.literal("matured:") + sa.cast(LOTS.c.id, sa.String)
        _insert_transfers(
            actor, full, TransferKind.MATURE, source, LOTS.c.available_at, sa.literal(0)
        )
        _insert_entries(full, source, AccountKind.PENDING, -LOTS.c.remaining)
        _insert_entries(full, source, AccountKind.AVAILABLE, LOTS.c.remaining)
        update = sa.update(LOTS).where(due).values(is_pending=False).returning(LOTS.c.id)
        done += len(_execute(update).all())
    return done


def due_lots(_actor: Actor, *, limit: int = BATCH) -> list[int]:
    """Return lots that became usable but still stand as pending, the earliest first."""
    select = (
        sa.select(LOTS.c.id)
        .where(LOTS.c.is_pending, LOTS.c.matures, LOTS.c.available_at <= clock.now())
        .order_by(LOTS.c.available_at, LOTS.c.id)
        .limit(limit)
    )
    return list(db.session.scalars(select))


def expired_lots(_actor: Actor, *, club: Club, limit: int = BATCH) -> tuple[date, list[int]] | None:
    """Return the earliest day on which points of the club ended, and lots that ended on it."""
    ended = (
        LOTS.c.club_id == club.id,
        LOTS.c.remaining > 0,
        LOTS.c.expires_on < clock.today(club.timezone),
    )
    day = db.session.scalar(
        sa.select(LOTS.c.expires_on).where(*ended).order_by(LOTS.c.expires_on).limit(1)
    )
    if day is None:
        return None
    select = sa.select(LOTS.c.id).where(*ended, LOTS.c.expires_on == day)
    return day, list(db.session.scalars(select.order_by(LOTS.c.id).limit(limit)))


def expire_lots(actor: Actor, *, club: Club, day: date, lot_ids: Sequence[int]) -> int:
    """Take what is left of lots that ended on `day`, as of that day's end; return how many lots.

    Lots that were emptied meanwhile are left alone. Takes the members' locks. Refuses
    (ValueError) a day that is not over in the club's zone.
    """
    if day >= clock.today(club.timezone):
        raise ValueError(f"{day} is not over in {club.timezone}")
    over_at = clock.day_end(day, club.timezone)
    done = 0
    for ids in in_chunks(list(lot_ids), MOST_KEYS):
        ended = sa.and_(LOTS.c.id.in_(ids), LOTS.c.expires_on == day, LOTS.c.remaining > 0)
        _prepare(actor, ended)
        source = sa.literal("expired:") + sa.cast(LOTS.c.id, sa.String) + f":{day.isoformat()}"
        happened = sa.literal(over_at, LOTS.c.available_at.type)
        _insert_transfers(actor, ended, TransferKind.EXPIRE, source, happened, -LOTS.c.remaining)
        codes = {sink_code("expired")}
        sink = open_accounts(actor, club_id=club.id, codes=codes)[sink_code("expired")]
        for kind, is_pending in ((AccountKind.AVAILABLE, False), (AccountKind.PENDING, True)):
            stood = sa.and_(ended, LOTS.c.is_pending == is_pending)
            _insert_entries(stood, source, kind, -LOTS.c.remaining)
        _insert_sink_entries(ended, source, sink)
        uses = sa.select(TRANSFERS.c.id, LOTS.c.id, LOTS.c.remaining).select_from(
            _with_transfer(source)
        )
        names = ["transfer_id", "lot_id", "points"]
        _execute(sa.insert(USES).from_select(names, uses.where(ended)))
        update = sa.update(LOTS).where(ended).values(remaining=0).returning(LOTS.c.id)
        done += len(_execute(update).all())
    return done


def _execute(statement: sa.Executable) -> sa.CursorResult[Any]:
    return db.session.connection().execute(statement)


def _prepare(actor: Actor, meant: sa.ColumnElement[bool], opens: AccountKind | None = None) -> None:
    """Lock the members of the lots that are meant, and open their accounts of a kind."""
    lots = sa.select(LOTS.c.member_id, LOTS.c.club_id).where(meant).distinct()
    members = db.session.execute(lots).all()
    lock_members(actor, member_ids=[member_id for member_id, _ in members])
    if opens is None:
        return
    by_club: dict[int, set[str]] = {}
    for member_id, club_id in members:
        by_club.setdefault(club_id, set()).add(member_code(member_id, opens))
    for club_id, codes in by_club.items():
        open_accounts(actor, club_id=club_id, codes=codes)


def _insert_transfers(
    actor: Actor,
    meant: sa.ColumnElement[bool],
    kind: TransferKind,
    source: sa.ColumnElement[str],
    happened_at: sa.ColumnElement[Any],
    points: sa.ColumnElement[int],
) -> None:
    brought = TRANSFERS.alias("brought")
    values = {
        "club_id": LOTS.c.club_id,
        "member_id": LOTS.c.member_id,
        "kind": sa.literal(kind, TRANSFERS.c.kind.type),
        "source": source,
        "reason": brought.c.reason,
        "points": points,
        "happened_at": happened_at,
        "recorded_at": sa.literal(clock.now(), TRANSFERS.c.recorded_at.type),
        "by_id": sa.literal(actor.user_id, TRANSFERS.c.by_id.type),
        "explanation": sa.literal([], TRANSFERS.c.explanation.type),
    }
    select = (
        sa.select(*values.values())
        .select_from(LOTS.join(brought, brought.c.id == LOTS.c.transfer_id))
        .where(meant)
        .order_by(LOTS.c.id)
    )
    _execute(sa.insert(TRANSFERS).from_select(list(values), select))


def _with_transfer(source: sa.ColumnElement[str]) -> sa.Join:
    same = sa.and_(TRANSFERS.c.club_id == LOTS.c.club_id, TRANSFERS.c.source == source)
    return LOTS.join(TRANSFERS, same)


def _insert_entries(
    meant: sa.ColumnElement[bool],
    source: sa.ColumnElement[str],
    kind: AccountKind,
    points: sa.ColumnElement[int],
) -> None:
    """Enter `points` on the members' accounts of a kind for the transfers of `source`."""
    mine = sa.and_(ACCOUNTS.c.member_id == LOTS.c.member_id, ACCOUNTS.c.kind == kind)
    select = (
        sa.select(TRANSFERS.c.id, ACCOUNTS.c.id, points)
        .select_from(_with_transfer(source).join(ACCOUNTS, mine))
        .where(meant)
    )
    names = ["transfer_id", "account_id", "points"]
    _execute(sa.insert(ENTRIES).from_select(names, select))


def _insert_sink_entries(
    meant: sa.ColumnElement[bool], source: sa.ColumnElement[str], sink: int
) -> None:
    select = sa.select(
        TRANSFERS.c.id, sa.literal(sink, sa.BigInteger), LOTS.c.remaining
    ).select_from(_with_transfer(source))
    names = ["transfer_id", "account_id", "points"]
    _execute(sa.insert(ENTRIES).from_select(names, select.where(meant)))
