"""Instants, local days across summer time, and a shifted clock in several processes."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation import clock
from tests.databases import ROOT

ASK = "from portal.foundation import clock; print(clock.now().isoformat(), clock.offset_seconds())"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T09:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T09:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00+02:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read(text: str, expected: datetime):
    assert clock.parse_instant(text) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "25:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"]
)
def test_what_is_no_instant_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        clock.parse_instant(text)


@pytest.mark.parametrize(
    ("day", "zone", "start", "hours"),
    [
        ("2026-03-29", "Europe/Oslo", "2026-03-28T23:00Z", 23),
        ("2026-10-25", "Europe/Oslo", "2026-10-24T22:00Z", 25),
        ("2026-09-06", "America/Santiago", "2026-09-06T04:00Z", 23),  # midnight is skipped
        ("2026-04-04", "America/Santiago", "2026-04-04T03:00Z", 25),  # 23:00 comes twice
        ("2026-06-01", "Asia/Shanghai", "2026-05-31T16:00Z", 24),
    ],
)
def test_a_day_starts_and_ends_in_its_zone(day: str, zone: str, start: str, hours: int):
    local = clock.parse_instant(day).date()
    begins = clock.day_start(local, zone)
    assert begins == clock.parse_instant(start)
    assert clock.day_end(local, zone) - begins == timedelta(hours=hours)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["UTC", "Europe/Oslo", "America/Santiago", "Asia/Shanghai", "Asia/Kathmandu"]),
)
def test_every_instant_lies_in_its_local_day(naive: datetime, zone: str):
    instant = naive.replace(tzinfo=UTC)
    day = clock.local_date(instant, zone)
    assert clock.day_start(day, zone) <= instant < clock.day_end(day, zone)


def asked(**environment: str) -> tuple[datetime, float]:
    env = {**os.environ, **environment}
    said = subprocess.check_output([sys.executable, "-c", ASK], cwd=ROOT, env=env, text=True)
    instant, offset = said.split()
    return datetime.fromisoformat(instant), float(offset)


def test_the_clock_starts_where_it_is_told_and_children_share_it():
    first, offset = asked(CLOCK="2031-05-01T12:00Z")
    assert timedelta() <= first - datetime(2031, 5, 1, 12, tzinfo=UTC) < timedelta(seconds=30)
    child, same = asked(CLOCK="2031-05-01T12:00Z", **{clock.OFFSET_VARIABLE: str(offset)})
    assert same == offset
    assert timedelta() < child - first < timedelta(seconds=60)
