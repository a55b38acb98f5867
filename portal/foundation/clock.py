"""The one source of time: instants are UTC and aware, dates belong to a named zone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_fixed: ContextVar[datetime | None] = ContextVar("clock_fixed", default=None)
OFFSET_VARIABLE = "GUILDHALL_CLOCK_OFFSET"


def parse_instant(text: str) -> datetime:
    """Return the UTC instant of an ISO 8601 text.

    A text without an offset is UTC, a date alone its first moment. Refuses (ValueError) anything
    else, and years that no time zone can place.
    """
    instant = datetime.fromisoformat(text)
    if not 1 < instant.year < 9999:
        raise ValueError(f"{text} is out of range")
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _start_offset() -> timedelta:
    """Return how far the product's time is from the machine's, from CLOCK at the first start."""
    inherited = os.environ.get(OFFSET_VARIABLE)
    if inherited:
        return timedelta(seconds=float(inherited))
    start = os.environ.get("CLOCK")
    if not start:
        return timedelta()
    try:
        return parse_instant(start) - datetime.now(UTC)
    except ValueError:
        return timedelta()  # the configuration refuses it, in one line


_offset = _start_offset()


def offset_seconds() -> float:
    """Return the seconds between the product's time and the machine's, for child processes."""
    return _offset.total_seconds()


def now() -> datetime:
    """Return the present instant, UTC and aware."""
    fixed = _fixed.get()
    return fixed if fixed is not None else datetime.now(UTC) + _offset


def machine_now() -> datetime:
    """Return the machine's own instant, for leases and heartbeats that no test may shift."""
    return datetime.now(UTC)


def today(zone: str = "UTC") -> date:
    """Return the present date in `zone`, an IANA name."""
    return local_date(now(), zone)


def local_date(instant: datetime, zone: str) -> date:
    """Return the calendar date that `instant` falls on in `zone`, an IANA name."""
    return instant.astimezone(ZoneInfo(zone)).date()


def day_start(day: date, zone: str) -> datetime:
    """Return the first instant of `day` in `zone`.

    Where the clock skips midnight this is the first instant that exists.
    """
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def day_end(day: date, zone: str) -> datetime:
    """Return the instant at which `day` is over in `zone`: the start of the next day."""
    return day_start(day + timedelta(days=1), zone)


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Let the code inside believe that it is `instant`, in this thread or task alone."""
    token = _fixed.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
