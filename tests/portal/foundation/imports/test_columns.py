from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation.imports.columns import (
    COUNTRIES,
    Bad,
    Boolean,
    Choice,
    Column,
    Country,
    Currency,
    Day,
    Decimal4,
    Email,
    Instant,
    Number,
    Reading,
    Text,
    Whole,
)
from tests.portal.foundation.imports.toys import Material


def read(kind, text, *, required=False, **reading):
    return Column("x", kind, required=required, doc="x").reader(Reading(**reading))(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Text(), "  Kløver  ", "Kløver"),
        (Text(), "=1+1", "=1+1"),
        (Text(), "'=1+1", "=1+1"),
        (Text(), "a\nb", "a\nb"),
        (Decimal4(), "12.3400", Decimal("12.34")),
        (Decimal4(), "12.34000000", Decimal("12.34")),
        (Decimal4(), "-5", Decimal(-5)),
        (Decimal4(), "'-5", Decimal(-5)),
        (Decimal4(), "+1e3", Decimal(1000)),
        (Decimal4(), ".5", Decimal("0.5")),
        (Number(-90, 90), "59.91273100000001", Decimal("59.91273100000001")),
        (Whole(), "12.0", 12),
        (Currency(), "eur", "EUR"),
        (Country(), "no", "NO"),
        (Email(), "Lin.Wu@Club.EXAMPLE", "Lin.Wu@club.example"),
        (Email(), "用户@例子.公司", "用户@例子.公司"),
        (Choice(Material), "Wood", Material.WOOD),
        (Choice(["a b"]), "A B", "a b"),
        (Boolean(), "Yes", True),
        (Boolean(), "0", False),
        (Day(), "2024-02-29", date(2024, 2, 29)),
        (Day(), "2024-02-29 00:00:00", date(2024, 2, 29)),
        (Day(), "2024/2/29", date(2024, 2, 29)),
        (Instant(), "2024-02-29T10:00:00+02:00", datetime(2024, 2, 29, 8, tzinfo=UTC)),
        (Instant(), "2024-02-29 10:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
    ],
)
def test_a_cell_is_read(kind, text, value):
    assert read(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Text(3), "four"),
        (Text(), "a\x00b"),
        (Text(), "bell\x07"),
        (Decimal4(), "1.00001"),
        (Decimal4(), "1.5e-9"),
        (Decimal4(), "1,234.50"),
        (Decimal4(), "NaN"),
        (Decimal4(), "Infinity"),
        (Decimal4(), "1" + "0" * 23),
        (Decimal4(), "1e23"),
        (Decimal4(), "1e999"),
        (Decimal4(), "1_000"),
        (Decimal4(), "１２"),
        (Decimal4(), "9" * 5000),
        (Decimal4(), "1000000001"),
        (Whole(), "1.5"),
        (Whole(), "-1"),
        (Currency(), "EURO"),
        (Country(), "EU"),
        (Country(), "Norway"),
        (Email(), "nobody"),
        (Email(), "a@b"),
        (Email(), "a@-b.example"),
        (Email(), "a@@b.example"),
        (Email(), "x" * 300 + "@b.example"),
        (Choice(Material), "glass"),
        (Boolean(), "perhaps"),
        (Day(), "2023-02-29"),
        (Day(), "2023-13-01"),
        (Day(), "1899-12-31"),
        (Day(), "2201-01-01"),
        (Day(), "3 May 2020"),
        (Day(), "2024-02-29T10:00:00Z"),
        (Instant(), "2024-02-29T25:00:00Z"),
        (Instant(), "soon"),
    ],
)
def test_a_cell_is_refused_in_a_sentence(kind, text):
    with pytest.raises(Bad) as refused:
        read(kind, text)
    assert str(refused.value.reason).endswith(".")


def test_a_choice_names_what_it_takes():
    with pytest.raises(Bad) as refused:
        read(Choice(Material), "glass")
    assert str(refused.value.reason) == "glass is not one of wood, tin."


def test_an_empty_cell_is_none_or_missed():
    assert read(Decimal4(), "  ") is None
    with pytest.raises(Bad) as refused:
        read(Decimal4(), "", required=True)
    assert str(refused.value.reason) == "This is needed."


def test_an_instant_without_offset_is_in_the_zone_of_the_kind():
    read_at = read(Instant(), "2024-07-01 10:00", zone="Europe/Oslo")
    assert read_at == datetime(2024, 7, 1, 8, tzinfo=UTC)


def test_countries_are_those_of_the_standard():
    assert len(COUNTRIES) == 250  # 249 of ISO 3166 and XK
    assert {"NO", "TW", "XK", "AQ"} <= COUNTRIES


def test_a_remembered_refusal_is_a_refusal_again():
    reader = Column("x", Day(), doc="x").reader(Reading())
    for _ in range(2):
        with pytest.raises(Bad):
            reader("2023-02-29")


amounts = st.decimals(-(10**9), 10**9, places=4)
instants = st.datetimes(
    datetime.fromisoformat("1900-01-02"),
    datetime.fromisoformat("2200-12-30"),
    timezones=st.just(UTC),
)
letters = st.characters(exclude_categories=["Cs", "Cc"])
texts = st.text(letters, min_size=1, max_size=200).filter(lambda t: t == t.strip())


@given(
    st.one_of(
        st.tuples(st.just(Decimal4()), amounts),
        st.tuples(st.just(Whole()), st.integers(0, 10**9)),
        st.tuples(st.just(Day()), st.dates(date(1900, 1, 1), date(2200, 12, 31))),
        st.tuples(st.just(Instant()), instants),
        st.tuples(st.just(Choice(Material)), st.sampled_from(Material)),
        st.tuples(st.just(Boolean()), st.booleans()),
        st.tuples(st.just(Country()), st.sampled_from(sorted(COUNTRIES))),
    )
)
def test_what_a_column_writes_it_reads_back(pair):
    kind, value = pair
    column = Column("x", kind, doc="x")
    assert column.reader(Reading())(column.write(value)) == value


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    for kind in (Decimal4(), Whole(), Day(), Instant(), Email(), Boolean(), Country(), Text()):
        try:
            read(kind, text)
        except Bad:
            continue
