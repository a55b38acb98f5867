"""Amounts are exact, bounded, and come back from storage as they were."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation.errors import Refused
from portal.foundation.money import Money, from_scaled, parse_amount, parse_currency, to_scaled

AMOUNTS = st.integers(-(10**16), 10**16).map(lambda scaled: Decimal(scaled) / 10_000)


@given(AMOUNTS)
def test_an_amount_survives_writing_and_storing(amount: Decimal):
    assert parse_amount(format(amount, "f")) == amount
    assert from_scaled(to_scaled(amount)) == amount
    assert -int(from_scaled(to_scaled(amount)).as_tuple().exponent) >= 2


@given(st.text(max_size=20) | st.sampled_from(["1e400", "NaN", "sNaN", "Infinity", "1_000", "0x1"]))
def test_whatever_is_typed_is_an_amount_or_refused(text: str):
    try:
        amount = parse_amount(text)
    except Refused:
        return
    assert amount.is_finite()
    to_scaled(amount)


@pytest.mark.parametrize(
    "text", ["", "x", "1.00001", "1000000000000.0001", "-1e13", "1_000", "1,5"]
)
def test_what_is_no_amount_is_refused(text: str):
    with pytest.raises(Refused):
        parse_amount(text)


def test_minus_zero_is_zero():
    assert str(parse_amount("-0")) == "0"


def test_finer_than_a_ten_thousandth_is_never_stored():
    with pytest.raises(ValueError, match="four decimals"):
        to_scaled(Decimal("0.00001"))


def test_sums_are_of_one_currency():
    assert Money(Decimal("1.10"), "EUR") + Money(Decimal(2), "EUR") == Money(Decimal("3.10"), "EUR")
    with pytest.raises(ValueError, match="cannot add"):
        _ = Money(Decimal(1), "EUR") + Money(Decimal(1), "NOK")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(Decimal(212640), "EUR"), "212,640.00 EUR"),
        (Money(Decimal("-0.1234"), "EUR"), "-0.1234 EUR"),
        (Money(Decimal(1500), "JPY"), "1,500 JPY"),
    ],
)
def test_money_is_written_with_its_code(money: Money, text: str):
    assert str(money) == text


def test_a_currency_is_known():
    assert parse_currency(" eur ") == "EUR"
    for code in ("", "EU", "XQQ", "€", "<b>"):
        with pytest.raises(Refused):
            parse_currency(code)
