"""The four operations on a file's columns, as mappings compute with them: exact, nothing else."""

import re
from collections.abc import Callable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import _l

Row = list[str]
Cell = Callable[[Row], Decimal | None]

MOST_LETTERS = 200
_token = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[^\W0-9]\w*)|\"(?P<quoted>[^\"]+)\""
    r"|(?P<sign>[-+*/()]))"
)
_exact = Context(prec=60, traps=[DivisionByZero, InvalidOperation, Overflow])
_operations: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _exact.add,
    "-": _exact.subtract,
    "*": _exact.multiply,
    "/": _exact.divide,
}


class Expression:
    """A computed column.

    text: columns, numbers, + - * / and brackets; a column's name with spaces stands in double
    quotes. Refuses (Unreadable) anything else, naming `place`.
    """

    def __init__(self, text: str, place: str) -> None:
        self.text = text
        self.place = place
        self.names: list[str] = []
        self.divides = False
        if len(text) > MOST_LETTERS:
            raise self._wrong()
        self._tokens = self._split()
        self._at = 0
        self._tree = self._sum()
        if self._at != len(self._tokens):
            raise self._wrong()

    def compile(self, column: Callable[[str], Cell]) -> Cell:
        """Return the function from a row to the result, None when a column of it is empty.

        column: gives the reader of a named column. Quotients are rounded half to even to four
        decimals; everything else is exact.
        """
        compute = _compile(self._tree, column)
        if not self.divides:
            return compute

        def rounded(row: Row) -> Decimal | None:
            result = compute(row)
            return None if result is None else round(result, 4)

        return rounded

    def _wrong(self) -> Unreadable:
        return Unreadable(
            _l(
                "%(place)s: %(text)s is not a sum of columns and numbers with + - * /.",
                place=self.place,
                text=self.text[:80],
            ),
            code="mapping",
        )

    def _split(self) -> list[tuple[str, str]]:
        found, at, text = [], 0, self.text.rstrip()
        while at < len(text):
            match = _token.match(text, at)
            if match is None:
                raise self._wrong()
            kind = match.lastgroup or ""
            found.append(("name" if kind == "quoted" else kind, match[kind]))
            at = match.end()
        return found

    def _take(self, signs: str) -> str | None:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "sign" and text in signs:
                self._at += 1
                return text
        return None

    def _sum(self) -> object:
        left = self._product()
        while sign := self._take("+-"):
            left = (sign, left, self._product())
        return left

    def _product(self) -> object:
        left = self._factor()
        while sign := self._take("*/"):
            self.divides = self.divides or sign == "/"
            left = (sign, left, self._factor())
        return left

    def _factor(self) -> object:
        if self._take("-"):
            return ("-", Decimal(0), self._factor())
        if self._take("("):
            inside = self._sum()
            if not self._take(")"):
                raise self._wrong()
            return inside
        if self._at >= len(self._tokens):
            raise self._wrong()
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return Decimal(text)
        if kind != "name":
            raise self._wrong()
        self.names.append(text)
        return text


def _compile(tree: object, column: Callable[[str], Cell]) -> Cell:
    if isinstance(tree, Decimal):
        return lambda _row: tree
    if isinstance(tree, str):
        return column(tree)
    if not isinstance(tree, tuple):
        raise TypeError(f"{tree!r} is no part of an expression")
    sign, left, right = tree
    operate = _operations[sign]
    first, second = _compile(left, column), _compile(right, column)

    def compute(row: Row) -> Decimal | None:
        a, b = first(row), second(row)
        return None if a is None or b is None else operate(a, b)

    return compute
