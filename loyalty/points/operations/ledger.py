"""The ledger's one writer, and what every posting needs first: the member's lock and accounts.

Only the member is locked: no account carries a balance, so all members may post at once. On
PostgreSQL one posting is one statement; on SQLite, where a statement is no journey, several.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from loyalty.clubs.models import Member
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
from portal.foundation.actors import Actor
from portal.foundation.database import db, is_postgresql

TRANSFERS = cast(sa.Table, PointTransfer.__table__)
ENTRIES = cast(sa.Table, PointEntry.__table__)
LOTS = cast(sa.Table, PointLot.__table__)
USES = cast(sa.Table, LotUse.__table__)
ACCOUNTS = cast(sa.Table, PointAccount.__table__)


@dataclass(frozen=True, slots=True)
class NewLot:
    """Points that come in together; see PointLot."""

    points: int
    earned_at: datetime
    available_at: datetime
    expires_on: date | None
    is_pending: bool
    matures: bool


@dataclass(frozen=True, slots=True)
class Posting:
    """A transfer to be written.

    source: unique in the club. points: what the member has more by it. entries: account and signed
    points, summing to nothing. lot: what comes in. uses: lot and points taken from it.
    """

    club_id: int
    member_id: int
    kind: TransferKind
    source: str
    reason: str
    happened_at: datetime
    points: int
    entries: Sequence[tuple[int, int]]
    lot: NewLot | None = None
    uses: Sequence[tuple[int, int]] = ()
    version_id: int | None = None
    reverses_id: int | None = None
    explanation: Sequence[dict[str, Any]] = ()


def member_code(member_id: int, kind: AccountKind) -> str:
    """Return the code of a member's account."""
    return f"member:{member_id}:{kind.value}"


def source_code(rule: str) -> str:
    """Return the code of the account that a rule's points come from."""
    return f"source:{rule}"


def sink_code(way: str) -> str:
    """Return the code of the account that points go to: redeemed, expired."""
    return f"sink:{way}"


def lock_members(_actor: Actor, *, member_ids: Iterable[int]) -> None:
    """Hold the members' rows until the transaction ends, in one order, so that none wait in a ring.

    On SQLite the transaction itself keeps all others out.
    """
    if not is_postgresql():
        return
    ids = sorted(set(member_ids))
    rows = sa.select(Member.id).where(Member.id.in_(ids)).order_by(Member.id)
    db.session.execute(rows.with_for_update(key_share=True)).all()


