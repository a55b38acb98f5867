"""The base of column types, and the types of numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from portal.foundation.i18n import LazyText, _l

Text_ = str | LazyText
Parser = Callable[[str], object]
BILLION = Decimal(10) ** 9
LARGEST = Decimal(10) ** 18
MOST_REMEMBERED = 20_000

T = TypeVar("T")

_number = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class Bad(Exception):  # noqa: N818 - a cell's refusal, not an error of ours
    """A cell holds what its column does not take; `reason` is a sentence for the reader."""

    def __init__(self, reason: Text_) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's cells of one column are to be read.

    zone: IANA name for instants without one. format: strptime format, when a mapping names one.
    day_first: how the file's own numeric dates read, found over the whole file.
    """

    zone: str = "UTC"
    format: str | None = None
    day_first: bool | None = None


class ColumnType:
    """Base of the types; `parser` reads trimmed text that is not empty."""

    is_date = False
    repeats = True  # whether the same text comes again and again in one file

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts, as the documentation says it."""
        raise NotImplementedError

    def parser(self, reading: Reading) -> Parser:
        """Return the function from text to value; it refuses (Bad) what cannot be."""
        raise NotImplementedError

    def write(self, value: object) -> str:
        """Return the text that `parser` reads back as `value`."""
        return str(value)


def parse_number(text: str) -> Decimal:
    """Return the exact number that `text` writes with a decimal point; refuses (Bad) others."""
    if not _number.fullmatch(text):
        raise Bad(_l("This is not a number. Write it like 1234.50."))
    if len(text) > 60 or not -LARGEST < (number := Decimal(text)) < LARGEST:
        raise Bad(_l("This number is out of range."))
    return number


def remembering(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return `read` with a memory: dates, codes and prices come again and again."""
    memory: dict[str, T] = {}

    def remembered(cell: str) -> T:
        if cell in memory:
            return memory[cell]
        value = read(cell)
        if len(memory) < MOST_REMEMBERED:
            memory[cell] = value
        return value

    return remembered


@dataclass(frozen=True, slots=True)
class Number(ColumnType):
    """A number from `minimum` to `maximum`; `decimals` None takes any number of them."""

    minimum: Decimal | int = -BILLION
    maximum: Decimal | int = BILLION
    decimals: int | None = None

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        if self.decimals is None:
            return _l("a number from %(low)s to %(high)s", low=self.minimum, high=self.maximum)
        return _l(
            "a number from %(low)s to %(high)s with at most %(decimals)s decimals",
            low=self.minimum,
            high=self.maximum,
            decimals=self.decimals,
        )

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to Decimal."""
        low, high, decimals = Decimal(self.minimum), Decimal(self.maximum), self.decimals
        step = None if decimals is None else Decimal(1).scaleb(-decimals)
        # Most texts show at a glance that they are numbers with few decimals.
        places = "*" if decimals is None else f"{{0,{decimals}}}"
        plain = re.compile(rf"-?[0-9]{{1,15}}(?:\.[0-9]{places})?", re.ASCII).fullmatch

        def parse(text: str) -> Decimal:
            is_plain = plain(text) is not None and len(text) < 40
            number = Decimal(text) if is_plain else parse_number(text)
            if not low <= number <= high:
                raise Bad(_l("Write a number from %(low)s to %(high)s.", low=low, high=high))
            if not is_plain and step is not None and number != number.quantize(step):
                raise Bad(_l("A number here has at most %(decimals)s decimals.", decimals=decimals))
            return number

        return parse

    def write(self, value: object) -> str:
        """Return the digits, never with an exponent."""
        return format(Decimal(str(value)), "f")


@dataclass(frozen=True, slots=True)
class Decimal4(Number):
    """An amount: a number with at most four decimals."""

    decimals: int | None = 4


@dataclass(frozen=True, slots=True)
class Whole(ColumnType):
    """A whole number from `minimum` to `maximum`."""

    minimum: int = 0
    maximum: int = 10**9

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("a whole number from %(low)s to %(high)s", low=self.minimum, high=self.maximum)

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to int."""
        low, high = Decimal(self.minimum), Decimal(self.maximum)

        def parse(text: str) -> int:
            number = parse_number(text)
            if not low <= number <= high:
                raise Bad(_l("Write a number from %(low)s to %(high)s.", low=low, high=high))
            if number != int(number):
                raise Bad(_l("Write a whole number."))
            return int(number)

        return parse
