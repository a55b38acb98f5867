from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation.errors import Unreadable
from portal.foundation.imports.expressions import Expression

VALUES = {"a": Decimal("0.1"), "b": Decimal("0.2"), "c": Decimal(3), "empty": None, "two words": 2}


def compute(text):
    def column(name):
        return lambda _row: VALUES[name]

    return Expression(text, "computed.x").compile(column)([])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b", "0.3"),
        ("a*b", "0.02"),
        ("a + b * c", "0.7"),
        ("(a + b) * c", "0.9"),
        ("c - a - b", "2.7"),
        ("c / 2 / 2", "0.75"),
        ("-a + c", "2.9"),
        ("--c", "3"),
        ("10 / c", "3.3333"),
        ("2.5 * c", "7.5"),
        ('"two words" * c', "6"),
    ],
)
def test_the_four_operations_are_exact(text, value):
    assert compute(text) == Decimal(value)


def test_an_empty_column_makes_an_empty_result():
    assert compute("a * empty") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "a +", "(a", "a)", "a ** b", "a // b", "a % b", "f(a)", "a.b",
        "__import__('os')", "a; b", "1e9", "'a'", "a[0]", "lambda: 1", "a" * 201, "(" * 150,
        "a = b",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_place(text):
    with pytest.raises(Unreadable) as refused:
        Expression(text, "computed.x")
    assert str(refused.value).startswith("computed.x: ")


@given(st.text(alphabet='ab12.+-*/() "', max_size=30))
def test_any_text_is_an_expression_or_refused(text):
    try:
        expression = Expression(text, "computed.x")
    except Unreadable:
        return
    assert set(expression.names) <= set(text.replace('"', " ").split()) | set(expression.names)


amounts = st.decimals(-(10**9), 10**9, places=4)


@given(amounts, amounts)
def test_products_lose_nothing(left, right):
    def column(name):
        return lambda _row: {"l": left, "r": right}[name]

    product = Decimal(int(left * 10**4) * int(right * 10**4)) / Decimal(10**8)
    assert Expression("l * r", "x").compile(column)([]) == product
