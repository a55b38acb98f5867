"""Purchases from files: rows are staged, then settled purchase by purchase in bulk.

The rules are the very functions that a single purchase goes through, so both give the same points.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

import sqlalchemy as sa

from loyalty.clubs import policy
from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Line
from loyalty.points.models import Purchase, PurchaseLine, StagedLine
from loyalty.points.operations.ledger import lock_members
from loyalty.points.operations.purchases import Told, record_purchases
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
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
LINES = cast(sa.Table, PurchaseLine.__table__)
BATCH = 1_000
FORGOTTEN_AFTER = timedelta(days=1)
COMMAND = "command"
_STAGED = staged()
_Part = tuple[int, str, str, datetime, str, str, str | None, str | None, int, int]


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

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Stage the rows of a batch that can be."""
        outcomes, rows = [], []
        for row in batch:
            refusal = self._refusal(row.values)
            if refusal is None:
                rows.append(self._staged(row))
            outcomes.append(refusal or _STAGED)
        if rows:
            db.session.connection().execute(sa.insert(STAGED), rows)
        return outcomes

    def _refusal(self, values: dict[str, Any]) -> Outcome | None:
        if values["currency"] != self.club.currency:
            sentence = _l("This club counts in %(currency)s.", currency=self.club.currency)
            return rejected("currency", sentence)
        if values["happened_at"] > self.now:
            return rejected("happened_at", _l("This is still to come."))
        return None

    def _staged(self, row: Row) -> dict[str, Any]:
        values = row.values
        quantity = values["quantity"]
        return {
            "token": self.token,
            "file_line": row.line,
            "purchase_id": values["purchase_id"],
            "member": values["member"],
            "happened_at": values["happened_at"],
            "currency": values["currency"],
            "line": values["line"] or "1",
            "sku": values["sku"],
            "category": values["category"],
            "quantity": 10_000 if quantity is None else to_scaled(quantity),
            "amount": to_scaled(values["amount"]),
            "staged_at": self.now,
        }

    def finish(self) -> Iterator[Settled]:
        """Settle the staged purchases, some at a time, each time in a transaction of its own."""
        old = STAGED.c.staged_at < self.now - FORGOTTEN_AFTER
        db.session.connection().execute(sa.delete(STAGED).where(old))
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
        names = (
            "file_line", "purchase_id", "member", "happened_at", "currency", "line", "sku",
            "category", "quantity", "amount",
        )  # fmt: skip
        columns = [STAGED.c[name] for name in names]
        order = (STAGED.c.purchase_id, STAGED.c.file_line)
        rows = db.session.execute(sa.select(*columns).where(*meant).order_by(*order)).all()
        settled = Settled()
        members = clubs.members_named(self.club, {row[2] for row in rows})
        lock_members(self.actor, member_ids=members.values())
        known = self._known(keys)
        told: list[Told] = []
        for key, parts in groupby(rows, lambda row: row[1]):
            lines = self._lines(list(map(tuple, parts)), settled)
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
                settled.rejected += [(part[0], "purchase_id", sentence) for part in lines]
        made = record_purchases(self.actor, club=self.club, told=told)
        self._insert_lines(made, meant)
        db.session.connection().execute(sa.delete(STAGED).where(*meant))
        return settled

    def _known(self, keys: list[str]) -> dict[str, tuple[str, datetime]]:
        select = sa.select(Purchase.purchase_id, Purchase.fingerprint, Purchase.happened_at)
        mine = select.where(Purchase.club_id == self.club.id, Purchase.purchase_id.in_(keys))
        rows = db.session.execute(mine)
        return {row.purchase_id: (row.fingerprint, row.happened_at) for row in rows}

    @staticmethod
    def _lines(parts: list[_Part], settled: Settled) -> list[_Part]:
        """Return the lines without repetitions; one of a known key with other values is refused."""
        by_key: dict[str, _Part] = {}
        for part in parts:
            before = by_key.setdefault(part[5], part)
            if before is part:
                continue
            if before[1:] == part[1:]:
                settled.unchanged += 1
            else:
                sentence = _l("Line %(line)s of the file has the same key.", line=before[0])
                settled.rejected.append((part[0], "line", sentence))
        return list(by_key.values())

    @staticmethod
    def _told(
        key: str, lines: list[_Part], members: dict[str, int], settled: Settled
    ) -> Told | None:
        """Return the purchase; None, with its lines refused, when it cannot be."""
        _, _, member, _, currency, *_ = lines[0]
        # A till that takes a while writes two instants on one invoice; the first one counts.
        happened_at = min(part[3] for part in lines)
        if member not in members:
            sentence = _l("There is no member %(member)s in this club.", member=member)
            settled.rejected += [(part[0], "member", sentence) for part in lines]
            return None
        if any(part[2] != member for part in lines):
            sentence = _l("The lines of this purchase name different members.")
            settled.rejected += [(part[0], "purchase_id", sentence) for part in lines]
            return None
        return Told(
            key,
            members[member],
            happened_at,
            currency,
            [Line(part[5], part[9], part[8], part[6], part[7]) for part in lines],
        )

    @staticmethod
    def _insert_lines(made: dict[str, int], meant: tuple[sa.ColumnElement[bool], ...]) -> None:
        """Copy the staged lines of new purchases over, the first of each key."""
        if not made:
            return
        first = (
            sa.select(sa.func.min(STAGED.c.id))
            .where(*meant)
            .group_by(STAGED.c.purchase_id, STAGED.c.line)
        )
        purchases = Purchase.__table__
        same = purchases.c.purchase_id == STAGED.c.purchase_id
        ours = purchases.c.id.in_(made.values())
        names = ("line", "sku", "category", "quantity", "amount")
        source = (
            sa.select(purchases.c.id, *(STAGED.c[name] for name in names))
            .select_from(STAGED.join(purchases, sa.and_(same, ours)))
            .where(*meant, STAGED.c.id.in_(first))
            .order_by(STAGED.c.purchase_id, STAGED.c.file_line)
        )
        insert = sa.insert(LINES).from_select(["purchase_id", *names], source)
        db.session.connection().execute(insert)


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
