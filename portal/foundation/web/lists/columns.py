"""Columns of a list and the cells they draw."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from portal.foundation import i18n
from portal.foundation.i18n import LazyText
from portal.foundation.steps import Look


@dataclass(frozen=True, slots=True)
class Cell:
    """One drawn value: kind says how, text is plain, extra what the kind needs besides.

    It draws itself: there are hundreds of cells on a page, and a template would take most of its
    time for them.
    """

    kind: str
    value: Any
    text: str
    extra: Any = None

    def drawn(self) -> str:
        """Return the cell's inside, escaped."""
        draw = _DRAWN.get(self.kind)
        text = escape(self.text)
        return text if draw is None or not self.extra else draw(text, self.extra)


def _drawn_badge(text: str, look: Any) -> str:
    return f'<span class="badge badge-{look.tone} shape-{look.shape}">{text}</span>'


def _drawn_money(text: str, currency: str) -> str:
    return f'{text} <span class="unit">{escape(currency)}</span>'


def _drawn_link(text: str, url: str) -> str:
    return f'<a href="{escape(url)}">{text}</a>'


def _drawn_time(text: str, title: str) -> str:
    return f'<time title="{escape(title)}">{text}</time>'


def _drawn_clock(text: str, drawn: tuple[str, float, str]) -> str:
    return (
        f'<span class="clock clock-{escape(drawn[2])}">{text}'
        '<svg class="fuse" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="fuse-track" width="100" height="3"/>'
        f'<rect class="fuse-fill" width="{drawn[1] * 100:.1f}" height="3"/></svg></span>'
    )


_DRAWN: dict[str, Callable[[str, Any], str]] = {
    "badge": _drawn_badge,
    "money": _drawn_money,
    "link": _drawn_link,
    "reference": _drawn_link,
    "date": _drawn_time,
    "instant": _drawn_time,
    "clock": _drawn_clock,
}


@dataclass(frozen=True)
class Column:
    """A column of a list.

    key: its name in the address and in files. expression: what is selected and sorted by. kind:
    link, text, reference, badge, money, number, date, instant or clock. looks: for badges, state to
    Look. currency: column of the currency, for money. url: for links in other columns than the
    first, from the row to an address. shown: whether it is there before the reader chooses.
    nullable: whether values may be missing, so that sorting puts those last. phone: where it
    stands on a phone: name, second, badge, amount, clock or none. clock: for clocks, from the row
    to words, part of the time that is gone, and tone. write: from the row to the text on the page.
    """

    key: str
    label: LazyText
    expression: ColumnElement[Any] | Any
    kind: str = "text"
    looks: dict[Any, Look] | None = None
    currency: ColumnElement[Any] | Any | None = None
    url: Callable[[Any], str] | None = None
    sortable: bool = True
    nullable: bool = False
    shown: bool = True
    phone: str = "none"
    clock: Callable[[Any], tuple[str, float, str] | None] | None = None
    write: Callable[[Any], str] | None = None

    @property
    def numeric(self) -> bool:
        """Return whether values stand at the right."""
        return self.kind in {"money", "number"}

    def selected(self) -> list[ColumnElement[Any]]:
        """Return what the select must hold for this column."""
        columns: list[ColumnElement[Any]] = [self.expression.label(f"c_{self.key}")]
        if self.currency is not None:
            columns.append(self.currency.label(f"c_{self.key}_currency"))
        return columns

    def cell(self, row: Any) -> Cell:
        """Return the cell of one row."""
        value = getattr(row, f"c_{self.key}")
        if value is None and self.kind != "clock":
            return Cell("text", None, "–")
        return _CELLS[self.kind](self, row, value)

    def plain(self, row: Any) -> object:
        """Return the value as a file holds it: numbers and dates as such, states as words."""
        value = getattr(row, f"c_{self.key}")
        if self.kind == "badge" and self.looks is not None and value is not None:
            return str(self.looks[value].label)
        return getattr(value, "value", value)


def _text(column: Column, row: Any, value: Any) -> Cell:
    url = column.url(row) if column.url else None
    text = column.write(row) if column.write else str(getattr(value, "value", value))
    return Cell("link" if url else "text", value, text, url)


def _reference(column: Column, row: Any, value: Any) -> Cell:
    return Cell("reference", value, str(value), column.url(row) if column.url else None)


def _badge(column: Column, _row: Any, value: Any) -> Cell:
    look = (column.looks or {}).get(value) or Look(i18n._l(str(value)))
    return Cell("badge", value, str(look.label), look)


def _money(column: Column, row: Any, value: Decimal) -> Cell:
    currency = getattr(row, f"c_{column.key}_currency", "")
    return Cell("money", value, i18n.decimal_text(value), currency)


def _number(_column: Column, _row: Any, value: Any) -> Cell:
    return Cell("number", value, i18n.number_text(value))


def _day(_column: Column, _row: Any, value: date) -> Cell:
    return Cell("date", value, i18n.day_text(value), i18n.long_day_text(value))


def _instant(_column: Column, _row: Any, value: datetime) -> Cell:
    return Cell("instant", value, i18n.ago_text(value), i18n.instant_text(value))


def _clock(column: Column, row: Any, value: Any) -> Cell:
    drawn = column.clock(row) if column.clock else None
    return Cell("clock", value, drawn[0] if drawn else "–", drawn)


_CELLS: dict[str, Callable[[Column, Any, Any], Cell]] = {
    "text": _text,
    "link": _text,
    "reference": _reference,
    "badge": _badge,
    "money": _money,
    "number": _number,
    "date": _day,
    "instant": _instant,
    "clock": _clock,
}
