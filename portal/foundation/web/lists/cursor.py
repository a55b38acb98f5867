"""Where a page starts: the sort values of its edge row, packed for the address."""

import base64
import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from portal.foundation.database import Amount, Instant
from portal.foundation.errors import NotFound
from portal.foundation.money import to_scaled

LARGEST = 2**63 - 1


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


def unpack(word: str, types: Sequence[TypeEngine[Any]]) -> list[Any]:
    """Return the values of `word`, one for each column type, None where a value was missing.

    Refuses (NotFound) what `pack` did not make of such values: no forged word may reach the
    database as a value that its column cannot take.
    """
    try:
        plain = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        if not isinstance(plain, list):
            raise NotFound
        pairs = zip((_value(item) for item in plain), types, strict=True)
        return [None if value is None else _typed(value, kind) for value, kind in pairs]
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        raise NotFound from None


def _value(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if "n" in item:
        return Decimal(item["n"])
    text = item["d"]
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _typed(value: Any, kind: TypeEngine[Any]) -> Any:
    """Return `value` as a column of `kind` takes it; refuses (ValueError) one that it cannot."""
    for column_type, check in _CHECKS:
        if isinstance(kind, column_type):
            return check(value)
    return _text(value)


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("no instant")
    return value.astimezone(UTC)


def _day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("no day")
    return value


def _amount(value: Any) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise ValueError("no amount")
    _whole(to_scaled(value))
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _whole(value: Any) -> int:
    number = value
    if isinstance(value, Decimal) and value == value.to_integral():
        number = int(value)  # a sum of whole numbers, as PostgreSQL gives it
    if type(number) is not int or abs(number) > LARGEST:
        raise ValueError("no whole number")
    return number


def _number(value: Any) -> Any:
    if type(value) not in {int, float, Decimal}:
        raise ValueError("no number")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError("out of range")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("no text")
    value.encode()  # refuses half of a surrogate pair
    return value


_CHECKS: tuple[tuple[type[TypeEngine[Any]], Any], ...] = (
    (Instant, _instant),
    (Amount, _amount),
    (sa.Date, _day),
    (sa.Boolean, _truth),
    (sa.Integer, _whole),
    (sa.Numeric, _number),
)


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
        step = _step(expression, value, is_descending)
        if step is not None:
            alternatives.append(sa.and_(*equal, step))
    return sa.or_(sa.false(), *alternatives)


def _step(expression: ColumnElement[Any], value: Any, descends: bool) -> ColumnElement[bool] | None:
    """Return the condition for values after `value`; None where there are none."""
    if value is None:
        return None
    if isinstance(value, bool):
        # Truth values have no < and >: after false comes true, after true nothing.
        return expression.is_(not descends) if value == descends else None
    step: ColumnElement[bool] = expression < value if descends else expression > value
    return step


def _equal(expression: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    if value is None or isinstance(value, bool):
        return expression.is_(value)
    equal: ColumnElement[bool] = expression == value
    return equal
