"""Filters of a list: each owns its field, its words and what it adds to the select."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from wtforms import (
    DateField,
    Field,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)

from portal.foundation import clock, i18n
from portal.foundation.database import starting_with
from portal.foundation.i18n import LazyText, _, _l

LIKE_ESCAPE = "\\"
EARLIEST, LATEST = date(1800, 1, 1), date(2400, 1, 1)


def escape_like(text: str) -> str:
    """Return `text` with the wildcards of LIKE taken literally."""
    for sign in (LIKE_ESCAPE, "%", "_"):
        text = text.replace(sign, LIKE_ESCAPE + sign)
    return text


@dataclass(frozen=True)
class Filter:
    """Base of all filters. key: name in the address. label: on chip and field."""

    key: str
    label: LazyText

    def field(self) -> Field:
        """Return the unbound form field."""
        return StringField(self.label)

    def read(self, texts: list[str]) -> Any:
        """Return the value that the address gives; None when there is none or it is no value."""
        text = texts[0].strip()[:200].replace("\x00", "") if texts else ""
        return text or None

    def conditions(self, value: Any) -> list[ColumnElement[bool]]:
        """Return what the select must meet."""
        raise NotImplementedError

    def words(self, value: Any) -> str:
        """Return the value as the chip says it."""
        return str(value)


@dataclass(frozen=True)
class ContainsFilter(Filter):
    """Rows where any of the columns contains the text, whatever its case."""

    columns: tuple[Any, ...] = ()

    def conditions(self, value: str) -> list[ColumnElement[bool]]:
        """Match anywhere in any column."""
        pattern = f"%{escape_like(value.lower())}%"
        matches = (
            sa.func.lower(column).like(pattern, escape=LIKE_ESCAPE) for column in self.columns
        )
        return [sa.or_(*matches)]


@dataclass(frozen=True)
class StartsFilter(Filter):
    """Rows whose (lower-case) key column starts with the text; served by an index."""

    column: Any = None
    normal: Callable[[str], str] = str.lower

    def conditions(self, value: str) -> list[ColumnElement[bool]]:
        """Match from the start."""
        return [starting_with(self.column, self.normal(value))]


@dataclass(frozen=True)
class ChoiceFilter(Filter):
    """Rows whose column has one of the chosen values; choices: value to words."""

    column: Any = None
    choices: Mapping[Any, Any] | Callable[[], Mapping[Any, Any]] = None  # type: ignore[assignment]

    def table(self) -> dict[str, tuple[Any, str]]:
        """Return text in the address → value and words."""
        choices = self.choices() if callable(self.choices) else self.choices
        return {
            str(getattr(value, "value", value)): (value, str(getattr(words, "label", words)))
            for value, words in choices.items()
        }

    def field(self) -> Field:
        """Return a field of tick boxes."""
        options = [SelectChoice(key, words) for key, (_value, words) in self.table().items()]
        return SelectMultipleField(self.label, choices=options)

    def read(self, texts: list[str]) -> Any:
        """Return the known values among those in the address."""
        known = self.table()
        return [text for text in texts if text in known] or None

    def conditions(self, value: list[str]) -> list[ColumnElement[bool]]:
        """Match any of the values."""
        known = self.table()
        return [self.column.in_([known[text][0] for text in value])]

    def words(self, value: list[str]) -> str:
        """Return the words, separated by commas."""
        known = self.table()
        return ", ".join(known[text][1] for text in value)


@dataclass(frozen=True)
class DayFilter(Filter):
    """Rows whose day (or instant) is from, or before the end of, a day. side: from or until."""

    column: Any = None
    side: str = "from"

    def field(self) -> Field:
        """Return a field of a day."""
        return DateField(self.label)

    def read(self, texts: list[str]) -> Any:
        """Return the day; None for what is no day or far from any that people deal with."""
        try:
            day = date.fromisoformat(texts[0]) if texts and texts[0] else None
        except ValueError:
            return None
        return day if day and EARLIEST <= day <= LATEST else None

    def conditions(self, value: date) -> list[ColumnElement[bool]]:
        """Match the side, the day itself included."""
        bound: Any = value if self.side == "from" else value + timedelta(days=1)
        if not isinstance(self.column.type, sa.Date):
            bound = clock.day_start(bound, i18n.zone())
        return [self.column >= bound if self.side == "from" else self.column < bound]

    def words(self, value: date) -> str:
        """Return the day in full."""
        return i18n.long_day_text(value)


@dataclass(frozen=True)
class YesFilter(Filter):
    """Rows that meet a condition of their own, when chosen."""

    condition: Callable[[], ColumnElement[bool]] = None  # type: ignore[assignment]

    def field(self) -> Field:
        """Return a yes or nothing field."""
        return SelectField(
            self.label, choices=[SelectChoice("", "–"), SelectChoice("yes", _l("Yes"))]
        )

    def read(self, texts: list[str]) -> Any:
        """Return yes or nothing."""
        return "yes" if texts and texts[0] == "yes" else None

    def conditions(self, _value: str) -> list[ColumnElement[bool]]:
        """Match the condition."""
        return [self.condition()]

    def words(self, _value: str) -> str:
        """Say yes."""
        return _("yes")
