"""Bases and types of what the API takes and gives; bounds are the same everywhere."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from portal.foundation import money

T = TypeVar("T")
EARLIEST, LATEST = date(1800, 1, 1), date(2400, 1, 1)


def _printable(text: str) -> str:
    if any(ord(letter) < 32 and letter not in "\r\n\t" for letter in text):
        raise ValueError("holds characters that cannot be printed")
    return text


def _four_decimals(value: Decimal) -> Decimal:
    if value != value.quantize(Decimal("0.0001")):
        raise ValueError("has more than four decimals")
    return value


def _known_currency(code: str) -> str:
    if code not in money.CURRENCIES:
        raise ValueError("is not a currency code")
    return code


def _utc(instant: datetime) -> datetime:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if not 1900 < aware.year < 2200:
        raise ValueError("is out of range")
    return aware.astimezone(UTC)


def _near(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError("is out of range")
    return day


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[str, Field(max_length=500), AfterValidator(_printable)]
ShortText = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
LongText = Annotated[str, Field(max_length=10_000), AfterValidator(_printable)]
Points = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Whole = Annotated[int, Field(ge=0, le=10**9, strict=True)]
AmountIn = Annotated[
    Decimal,
    Field(ge=-(10**12), le=10**12, allow_inf_nan=False),
    AfterValidator(_four_decimals),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,4})?$"}),
]
AmountOut = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string"}),
]
Currency = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_known_currency)]
DayIn = Annotated[date, AfterValidator(_near)]
InstantIn = Annotated[datetime, AfterValidator(_utc)]
InstantOut = Annotated[
    datetime,
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]


class In(BaseModel):
    """Base of every body: unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Out(BaseModel):
    """Base of every answer: fields are listed one by one."""

    model_config = ConfigDict(from_attributes=True)


class Empty(In):
    """A body without fields."""


class MoneyOut(Out):
    """An amount as text and its currency."""

    amount: AmountOut
    currency: str


class PageQuery(In):
    """Where a list starts and how much of it is wanted."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=500)] | None = None


class PageOut(Out, Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None
