"""Columns of files: a name, a type with plain messages, a sentence that documents it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from babel import Locale
from email_validator import SPECIAL_USE_DOMAIN_NAMES as SPECIAL
from email_validator import EmailNotValidError, validate_email

from portal.foundation.i18n import LazyText, _l
from portal.foundation.imports.cells import undefuse
from portal.foundation.imports.dates import DateReading, read_day, read_instant, write_instant
from portal.foundation.imports.numbers import (
    Bad,
    ColumnType,
    Decimal4,
    Number,
    Parser,
    Reading,
    Text_,
    Whole,
    remembering,
)
from portal.foundation.money import CURRENCIES

__all__ = [
    "COUNTRIES",
    "Bad",
    "Boolean",
    "Choice",
    "Column",
    "ColumnType",
    "Country",
    "Currency",
    "Day",
    "Decimal4",
    "Email",
    "Instant",
    "Number",
    "Parser",
    "Reading",
    "Text",
    "Text_",
    "Whole",
]


# Territories of CLDR that ISO 3166 does not list; XK (Kosovo) stays, as its users write it.
_NOT_ISO = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
COUNTRIES = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NOT_ISO
)

_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_plain_email = re.compile(
    r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+([A-Za-z]{2,})"
)


@dataclass(frozen=True, slots=True)
class Text(ColumnType):
    """Text of at most `max` characters."""

    repeats = False

    max: int = 200

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("text of at most %(max)s characters", max=self.max)

    def parser(self, reading: Reading) -> Parser:
        """Return a reader that refuses longer text and control characters."""
        most = self.max

        def parse(text: str) -> str:
            if len(text) > most:
                raise Bad(_l("At most %(max)s characters.", max=most))
            if not text.isprintable() and _control.search(text):
                raise Bad(_l("This holds characters that cannot be printed."))
            return text

        return parse


@dataclass(frozen=True, slots=True)
class Day(ColumnType):
    """A calendar day."""

    is_date = True

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("a date such as 2026-03-31")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to date."""
        how = DateReading(reading.format, reading.day_first)

        def parse(text: str) -> object:
            try:
                return read_day(text, how)
            except ValueError as error:
                raise Bad(_date_reason(error)) from None

        return parse


@dataclass(frozen=True, slots=True)
class Instant(ColumnType):
    """An instant; without an offset it is in the zone of the kind, which is UTC unless said."""

    is_date = True

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("a date and time such as 2026-03-31T14:05:00Z")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to an aware UTC datetime."""
        how, zone = DateReading(reading.format, reading.day_first), reading.zone

        def parse(text: str) -> object:
            try:
                return read_instant(text, how, zone)
            except ValueError as error:
                raise Bad(_date_reason(error)) from None

        return parse

    def write(self, value: object) -> str:
        """Return the instant in UTC."""
        return write_instant(value)


def _date_reason(error: ValueError) -> LazyText:
    if str(error) == "range":
        return _l("This date is not between 1900 and 2200.")
    return _l("This is not a date. Write it like 2026-03-31.")


@dataclass(frozen=True, slots=True)
class Currency(ColumnType):
    """An ISO 4217 code."""

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("a currency code such as EUR")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to the code in capitals."""

        def parse(text: str) -> str:
            code = text.upper()
            if code not in CURRENCIES:
                raise Bad(_l("%(code)s is not a currency code.", code=text[:10]))
            return code

        return parse


@dataclass(frozen=True, slots=True)
class Country(ColumnType):
    """An ISO 3166 alpha-2 code."""

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("a country code of two letters such as NO")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to the code in capitals."""

        def parse(text: str) -> str:
            code = text.upper()
            if code not in COUNTRIES:
                raise Bad(_l("%(code)s is not a country code of two letters.", code=text[:30]))
            return code

        return parse


@dataclass(frozen=True, slots=True)
class Email(ColumnType):
    """An e-mail address, checked by its form alone."""

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("an e-mail address")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to the address with its domain in small letters."""

        def parse(text: str) -> str:
            local, _, domain = text.partition("@")
            plain = _plain_email.fullmatch(text)
            # The validator takes 40 µs; the everyday address needs none of its finer rules.
            if plain and len(text) <= 200 and len(local) <= 64 and _is_public(domain, plain[1]):
                return f"{local}@{domain.lower()}"
            try:
                return str(validate_email(text, check_deliverability=False).normalized)
            except EmailNotValidError:
                raise Bad(_l("%(text)s is not an e-mail address.", text=text[:60])) from None

        return parse


def _is_public(domain: str, last: str) -> bool:
    longest = max(len(label) for label in domain.split("."))
    return longest <= 63 and last.lower() not in SPECIAL


class Choice(ColumnType):
    """One of some values: members of a StrEnum, or plain texts; letter case does not matter."""

    def __init__(self, values: type[StrEnum] | Iterable[str]) -> None:
        self.values: dict[str, str] = {str(value).casefold(): value for value in values}

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("one of %(values)s", values=", ".join(self._names()))

    def _names(self) -> list[str]:
        return [self.write(value) for value in self.values.values()]

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to the member or text."""
        values, names = self.values, ", ".join(self._names())

        def parse(text: str) -> str:
            value = values.get(text.casefold())
            if value is None:
                raise Bad(_l("%(text)s is not one of %(values)s.", text=text[:30], values=names))
            return value

        return parse

    def write(self, value: object) -> str:
        """Return the value's own text."""
        return str(value.value) if isinstance(value, Enum) else str(value)


@dataclass(frozen=True, slots=True)
class Boolean(ColumnType):
    """Yes or no."""

    @property
    def takes(self) -> LazyText:
        """Return what the column accepts."""
        return _l("true or false (also yes or no, 1 or 0)")

    def parser(self, reading: Reading) -> Parser:
        """Return a reader to bool."""
        words = {"true": True, "yes": True, "y": True, "1": True}
        words |= {"false": False, "no": False, "n": False, "0": False}

        def parse(text: str) -> bool:
            value = words.get(text.casefold())
            if value is None:
                raise Bad(_l("Write true or false."))
            return value

        return parse

    def write(self, value: object) -> str:
        """Return true or false."""
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind's files.

    name: in the file's head. doc: a sentence for whoever fills it in. required: every file has it,
    and every row unless `may_be_empty`.
    """

    name: str
    type: ColumnType
    required: bool = False
    doc: Text_ = ""
    may_be_empty: bool = False

    def reader(self, reading: Reading) -> Parser:
        """Return the function from a raw cell to a value, None when empty; it refuses (Bad)."""
        parse = self.type.parser(reading)
        required = self.required and not self.may_be_empty

        def read(cell: str) -> object:
            text = cell.strip()
            if not text:
                if required:
                    raise Bad(_l("This is needed."))
                return None
            return parse(undefuse(text) if text[0] == "'" else text)

        return remembering(read) if self.type.repeats else read

    def write(self, value: object) -> str:
        """Return the text of `value` that `reader` takes back; empty for None."""
        return "" if value is None else self.type.write(value)
