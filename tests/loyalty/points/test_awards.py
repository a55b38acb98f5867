"""The arithmetic of awards."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.clubs.programme import Programme
from loyalty.points.awards import (
    Discount,
    Line,
    birthday_on,
    birthdays_kept_on,
    paid_amounts,
    purchase_shares,
)

AMOUNTS = st.integers(0, 10**9)
RULES = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 10**6)), min_size=1, max_size=5)


def programme(rules):
    return Programme.model_validate(
        {
            "effective_from": "2020-01-01",
            "earning": [
                {
                    "name": f"r{i}",
                    "phase": "base",
                    "points": points,
                    "points_per": f"{per / 10_000:.4f}",
                }
                for i, (points, per) in enumerate(rules)
            ],
        }
    )


@given(rules=RULES, amounts=st.lists(AMOUNTS, min_size=1, max_size=5))
def test_the_sum_is_floored_once_and_shared_fairly(rules, amounts):
    lines = [Line(str(i), amount, 10_000) for i, amount in enumerate(amounts)]
    shares = {one.rule: one.points for one in purchase_shares(programme(rules), lines, [])}
    exact = {f"r{i}": Fraction(sum(amounts) * p, per) for i, (p, per) in enumerate(rules)}
    assert sum(shares.values()) == sum(exact.values()).__floor__()
    for name, claim in exact.items():
        assert claim.__floor__() <= shares.get(name, 0) <= claim.__floor__() + 1


@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=5), data=st.data())
def test_discounts_take_exactly_what_they_say(amounts, data):
    lines = [Line(str(i), amount, 10_000) for i, amount in enumerate(amounts)]
    order = data.draw(st.integers(0, sum(amounts)))
    paid = paid_amounts(lines, [Discount("order", order)])
    assert sum(paid) == sum(amounts) - order
    assert all(0 <= now <= amount for now, amount in zip(paid, amounts, strict=True))
    own = data.draw(st.integers(0, amounts[0]))
    assert paid_amounts(lines, [Discount("0", own)])[0] == amounts[0] - own


@pytest.mark.parametrize(
    ("birthday", "year", "day"),
    [
        (229, 2027, date(2027, 2, 28)),
        (229, 2028, date(2028, 2, 29)),
        (229, 2100, date(2100, 2, 28)),
        (228, 2028, date(2028, 2, 28)),
        (1231, 2027, date(2027, 12, 31)),
    ],
)
def test_a_birthday_is_kept_on_one_day_a_year(birthday, year, day):
    assert birthday_on(birthday, year) == day
    assert birthday in birthdays_kept_on(day)


@given(st.dates(date(2026, 1, 1), date(2105, 1, 1)))
def test_each_day_keeps_the_birthdays_that_fall_on_it(day):
    assert all(birthday_on(one, day.year) == day for one in birthdays_kept_on(day))
