"""Tables are documented and named alike."""

import re

import sqlalchemy as sa

from portal.foundation.database import Model

SNAKE = re.compile(r"[a-z][a-z0-9_]*")


def undocumented(metadata: sa.MetaData) -> list[str]:
    """Return the columns that say nothing about themselves; a plain key needs no words."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not (column.doc or column.comment)
    ]


def misnamed(metadata: sa.MetaData) -> list[str]:
    """Return tables that are no snake_case, and instants and dates with the wrong ending."""
    found = []
    for table in metadata.sorted_tables:
        if not SNAKE.fullmatch(table.name):
            found.append(table.name)
        for column in table.columns:
            kind = column.type.impl if isinstance(column.type, sa.TypeDecorator) else column.type
            name = f"{table.name}.{column.name}"
            if isinstance(kind, sa.DateTime):
                # `at`, `_until` and `_since` read as instants too.
                if not re.search(r"(^|_)(at|until|since|from)$", column.name):
                    found.append(f"{name}: an instant ends with _at")
            elif isinstance(kind, sa.Date) and not re.search(
                r"(^|_)(on|date|day|until|since|from)$", column.name
            ):
                found.append(f"{name}: a date ends with _on")
    return found


def sample() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "samples",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, doc="Key."),
        sa.Column("said", sa.String),
        sa.Column("seen", sa.DateTime, doc="When it was seen."),
        sa.Column("seen_at", sa.Date, doc="The day it was seen."),
    )
    return metadata


def test_a_silent_column_is_found():
    assert undocumented(sample()) == ["samples.said"]


def test_a_misnamed_column_is_found():
    assert misnamed(sample()) == [
        "samples.seen: an instant ends with _at",
        "samples.seen_at: a date ends with _on",
    ]


def test_every_column_says_what_it_holds(app):
    assert undocumented(Model.metadata) == []


def test_tables_and_columns_are_named_alike(app):
    assert misnamed(Model.metadata) == []