def open_accounts(_actor: Actor, *, club_id: int, codes: Iterable[str]) -> dict[str, int]:
    """Return code → account of a club, opening those that are not there yet."""
    wanted = set(codes)
    found = _accounts(club_id, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        insert = (postgresql if is_postgresql() else sqlite).insert(ACCOUNTS)
        rows = [_account(club_id, code) for code in missing]
        db.session.connection().execute(insert.on_conflict_do_nothing(), rows)
        found |= _accounts(club_id, set(missing))
    return found


def _accounts(club_id: int, codes: set[str]) -> dict[str, int]:
    select = sa.select(ACCOUNTS.c.code, ACCOUNTS.c.id).where(
        ACCOUNTS.c.club_id == club_id, ACCOUNTS.c.code.in_(codes)
    )
    return {row.code: row.id for row in db.session.execute(select)}


def _account(club_id: int, code: str) -> dict[str, Any]:
    first, _, rest = code.partition(":")
    if first != "member":
        return {"club_id": club_id, "code": code, "kind": AccountKind(first), "member_id": None}
    member_id, _, kind = rest.partition(":")
    return {
        "club_id": club_id,
        "code": code,
        "kind": AccountKind(kind),
        "member_id": int(member_id),
    }


def transfer_points(actor: Actor, *, postings: Sequence[Posting]) -> list[int | None]:
    """Write transfers with their entries, lots and uses; return their keys.

    All are of one club, and the caller holds the members' locks. A single posting whose source is
    there already writes nothing and gives None; among several that is an error (IntegrityError)
    and nothing is kept.
    Refuses (ValueError) entries that do not sum to nothing.
    """
    for posting in postings:
        if sum(points for _, points in posting.entries):
            raise ValueError(f"the entries of {posting.source} do not sum to nothing")
    if not postings:
        return []
    if is_postgresql() and len(postings) == 1:
        return [_post_at_once(actor, postings[0])]
    return _post(actor, postings)


def _transfer(actor: Actor, posting: Posting, now: datetime) -> dict[str, Any]:
    return {
        "club_id": posting.club_id,
        "member_id": posting.member_id,
        "kind": posting.kind,
        "source": posting.source,
        "reason": posting.reason,
        "points": posting.points,
        "happened_at": posting.happened_at,
        "recorded_at": now,
        "programme_version_id": posting.version_id,
        "reverses_id": posting.reverses_id,
        "by_id": actor.user_id,
        "explanation": list(posting.explanation),
    }


def _lot(posting: Posting, lot: NewLot) -> dict[str, Any]:
    return {
        "club_id": posting.club_id,
        "member_id": posting.member_id,
        "points": lot.points,
        "remaining": lot.points,
        "earned_at": lot.earned_at,
        "available_at": lot.available_at,
        "expires_on": lot.expires_on,
        "is_pending": lot.is_pending,
        "matures": lot.matures,
    }


def _post(actor: Actor, postings: Sequence[Posting]) -> list[int | None]:
    connection = db.session.connection()
    now = clock.now()
    rows = [_transfer(actor, posting, now) for posting in postings]
    keys: list[int | None]
    if len(rows) == 1:
        once = sqlite.insert(TRANSFERS).values(**rows[0]).on_conflict_do_nothing()
        keys = [connection.scalar(once.returning(TRANSFERS.c.id))]
        if keys[0] is None:
            return keys
    else:
        many = sa.insert(TRANSFERS).returning(TRANSFERS.c.source, TRANSFERS.c.id)
        made = {row.source: row.id for row in connection.execute(many, rows)}
        keys = [made[posting.source] for posting in postings]
    both = list(zip(keys, postings, strict=True))
    _insert(
        ENTRIES,
        [
            {"transfer_id": key, "account_id": account, "points": points}
            for key, posting in both
            for account, points in posting.entries
        ],
    )
    _insert(
        LOTS,
        [
            _lot(posting, posting.lot) | {"transfer_id": key}
            for key, posting in both
            if posting.lot is not None
        ],
    )
    uses = [
        {"transfer_id": key, "lot_id": lot, "points": points}
        for key, posting in both
        for lot, points in posting.uses
    ]
    _insert(USES, uses)
    if uses:
        taken = LOTS.c.remaining - sa.bindparam("taken")
        update = sa.update(LOTS).where(LOTS.c.id == sa.bindparam("lot")).values(remaining=taken)
        rows = [{"lot": use["lot_id"], "taken": use["points"]} for use in uses]
        connection.execute(update, rows)
    return keys


def _insert(table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.connection().execute(sa.insert(table), rows)


def _post_at_once(actor: Actor, posting: Posting) -> int | None:
    """Write one posting as one statement; its parts see the key that the first one returns."""
    row = _transfer(actor, posting, clock.now())
    once = postgresql.insert(TRANSFERS).values(**row).on_conflict_do_nothing()
    made = once.returning(TRANSFERS.c.id).cte("made")
    parts = [_entries_part(made, posting)]
    if posting.lot is not None:
        lot = _lot(posting, posting.lot)
        values = [sa.literal(value, LOTS.c[name].type) for name, value in lot.items()]
        source = sa.select(made.c.id, *values)
        parts.append(sa.insert(LOTS).from_select(["transfer_id", *lot], source).cte("lot"))
    if posting.uses:
        parts.extend(_uses_parts(made, posting))
    statement = sa.select(made.c.id)
    for part in parts:
        statement = statement.add_cte(part)
    key: int | None = db.session.connection().scalar(statement)
    return key


def _pairs(name: str, first: str, pairs: Sequence[tuple[int, int]]) -> sa.Values:
    columns = (sa.column(first, sa.BigInteger), sa.column("points", sa.BigInteger))
    return sa.values(*columns, name=name).data(list(pairs))


def _entries_part(made: sa.CTE, posting: Posting) -> sa.CTE:
    sides = _pairs("sides", "account_id", posting.entries)
    source = sa.select(made.c.id, sides.c.account_id, sides.c.points).select_from(
        made.join(sides, sa.true())
    )
    names = ["transfer_id", "account_id", "points"]
    return sa.insert(ENTRIES).from_select(names, source).cte("entries")


def _uses_parts(made: sa.CTE, posting: Posting) -> list[sa.CTE]:
    taken = _pairs("taken", "lot_id", posting.uses)
    source = sa.select(made.c.id, taken.c.lot_id, taken.c.points).select_from(
        made.join(taken, sa.true())
    )
    names = ["transfer_id", "lot_id", "points"]
    from_lots = _pairs("from_lots", "lot_id", posting.uses)
    update = (
        sa.update(LOTS)
        .where(LOTS.c.id == from_lots.c.lot_id, sa.exists(sa.select(made.c.id)))
        .values(remaining=LOTS.c.remaining - from_lots.c.points)
    )
    return [sa.insert(USES).from_select(names, source).cte("uses"), update.cte("lots")]
