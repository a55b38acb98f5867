"""Mapping files: how somebody else's file becomes one of ours.

A YAML document of up to six parts, all of them optional; other keys are refused with their path:

    columns:   {ours: "Theirs"}                 where a column is found in the file
    constants: {ours: value}                    the same value in every row
    values:    {ours: {"their value": ours}}    words translated; others stay as they are
    formats:   {ours: "%d/%m/%Y"}               how dates are written (strptime)
    computed:  {ours: "quantity * unit_price"}  the four operations on columns and numbers
    skip:      [{column: invoice_no, starts_with: C}]

Several of our columns may take the same column of the file. A column of ours that no part names is
taken from the file's column of the same name, when there is one. Names in `computed` and `skip` are
the left names of `columns` first, then those of the file's head; both see the cell as the file has
it. A left name of `columns` that is no column of ours may serve `computed` and `skip`.

`skip` leaves out each row of which one condition holds: `starts_with`, `equals`, `at_most`,
`at_least` or `empty: true`. Rows left out count as read and are otherwise silent. Columns of the
file that nothing uses are left alone.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import LazyText, _l
from portal.foundation.imports.columns import Column
from portal.foundation.imports.expressions import Expression
from portal.foundation.imports.numbers import remembering

MOST_BYTES = 64 * 1024
PARTS = ("columns", "constants", "values", "formats", "computed", "skip")
TESTS = ("starts_with", "equals", "at_most", "at_least", "empty")


@dataclass(frozen=True, slots=True)
class Skip:
    """One condition under which a row is left out."""

    column: str
    test: str
    operand: str

    def compile(self) -> Callable[[str], bool]:
        """Return the function that says of a trimmed cell whether its row is left out."""
        operand = self.operand
        if self.test == "starts_with":
            return lambda cell: cell.startswith(operand)
        if self.test == "equals":
            return lambda cell: cell == operand
        if self.test == "empty":
            wanted = operand == "true"
            return lambda cell: (not cell) is wanted
        limit, below = Decimal(operand), self.test == "at_most"

        def compare(cell: str) -> bool:
            try:
                number = Decimal(cell)
                return number <= limit if below else number >= limit
            except InvalidOperation:
                return False

        return remembering(compare)


@dataclass(frozen=True)
class FileMapping:
    """A mapping that was read; empty parts for a file that is ours already."""

    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    computed: dict[str, Expression] = field(default_factory=dict)
    skip: tuple[Skip, ...] = ()
    is_given: bool = False


class _Loader(yaml.SafeLoader):
    """YAML whose scalars stay as they are written, so that `No` and `007` are texts."""

    yaml_implicit_resolvers = {
        "~": [("tag:yaml.org,2002:null", re.compile(r"^~$"))],
        "n": [("tag:yaml.org,2002:null", re.compile(r"^null$"))],
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise _wrong(str(key), _l("it is there twice"))
        return super().construct_mapping(node, deep=deep)


def _wrong(path: str, what: str | LazyText) -> Unreadable:
    return Unreadable(
        _l("The mapping cannot be used: %(path)s: %(what)s.", path=path, what=what), code="mapping"
    )


def read_mapping(text: str, columns: Mapping[str, Column]) -> FileMapping:
    """Return the mapping that `text` writes for a kind of `columns`.

    Refuses (Unreadable, `mapping`) what is no such YAML, unknown keys and columns with their path,
    and formats of what is no date.
    """
    document = _document(text)
    for key in document:
        if key not in PARTS:
            raise _wrong(
                str(key), _l("there is no such part; there are %(names)s", names=", ".join(PARTS))
            )
    constants = _texts(document, "constants", columns)
    expressions = {
        name: Expression(formula, f"computed.{name}")
        for name, formula in _texts(document, "computed", columns).items()
    }
    skip = document.get("skip") or []
    if not isinstance(skip, list):
        raise _wrong("skip", _l("a list of conditions belongs here"))
    conditions = tuple(_skip(item, f"skip.{number}") for number, item in enumerate(skip))
    helpers = {name for expression in expressions.values() for name in expression.names}
    helpers |= {condition.column for condition in conditions}
    renamed = _texts(document, "columns", {**columns, **dict.fromkeys(helpers)})
    for name in constants:
        if name in renamed or name in expressions:
            raise _wrong(f"constants.{name}", _l("another part gives this column too"))
    return FileMapping(
        columns=renamed,
        constants=constants,
        values=_values(document, columns),
        formats=_formats(document, columns),
        computed=expressions,
        skip=conditions,
        is_given=True,
    )


def _document(text: str) -> dict[str, Any]:
    if len(text.encode()) > MOST_BYTES:
        raise _wrong("-", _l("it is longer than 64 KB"))
    try:
        for token in yaml.scan(text, Loader=_Loader):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
                raise _wrong("-", _l("anchors and aliases are not taken"))
        # The loader is a SafeLoader that makes texts, lists and mappings alone.
        document = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(f"line {line}", error.problem or _l("this is not YAML")) from None
    except (yaml.YAMLError, RecursionError):
        raise _wrong("-", _l("this is not YAML")) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _wrong(
            "-", _l("a document with the parts %(names)s belongs here", names=", ".join(PARTS))
        )
    return document


def _part(document: dict[str, Any], part: str, known: Mapping[str, object]) -> dict[str, Any]:
    given = document.get(part)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _wrong(part, _l("pairs of column and value belong here"))
    for name in given:
        if name not in known:
            raise _wrong(f"{part}.{name}", _l("there is no such column"))
    return given


def _texts(document: dict[str, Any], part: str, known: Mapping[str, object]) -> dict[str, str]:
    given = _part(document, part, known)
    for name, value in given.items():
        if not isinstance(value, str) or "\x00" in value:
            raise _wrong(f"{part}.{name}", _l("one value belongs here"))
    return given


def _values(document: dict[str, Any], columns: Mapping[str, Column]) -> dict[str, dict[str, str]]:
    given = _part(document, "values", columns)
    for name, words in given.items():
        if not isinstance(words, dict):
            raise _wrong(f"values.{name}", _l("pairs of their value and ours belong here"))
        for theirs, ours in words.items():
            if not isinstance(theirs, str) or not isinstance(ours, str | None):
                raise _wrong(f"values.{name}.{theirs}", _l("one value belongs here"))
    return {
        name: {theirs.strip(): ours or "" for theirs, ours in words.items()}
        for name, words in given.items()
    }


def _formats(document: dict[str, Any], columns: Mapping[str, Column]) -> dict[str, str]:
    given = _texts(document, "formats", columns)
    for name, form in given.items():
        if not columns[name].type.is_date:
            raise _wrong(f"formats.{name}", _l("this column holds no dates"))
        if not _is_format(form):
            raise _wrong(
                f"formats.{name}",
                _l("%(form)s is not a date format such as %%d/%%m/%%Y", form=form),
            )
    return given


def _is_format(form: str) -> bool:
    """Return whether `form` reads back the day that it writes."""
    moment = datetime(2023, 10, 25)  # noqa: DTZ001 - formats are tried without a zone
    try:
        return datetime.strptime(moment.strftime(form), form).date() == moment.date()  # noqa: DTZ007
    except ValueError:
        return False


def _skip(item: object, path: str) -> Skip:
    if not isinstance(item, dict) or not isinstance(item.get("column"), str):
        raise _wrong(path, _l("a condition such as {column: status, equals: void} belongs here"))
    tests = [key for key in item if key != "column"]
    for test in tests:
        if test not in TESTS:
            raise _wrong(
                f"{path}.{test}",
                _l("there is no such test; there are %(names)s", names=", ".join(TESTS)),
            )
    if len(tests) != 1:
        raise _wrong(path, _l("one test for each condition; write several conditions"))
    test, operand = tests[0], item[tests[0]]
    if operand is None or not isinstance(operand, str):
        raise _wrong(f"{path}.{test}", _l("one value belongs here"))
    if test == "empty":
        operand = operand.lower()
    if test == "empty" and operand not in {"true", "false"}:
        raise _wrong(f"{path}.{test}", _l("true or false belongs here"))
    if test in {"at_most", "at_least"}:
        _limit(operand, f"{path}.{test}")
    return Skip(item["column"], test, operand)


def _limit(text: str, path: str) -> None:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise _wrong(path, _l("a number belongs here"))
