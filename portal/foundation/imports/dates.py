"""Dates and instants in files: ISO always, others by a format, never by a guess."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import _l

FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_LINES = 20

_iso = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_year_first = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})")
_numeric = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_time = re.compile(
    r"[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?(?: ?([AaPp])\.?[Mm]\.?)?"
)


@dataclass(frozen=True, slots=True)
class DateReading:
    """How dates are read: by a strptime format, or with the day first or not."""

    format: str | None = None
    day_first: bool | None = None


def read_day(text: str, how: DateReading) -> date:
    """Return the calendar day of `text`; refuses (ValueError) what is none, or "range"."""
    found = _read(text, how)
    if found.tzinfo is not None:
        raise ValueError("an instant")
    return found.date()


def read_instant(text: str, how: DateReading, zone: str) -> datetime:
    """Return the UTC instant of `text`, in `zone` when it names none; refuses (ValueError)."""
    found = _read(text, how)
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def write_instant(value: object) -> str:
    """Return an instant as ISO 8601 in UTC."""
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is not an instant")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read(text: str, how: DateReading) -> datetime:
    found = _by_format(text, how.format) if how.format else _iso_datetime(text)
    if found is None:
        found = _by_parts(text, how.day_first)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError("range")
    return found


def _by_format(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the caller gives it its zone
    except ValueError:
        # Real dates of a spreadsheet arrive as ISO whatever the format of the typed ones is.
        found = None if form.startswith("%Y") else _iso_datetime(text)
        if found is None:
            raise
        return found


def _iso_datetime(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if _iso.match(text) else None


def _by_parts(text: str, day_first: bool | None) -> datetime:
    year_first = _year_first.match(text)
    if year_first:
        year, month, day = (int(part) for part in year_first.groups())
        rest = text[year_first.end() :]
    else:
        numeric = _numeric.match(text)
        if numeric is None or len(numeric[4]) == 2:
            raise ValueError("not a date")
        first, second, year = int(numeric[1]), int(numeric[3]), int(numeric[4])
        if first != second and day_first is None:
            raise ValueError("two ways")
        day, month = (first, second) if day_first else (second, first)
        rest = text[numeric.end() :]
    hour, minute, second = _clock(rest)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - as above


def _clock(rest: str) -> tuple[int, int, int]:
    if not rest.strip():
        return 0, 0, 0
    found = _time.fullmatch(rest)
    if found is None:
        raise ValueError("not a time")
    hour = int(found[1])
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError("not a time")
        hour = hour % 12 + (12 if found[4] in "pP" else 0)
    return hour, int(found[2]), int(found[3] or 0)


class OrderFinder:
    """Looks at a whole column of dates without a format to learn whether the day comes first."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.two_ways: list[int] = []
        self.two_ways_count = 0
        self.first_seen: dict[bool, int] = {}

    def look(self, text: str, line: int) -> None:
        """Take note of one cell."""
        numeric = _numeric.match(text)
        if numeric is None:
            return
        first, second = int(numeric[1]), int(numeric[3])
        two_digits = len(numeric[4]) == 2
        if two_digits or (first != second and first <= 12 and second <= 12):
            self.two_ways_count += 1
            if len(self.two_ways) < MOST_LINES:
                self.two_ways.append(line)
        elif first > 12 >= second:
            self.first_seen.setdefault(True, line)
        elif second > 12 >= first:
            self.first_seen.setdefault(False, line)

    def day_first(self) -> bool | None:
        """Return whether the day comes first, None when the column has no such dates.

        Refuses (Unreadable, `ambiguous_date`) a column of which any value can be read two ways,
        or whose values contradict each other, with the line numbers.
        """
        lines, more = self.two_ways, self.two_ways_count - len(self.two_ways)
        if not lines and len(self.first_seen) > 1:
            lines = sorted(self.first_seen.values())
        if lines:
            raise Unreadable(
                _l(
                    "%(column)s can be read two ways in lines %(lines)s. Say which in the mapping: "
                    "formats: {%(column)s: '%%d/%%m/%%Y'} or '%%m/%%d/%%Y'.",
                    column=self.column,
                    lines=", ".join(map(str, lines)) + (f" (+{more})" if more > 0 else ""),
                ),
                code="ambiguous_date",
            )
        return next(iter(self.first_seen), None)


def find_orders(
    rows: Iterator[tuple[int, list[str]]],
    columns: dict[str, Callable[[list[str]], str]],
    counts: Callable[[list[str]], bool],
) -> tuple[int, dict[str, bool | None]]:
    """Return the number of rows, and for each of `columns` whether the day comes first.

    columns: those without a format, each with the function that gives a row's text. counts: says
    whether a row is one whose dates matter.
    """
    finders = [(OrderFinder(name), cell) for name, cell in columns.items()]
    numeric = _numeric.match
    count = 0
    for line, raw in rows:
        count += 1
        for finder, cell in finders:
            try:
                text = cell(raw).strip()
            except IndexError:  # a short row, rejected later
                continue
            if numeric(text) and counts(raw):
                finder.look(text, line)
    return count, {finder.column: finder.day_first() for finder, _ in finders}
