"""Purchases from files: rows are staged, then settled purchase by purchase in bulk.

The rules are the very functions that a single purchase goes through, so both give the same points.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql

from loyalty.clubs import policy
from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Line
from loyalty.points.models import Purchase, PurchaseLine, StagedLine
from loyalty.points.operations.ledger import lock_members
from loyalty.points.operations.purchases import Told, record_purchases
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, in_chunks, is_postgresql
from portal.foundation.i18n import _l
from portal.foundation.imports.columns import (
    Column,
    Currency,
    Decimal4,
    Instant,
    Text,
)
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    register,
    rejected,
    staged,
)
from portal.foundation.money import to_scaled

STAGED = cast(sa.Table, StagedLine.__table__)
PURCHASES = cast(sa.Table, Purchase.__table__)
LINES = cast(sa.Table, PurchaseLine.__table__)
NAMES = (
    "token", "file_line", "purchase_id", "member", "happened", "currency", "line", "sku",
    "category", "quantity", "amount", "staged_day",
)  # fmt: skip
BATCH = 1_000
COMMAND = "command"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_STAGED = staged()
Cells = tuple[Any, ...]


class _Part(NamedTuple):
    """A staged line."""

    id: int
    file_line: int
    purchase_id: str
    member: str
    happened: int
    currency: str
    line: str
    sku: str | None
    category: str | None
    quantity: int
    amount: int

    @property
    def content(self) -> Cells:
        """Return all but where it stands."""
        return self[2:]


def _stage(rows: list[Cells]) -> None:
    """Insert staged lines as fast as the database takes them: plain values, no statement a row."""
    connection = db.session.connection()
    if is_postgresql():
        names = sql.SQL(", ").join(map(sql.Identifier, NAMES))
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(STAGED.name), names)
        driver = cast(psycopg.Connection, connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(copy) as stream:
            for row in rows:
                stream.write_row(row)
        return
    insert = sa.insert(STAGED).values({name: sa.bindparam(name) for name in NAMES})
    connection.exec_driver_sql(str(insert.compile(dialect=connection.dialect)), rows)


class PurchaseImport:
    """Stages lines of the purchases of one club and settles them."""

    def __init__(self, actor: Actor, context: Context) -> None:
        """Get ready; refuses (NotFound) a club that is not there."""
        self.actor = actor
        self.club = clubs.club_for(actor, context.club or "")
        # Runs of the command line share a name; each stages under its own.
        own = secrets.token_hex(8) if context.token == COMMAND else ""
        self.token = f"{context.token}:{own}"[:80]
        self.now = clock.now()
        self.today = (self.now - EPOCH).days

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Stage the rows of a batch that can be."""
        outcomes, rows = [], []
        for row in batch:
            refusal = self._refusal(row.values)
            if refusal is None:
                rows.append(self._staged(row))
            outcomes.append(refusal or _STAGED)
        if rows:
            _stage(rows)
        return outcomes

    def _refusal(self, values: dict[str, Any]) -> Outcome | None:
        if values["currency"] != self.club.currency:
            sentence = _l("This club counts in %(currency)s.", currency=self.club.currency)
            return rejected("currency", sentence)
        if values["happened_at"] > self.now:
            return rejected("happened_at", _l("This is still to come."))
        return None

    def _staged(self, row: Row) -> Cells:
        """Return a row's values in the order of NAMES."""
        values = row.values
        quantity = values["quantity"]
        return (
            self.token,
            row.line,
            values["purchase_id"],
            values["member"],
            (values["happened_at"] - EPOCH) // MICROSECOND,
            values["currency"],
            values["line"] or "1",
            values["sku"],
            values["category"],
            10_000 if quantity is None else to_scaled(quantity),
            to_scaled(values["amount"]),
            self.today,
        )

    def finish(self) -> Iterator[Settled]:
        """Settle the staged purchases, some at a time, each time in a transaction of its own."""
        left_behind = STAGED.c.staged_day < self.today - 1
        db.session.connection().execute(sa.delete(STAGED).where(left_behind))
        yield Settled()
        after = ""
        while True:
            keys = self._next_keys(after)
            if not keys:
                return
            after = keys[-1]
            yield self._settle(keys)

    def _next_keys(self, after: str) -> list[str]:
        select = (
            sa.select(STAGED.c.purchase_id)
            .where(STAGED.c.token == self.token, STAGED.c.purchase_id > after)
            .distinct()
            .order_by(STAGED.c.purchase_id)
            .limit(BATCH)
        )
        return list(db.session.scalars(select))

    def _settle(self, keys: list[str]) -> Settled:
        meant = (
            STAGED.c.token == self.token,
            STAGED.c.purchase_id >= keys[0],
            STAGED.c.purchase_id <= keys[-1],
        )
        order = (STAGED.c.purchase_id, STAGED.c.file_line)
        columns = [STAGED.c[name] for name in _Part._fields]
        rows = db.session.execute(sa.select(*columns).where(*meant).order_by(*order))
        parts = [_Part(*row) for row in rows]
        settled = Settled()
        members = clubs.members_named(self.club, {part.member for part in parts})
        lock_members(self.actor, member_ids=members.values())
        known = self._known(keys)
        told: list[Told] = []
        repeated: list[int] = []
        for key, group in groupby(parts, lambda part: part.purchase_id):
            lines = self._lines(list(group), settled, repeated)
            one = self._told(key, lines, members, settled)
            if one is None:
                continue
            before = known.get(key)
            if before is None:
                told.append(one)
                settled.created += len(lines)
            elif before == (one.fingerprint(), one.happened_at):
                settled.unchanged += len(lines)
            else:
                sentence = _l("The purchase %(key)s is known with other content.", key=key)
                settled.rejected += [(part.file_line, "purchase_id", sentence) for part in lines]
        made = record_purchases(self.actor, club=self.club, told=told)
        self._insert_lines(made, meant, repeated)
        db.session.connection().execute(sa.delete(STAGED).where(*meant))
        return settled

    def _known(self, keys: list[str]) -> dict[str, tuple[str, datetime]]:
        select = sa.select(Purchase.purchase_id, Purchase.fingerprint, Purchase.happened_at)
        mine = select.where(Purchase.club_id == self.club.id, Purchase.purchase_id.in_(keys))
        rows = db.session.execute(mine)
        return {row.purchase_id: (row.fingerprint, row.happened_at) for row in rows}

    @staticmethod
    def _lines(parts: list[_Part], settled: Settled, repeated: list[int]) -> list[_Part]:
        """Return the lines without repetitions; one of a known key with other values is refused."""
        by_key: dict[str, _Part] = {}
        for part in parts:
            before = by_key.setdefault(part.line, part)
            if before is part:
                continue
            repeated.append(part.id)
            if before.content == part.content:
                settled.unchanged += 1
            else:
                sentence = _l("Line %(line)s of the file has the same key.", line=before.file_line)
                settled.rejected.append((part.file_line, "line", sentence))
        return list(by_key.values())

    @staticmethod
    def _told(
        key: str, lines: list[_Part], members: dict[str, int], settled: Settled
    ) -> Told | None:
        """Return the purchase; None, with its lines refused, when it cannot be."""
        member = lines[0].member
        if member not in members:
            sentence = _l("There is no member %(member)s in this club.", member=member)
            settled.rejected += [(part.file_line, "member", sentence) for part in lines]
            return None
        if any(part.member != member for part in lines):
            sentence = _l("The lines of this purchase name different members.")
            settled.rejected += [(part.file_line, "member", sentence) for part in lines]
            return None
        # A till that takes a while writes two instants on one invoice; the first one counts.
        happened_at = EPOCH + min(part.happened for part in lines) * MICROSECOND
        return Told(
            key,
            members[member],
            happened_at,
            lines[0].currency,
            [
                Line(part.line, part.amount, part.quantity, part.sku, part.category)
                for part in lines
            ],
        )

    def _insert_lines(
        self,
        made: dict[str, int],
        meant: tuple[sa.ColumnElement[bool], ...],
        repeated: list[int],
    ) -> None:
        """Copy the staged lines of new purchases over, the first of each key."""
        if not made:
            return
        connection = db.session.connection()
        for some in in_chunks(repeated):
            connection.execute(sa.delete(STAGED).where(STAGED.c.id.in_(some)))
        new = (
            PURCHASES.c.club_id == self.club.id,
            PURCHASES.c.purchase_id == STAGED.c.purchase_id,
            PURCHASES.c.id >= min(made.values()),  # those that were known have their lines
        )
        names = ("line", "sku", "category", "quantity", "amount")
        source = (
            sa.select(PURCHASES.c.id, *(STAGED.c[name] for name in names))
            .select_from(STAGED.join(PURCHASES, sa.and_(*new)))
            .where(*meant)
            .order_by(STAGED.c.purchase_id, STAGED.c.file_line)
        )
        connection.execute(sa.insert(LINES).from_select(["purchase_id", *names], source))


