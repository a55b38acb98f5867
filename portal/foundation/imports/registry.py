"""What a slice says about a kind of file, and what its handler is given and answers.

A slice's `imports.py` calls `register(ImportKind(...))` once for each kind. The framework reads and
types the file; the handler gets good rows in batches, each inside an open `transaction()`, and
answers with an outcome for each row. Handlers work on sets: keys are looked up by IN, new rows
inserted in bulk.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Protocol

from portal.foundation.actors import Actor
from portal.foundation.i18n import LazyText
from portal.foundation.imports.columns import Column

Reason = str | LazyText
Warnings = tuple[tuple[str, Reason], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What one run is about.

    club: the code given with it, for kinds that need one. dry_run: everything will be rolled back.
    token: stays the same when a run that was killed is taken up again; staged rows may carry it.
    columns: those that the file or its mapping gives. The others are None in every row, which says
    nothing about things that are there already.
    """

    club: str | None = None
    dry_run: bool = False
    token: str = ""
    columns: frozenset[str] = frozenset()


class Row:
    """A good row: `line` in the file, `values` by column name, None for empty cells."""

    __slots__ = ("line", "raw", "values")

    def __init__(self, line: int, values: dict[str, Any], raw: list[str]) -> None:
        self.line = line
        self.values = values
        self.raw = raw


class Did(Enum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    STAGED = "staged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; made by the functions below.

    column, reason: of a rejection. warnings: (column, sentence), of a row that is kept.
    """

    did: Did
    column: str = ""
    reason: Reason = ""
    warnings: Warnings = ()


_PLAIN = {did: Outcome(did) for did in Did}


def created(*warnings: tuple[str, Reason]) -> Outcome:
    """Say that the row became a new thing."""
    return Outcome(Did.CREATED, warnings=warnings) if warnings else _PLAIN[Did.CREATED]


def updated(*warnings: tuple[str, Reason]) -> Outcome:
    """Say that the row changed a thing that was there."""
    return Outcome(Did.UPDATED, warnings=warnings) if warnings else _PLAIN[Did.UPDATED]


def unchanged(*warnings: tuple[str, Reason]) -> Outcome:
    """Say that all of the row was there already."""
    return Outcome(Did.UNCHANGED, warnings=warnings) if warnings else _PLAIN[Did.UNCHANGED]


def rejected(column: str, reason: Reason) -> Outcome:
    """Say that the row cannot be: a sentence about one of its columns."""
    return Outcome(Did.REJECTED, column, reason)


def staged() -> Outcome:
    """Say that `finish` will tell what became of the row; for handlers that settle at the end."""
    return _PLAIN[Did.STAGED]


@dataclass(slots=True)
class Settled:
    """What `finish` tells of rows that were staged.

    rejected, warned: (line, column, sentence); a rejected row is in none of the counts, a warned
    one in exactly one of them.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[tuple[int, str, Reason]] = field(default_factory=list)
    warned: list[tuple[int, str, Reason]] = field(default_factory=list)


class Handler(Protocol):
    """What turns rows into things; one is made for each run, outside of any transaction.

    Its constructor may refuse the whole run (Refused), as for a club that is not there.
    """

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch inside the open transaction; return an outcome for each row, in order.

        No two rows of a file have the same key unless the kind allows it. Lines before may have
        been applied by an earlier run that was killed.
        """

    def finish(self) -> Iterator[Settled] | None:
        """Do what is left after the last batch; None when nothing is.

        Each piece up to a `yield` is a transaction of its own. Must bear being called again after
        a kill: what an earlier piece settled is to be found settled.
        """


@dataclass(frozen=True)
class ImportKind:
    """A kind of file.

    name: on the command line and in addresses. label: on pages. key: columns that name the thing.
    columns: in the order of an export. handler: the class, called with actor and context.
    policy: who may send such files on the desk. needs_club: a run is about one club.
    batch_size: rows a transaction. repeats: a key may come more than once in a file.
    whole_file: rows lean on each other across batches, so that a dry run keeps one transaction.
    zone: gives the zone of instants without one; UTC when None. export: yields the values of each
    thing by column, in a stable order, from a streaming select.
    """

    name: str
    label: Reason
    key: tuple[str, ...]
    columns: Iterable[Column]
    handler: Callable[[Actor, Context], Handler]
    policy: Callable[[Actor], bool]
    export: Callable[[Context], Iterator[dict[str, Any]]] | None = None
    needs_club: bool = False
    batch_size: int = 1_000
    repeats: bool = False
    whole_file: bool = False
    zone: Callable[[Context], str] | None = None

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Return the columns by name, in order."""
        return {column.name: column for column in self.columns}


KINDS: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> ImportKind:
    """Make `kind` known to commands and pages.

    Refuses (ValueError) a name given twice, a column without documentation, and a key that is no
    column.
    """
    if kind.name in KINDS:
        raise ValueError(f"import kind {kind.name} is registered twice")
    for column in kind.columns:
        if not column.doc:
            raise ValueError(f"column {column.name} of {kind.name} is not documented")
    for name in kind.key:
        if name not in kind.by_name:
            raise ValueError(f"key {name} of {kind.name} is no column")
    KINDS[kind.name] = kind
    return kind


def kinds_for(actor: Actor) -> list[ImportKind]:
    """Return the kinds that `actor` may send, by name."""
    return [kind for name, kind in sorted(KINDS.items()) if kind.policy(actor)]
