"""Exact money: a Decimal amount and an ISO 4217 currency, stored as scaled integers."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision, list_currencies

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l, decimal_text

SCALE = 10_000
LARGEST = Decimal(10) ** 12
CURRENCIES = frozenset(list_currencies())


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency; sums of different currencies are refused.

    amount: Decimal with at most four decimals. currency: ISO 4217 code.
    """

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        """Return the sum; refuses (ValueError) two currencies."""
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        """Return the amount in the reader's language with its code, such as 212,640.00 EUR."""
        return f"{decimal_text(self.amount, get_currency_precision(self.currency))} {self.currency}"


def parse_amount(text: str | int | Decimal, *, field: str = "amount") -> Decimal:
    """Return the exact amount that `text` writes with a decimal point.

    Refuses what is no number, is not finite, has more than four decimals or exceeds 10^12.
    """
    try:
        if isinstance(text, str) and "_" in text:
            raise ValueError("Python's own way to group digits")
        amount = Decimal(text.strip() if isinstance(text, str) else text)
    except (InvalidOperation, ValueError):
        raise Refused(_l("This is not an amount. Write it like 1234.50."), field=field) from None
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise Refused(_l("This amount is out of range."), field=field)
    if amount != amount.quantize(Decimal("0.0001")):
        raise Refused(_l("An amount has at most four decimals."), field=field)
    return amount + 0  # never minus zero


def parse_currency(text: str, *, field: str = "currency") -> str:
    """Return the ISO 4217 code in capitals; refuses an unknown one."""
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise Refused(_l("%(code)s is not a currency code.", code=text[:10]), field=field)
    return code


def to_scaled(amount: Decimal) -> int:
    """Return `amount` in ten-thousandths; refuses (ValueError) finer ones."""
    scaled = amount * SCALE
    whole = int(scaled)
    if scaled != whole:
        raise ValueError(f"{amount} has more than four decimals")
    return whole


def from_scaled(scaled: int) -> Decimal:
    """Return the amount of `scaled` ten-thousandths, without trailing zeros past the cents."""
    amount = Decimal(scaled) / SCALE
    return amount.quantize(Decimal("0.01")) if scaled % 100 == 0 else amount.normalize()
