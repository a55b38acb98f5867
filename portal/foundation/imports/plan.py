"""From raw cells to typed values: the head checked once, a reader for each column made once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import LazyText, _l
from portal.foundation.imports.columns import (
    Bad,
    Column,
    Number,
    Parser,
    Reading,
    Text_,
    Whole,
)
from portal.foundation.imports.dates import find_orders
from portal.foundation.imports.mapping import FileMapping
from portal.foundation.imports.numbers import parse_number, remembering
from portal.foundation.imports.reading import Source
from portal.foundation.imports.registry import ImportKind

Raw = list[str]
Getter = Callable[[Raw], str]
Complaint = tuple[str, Text_]


class BadRow(Exception):  # noqa: N818 - a row's refusal, not an error of ours
    """A row that cannot be: (column, reason) of the first bad cell, others told in the reason."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.column, self.reason = complaints[0]
        if len(complaints) > 1:
            more = "; ".join(f"{column}: {reason}" for column, reason in complaints[1:])
            self.reason = f"{self.reason} {more}"
        super().__init__(self.reason)


class Plan:
    """How the rows of one file become values of one kind.

    Refuses (Unreadable) a head without the required columns, one that names a column twice, and
    unknown columns unless `ignore_unknown` or a mapping is given.
    """

    def __init__(
        self,
        kind: ImportKind,
        header: list[str],
        mapping: FileMapping,
        *,
        ignore_unknown: bool = False,
    ) -> None:
        self.kind = kind
        self.header = header
        self.mapping = mapping
        self.width = len(header)
        self.count = 0
        self._exact = {name: index for index, name in reversed(list(enumerate(header)))}
        self._folded = {name.casefold(): index for name, index in self._exact.items()}
        self._indexes = self._find_columns()
        self._check_header(ignore_unknown)
        self._check_names()
        self._base: dict[str, Any] = {}
        self._cells: list[tuple[str, int, Parser]] = []
        self._computed: list[tuple[str, Callable[[Raw], object]]] = []
        self._skips = [(self._index(skip.column, "skip"), skip.compile()) for skip in mapping.skip]

    def _find_columns(self) -> dict[str, int]:
        """Return where each of our columns, and each helper of the mapping, stands in the file."""
        found = {}
        for name in self.kind.by_name:
            if name in self._folded and name not in self.mapping.constants:
                found[name] = self._folded[name]
        for name, theirs in self.mapping.columns.items():
            index = self._exact.get(theirs.strip(), self._folded.get(theirs.strip().casefold()))
            if index is None:
                raise Unreadable(
                    _l(
                        "The mapping takes %(name)s from column %(theirs)s, which is not there.",
                        name=name,
                        theirs=theirs,
                    ),
                    code="mapping",
                )
            found[name] = index
        return found

    @property
    def given(self) -> frozenset[str]:
        """Return our columns that the file or its mapping gives."""
        parts = (self._indexes, self.mapping.constants, self.mapping.computed)
        return frozenset(name for part in parts for name in part if name in self.kind.by_name)

    def _check_header(self, ignore_unknown: bool) -> None:
        given = self.given
        missing = [
            column.name
            for column in self.kind.columns
            if column.required and column.name not in given
        ]
        if missing:
            raise Unreadable(
                _l("Required columns are missing: %(names)s.", names=", ".join(missing)),
                code="missing_columns",
            )
        used = set(self._indexes.values())
        folded = [name.casefold() for name in self.header]
        twice = {self.header[index] for index in used if folded.count(folded[index]) > 1}
        if twice:
            raise Unreadable(
                _l("Columns are there twice: %(names)s.", names=", ".join(sorted(twice))),
                code="duplicate_columns",
            )
        if ignore_unknown or self.mapping.is_given:
            return
        unknown = [
            name or str(_l("column %(number)s without a name", number=index + 1))
            for index, name in enumerate(self.header)
            if index not in used
        ]
        if unknown:
            raise Unreadable(
                _l("Unknown columns: %(names)s.", names=", ".join(unknown[:20])),
                code="unknown_columns",
            )

    def _check_names(self) -> None:
        for expression in self.mapping.computed.values():
            for name in expression.names:
                self._index(name, expression.place)

    def _index(self, name: str, place: str) -> int:
        """Return the place of a column that a mapping names: ours first, then the file's."""
        if name in self.mapping.columns:
            return self._indexes[name]
        index = self._exact.get(name, self._folded.get(name.casefold()))
        if index is None:
            raise Unreadable(
                _l("%(place)s: there is no column %(name)s.", place=place, name=name),
                code="mapping",
            )
        return index

    def survey(self, source: Source, zone: str) -> int:
        """Read the whole file once, then get ready to type its rows; return how many there are.

        zone: of instants without one. Refuses (Unreadable) broken quoting anywhere, and dates that
        can be read two ways (`ambiguous_date`).
        """
        open_dates = {
            name: self._getter(name)
            for name, index in self._indexes.items()
            if name in self.kind.by_name
            and self.kind.by_name[name].type.is_date
            and name not in self.mapping.formats
            and name not in self.mapping.computed
        }
        self.count, orders = find_orders(source.rows(), open_dates, self._counts)
        self._prepare(zone, orders)
        return self.count

    def _counts(self, raw: Raw) -> bool:
        return len(raw) == self.width and not self.skips(raw)

    def _prepare(self, zone: str, orders: dict[str, bool | None]) -> None:
        for column in self.kind.by_name.values():
            name = column.name
            form = self.mapping.formats.get(name)
            read = column.reader(Reading(zone, form, orders.get(name)))
            self._base[name] = None
            if name in self.mapping.constants:
                self._base[name] = self._constant(name, read)
            elif name in self.mapping.computed:
                self._computed.append((name, self._compute(column, read)))
            elif name in self._indexes:
                words = self.mapping.values.get(name)
                if words:
                    read = _translating(words, read)
                self._cells.append((name, self._indexes[name], read))

    def _constant(self, name: str, read: Parser) -> object:
        try:
            return read(self.mapping.constants[name])
        except Bad as bad:
            raise Unreadable(
                _l("constants.%(name)s: %(reason)s", name=name, reason=bad.reason), code="mapping"
            ) from None

    def _compute(self, column: Column, read: Parser) -> Callable[[Raw], object]:
        compute = self.mapping.computed[column.name].compile(self._operand)

        def value(raw: Raw) -> object:
            try:
                result = compute(raw)
            except ArithmeticError:
                raise Bad(_l("This cannot be computed.")) from None
            if result is None:
                return read("")
            if not isinstance(column.type, Number | Whole):
                result = result.normalize()
            return read(format(result, "f"))

        return value

    def _operand(self, name: str) -> Callable[[Raw], Decimal | None]:
        index = self._index(name, "computed")

        @remembering
        def number(cell: str) -> Decimal | None:
            text = cell.strip()
            try:
                return parse_number(text) if text else None
            except Bad as bad:
                raise Bad(
                    _l("%(name)s: %(reason)s", name=self.header[index], reason=bad.reason)
                ) from None

        return lambda raw: number(raw[index])

    def _getter(self, name: str) -> Getter:
        index, words = self._indexes[name], self.mapping.values.get(name, {})

        def cell(raw: Raw) -> str:
            text = raw[index]
            return words.get(text.strip(), text) if words else text

        return cell

    def skips(self, raw: Raw) -> bool:
        """Return whether the mapping leaves this row out."""
        return any(test(raw[index].strip()) for index, test in self._skips)

    def values(self, raw: Raw) -> dict[str, Any] | None:
        """Return the typed values of a row, None when the mapping leaves it out.

        Refuses (BadRow) a row of another width and cells that their columns do not take. `survey`
        comes first.
        """
        if len(raw) != self.width:
            raise BadRow([("", _width(len(raw), self.width))])
        if self._skips and self.skips(raw):
            return None
        values = self._base.copy()
        try:
            for name, index, read in self._cells:
                values[name] = read(raw[index])
            for name, compute in self._computed:
                values[name] = compute(raw)
        except Bad:
            raise BadRow(self._complaints(raw)) from None
        return values

    def _complaints(self, raw: Raw) -> list[Complaint]:
        """Return every bad cell of a row, in the columns' order."""
        found: list[Complaint] = []
        for name, index, read in self._cells:
            try:
                read(raw[index])
            except Bad as bad:
                found.append((name, bad.reason))
        for name, compute in self._computed:
            try:
                compute(raw)
            except Bad as bad:
                found.append((name, bad.reason))
        return found


def _width(has: int, needs: int) -> LazyText:
    return _l("This line has %(has)s cells, the head has %(needs)s.", has=has, needs=needs)


def _translating(words: dict[str, str], read: Parser) -> Parser:
    def translated(cell: str) -> object:
        return read(words.get(cell.strip(), cell))

    return translated
