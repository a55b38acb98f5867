"""A kind of file for trying the framework: toys in a table of their own."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.foundation.actors import Actor
from portal.foundation.database import Amount, db
from portal.foundation.database import Instant as InstantType
from portal.foundation.imports.columns import (
    Boolean,
    Choice,
    Column,
    Country,
    Currency,
    Day,
    Decimal4,
    Email,
    Instant,
    Text,
    Whole,
)
from portal.foundation.imports.mapping import FileMapping
from portal.foundation.imports.plan import Plan
from portal.foundation.imports.reading import COMMAND, Source
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    created,
    rejected,
    staged,
    unchanged,
    updated,
)
from portal.foundation.imports.sending import plan_for


class Material(StrEnum):
    WOOD = "wood"
    TIN = "tin"


COLUMNS = (
    Column("reference", Text(40), required=True, doc="What the toy is called by."),
    Column("amount", Decimal4(), required=True, doc="Its price."),
    Column("currency", Currency(), doc="Of the price."),
    Column("made_on", Day(), doc="When it was made."),
    Column("sold_at", Instant(), doc="When it was sold."),
    Column("material", Choice(Material), doc="What it is made of."),
    Column("country", Country(), doc="Where it was made."),
    Column("maker", Email(), doc="Who made it."),
    Column("pieces", Whole(maximum=1000), doc="How many pieces it has."),
    Column("painted", Boolean(), doc="Whether it is painted."),
    Column("note", Text(500), doc="Anything else."),
)
NAMES = [column.name for column in COLUMNS]

TABLE = sa.Table(
    "toys",
    sa.MetaData(),
    sa.Column("reference", sa.String(40), primary_key=True),
    sa.Column("amount", Amount()),
    sa.Column("currency", sa.String(3)),
    sa.Column("made_on", sa.Date()),
    sa.Column("sold_at", InstantType()),
    sa.Column("material", sa.String(10)),
    sa.Column("country", sa.String(2)),
    sa.Column("maker", sa.String(200)),
    sa.Column("pieces", sa.Integer()),
    sa.Column("painted", sa.Boolean()),
    sa.Column("note", sa.String(500)),
)


class ToyImport:
    """Stores toys; a note "broken" is a bug, "no" is refused, "hm" is warned about."""

    made: list["ToyImport"] = []

    def __init__(self, actor: Actor, context: Context) -> None:
        self.actor, self.context = actor, context
        self.batches: list[int] = []
        ToyImport.made.append(self)

    def apply(self, batch: list[Row]) -> list[Outcome]:
        self.batches.append(len(batch))
        keys = [row.values["reference"] for row in batch]
        found = db.session.execute(sa.select(TABLE).where(TABLE.c.reference.in_(keys))).mappings()
        known = {one["reference"]: dict(one) for one in found}
        fresh, outcomes = [], []
        for row in batch:
            note = row.values["note"]
            if note == "broken":
                raise ZeroDivisionError("a bug")
            before = known.get(row.values["reference"])
            if note == "no":
                outcomes.append(rejected("note", "No toys of this kind."))
            elif before is None:
                fresh.append(row.values)
                warning = [("note", "Strange.")] if note == "hm" else []
                outcomes.append(created(*warning))
            elif before == row.values:
                outcomes.append(unchanged())
            else:
                where = TABLE.c.reference == before["reference"]
                db.session.execute(sa.update(TABLE).where(where).values(row.values))
                outcomes.append(updated())
        if fresh:
            db.session.execute(sa.insert(TABLE), fresh)
        return outcomes

    def finish(self) -> None:
        return None


class StagedImport:
    """Tells at the end: rows of odd lines are kept, every tenth line is rejected."""

    def __init__(self, actor: Actor, context: Context) -> None:
        self.rows: list[Row] = []

    def apply(self, batch: list[Row]) -> list[Outcome]:
        self.rows += batch
        return [staged() for _ in batch]

    def finish(self) -> Iterator[Settled]:
        for start in range(0, len(self.rows), 7):
            piece = Settled()
            kept = []
            for row in self.rows[start : start + 7]:
                if row.line % 10 == 0:
                    piece.rejected.append((row.line, "note", "A tenth line."))
                else:
                    piece.created += 1
                    kept.append(row.values)
            if kept:
                db.session.execute(sa.insert(TABLE), kept)
            yield piece


def export_toys(context: Context) -> Iterator[dict[str, Any]]:
    for one in db.session.execute(sa.select(TABLE).order_by(TABLE.c.reference)).mappings():
        yield dict(one)


def is_staff(actor: Actor) -> bool:
    return actor.is_staff


def kind(**changes: Any) -> ImportKind:
    values: dict[str, Any] = {
        "name": "toys",
        "label": "Toys",
        "key": ("reference",),
        "columns": COLUMNS,
        "handler": ToyImport,
        "policy": is_staff,
        "export": export_toys,
        "batch_size": 10,
    }
    return ImportKind(**{**values, **changes})


def opened(path: Path, mapping: str | None = None, **changes: Any) -> tuple[Plan, Source]:
    """Return plan and source of a file that was surveyed."""
    plan, source = plan_for(kind(**changes), path, mapping, COMMAND)
    plan.survey(source, "UTC")
    return plan, source


def typed(plan: Plan, raw: list[str]) -> dict[str, Any]:
    """Return the values of a row that is not left out."""
    values = plan.values(raw)
    assert values is not None
    return values


def head(names: list[str], **options: Any) -> Plan:
    return Plan(kind(), names, FileMapping(), **options)
