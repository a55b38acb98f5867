"""Where a page starts: the sort values of its edge row, packed for the address."""

import base64
import binascii
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.foundation.errors import NotFound


def pack(values: list[Any]) -> str:
    """Return `values` as one word that fits an address."""
    plain = [
        {"d": value.isoformat()}
        if isinstance(value, date | datetime)
        else {"n": str(value)}
        if isinstance(value, Decimal)
        else getattr(value, "value", value)
        for value in values
    ]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(word: str, length: int) -> list[Any]:
    """Return the values of `word`; refuses (NotFound) what `pack` did not make."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        values = [_value(item) for item in plain]
    except (ValueError, binascii.Error, TypeError, KeyError, ArithmeticError):
        raise NotFound from None
    if len(values) != length or not all(_is_bindable(value) for value in values):
        raise NotFound
    return values


def _value(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if "n" in item:
        return Decimal(item["n"])
    text = item["d"]
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _is_bindable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, date | Decimal | bool | float)


def beyond(order: list[tuple[ColumnElement[Any], bool]], values: list[Any]) -> ColumnElement[bool]:
    """Return the condition for rows after the edge row.

    order: expression and whether it descends, the last one unique. One row comparison where all
    run the same way, so that an index serves it; otherwise spelled out.
    """
    descending = {is_descending for _, is_descending in order}
    if len(descending) == 1 and None not in values:
        left = sa.tuple_(*(expression for expression, _ in order))
        typed = [sa.literal(v, e.type) for (e, _), v in zip(order, values, strict=True)]
        right = sa.tuple_(*typed)
        return left < right if descending.pop() else left > right
    alternatives = []
    for index, (expression, is_descending) in enumerate(order):
        value = values[index]
        equal = [_equal(e, v) for (e, _), v in zip(order[:index], values[:index], strict=True)]
        if value is None:
            continue
        step = expression < value if is_descending else expression > value
        alternatives.append(sa.and_(*equal, step))
    return sa.or_(*alternatives)


def _equal(expression: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    return expression.is_(None) if value is None else expression == value