def _zone(context: Context) -> str:
    select = sa.select(Club.timezone).where(Club.code == (context.club or "").lower())
    return db.session.scalar(select) or "UTC"


def export(context: Context) -> Iterator[dict[str, Any]]:
    """Yield the lines of the club's purchases by purchase."""
    member = sa.func.coalesce(Member.external_id, Member.number)
    select = (
        sa.select(
            Purchase.purchase_id,
            member.label("member"),
            Purchase.happened_at,
            PurchaseLine.amount,
            Purchase.currency,
            PurchaseLine.line,
            PurchaseLine.sku,
            PurchaseLine.category,
            PurchaseLine.quantity,
        )
        .join(Purchase, Purchase.id == PurchaseLine.purchase_id)
        .join(Member, Member.id == Purchase.member_id)
        .join(Club, Club.id == Purchase.club_id)
        .where(Club.code == (context.club or "").lower())
        .order_by(Purchase.purchase_id, PurchaseLine.id)
    )
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        yield row._asdict()


register(
    ImportKind(
        name="purchases",
        label=_l("Purchases"),
        key=("purchase_id", "line"),
        columns=(
            Column("purchase_id", Text(80), True, _l("The shop's own key of the purchase.")),
            Column("member", Text(80), True, _l("External id or card number.")),
            Column("happened_at", Instant(), True, _l("When it was bought.")),
            Column("amount", Decimal4(minimum=0), True, _l("For the whole line.")),
            Column("currency", Currency(), True, _l("The club's currency.")),
            Column("line", Text(40), doc=_l("The line's key within the purchase; 1 when empty.")),
            Column("sku", Text(80), doc=_l("What was bought.")),
            Column("category", Text(80), doc=_l("What kind of thing it is.")),
            Column("quantity", Decimal4(minimum=0), doc=_l("How many; 1 when empty.")),
        ),
        handler=PurchaseImport,
        policy=policy.may_run_clubs,
        export=export,
        needs_club=True,
        batch_size=5_000,
        repeats=True,
        whole_file=True,
        zone=_zone,
    )
)
