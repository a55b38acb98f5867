"""Carrying out an import: batches, each kept on its own, counted, and what was wrong told by line.

A dry run does all of it and rolls back. From the command line, and for kinds whose rows lean on
each other across batches, one transaction stays open to the end, so that the counts are exactly
those of a real run; SQLite lets nobody else write meanwhile. Other dry runs roll back batch by
batch. A bug stops the run; batches before it are kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice

from portal.foundation.actors import Actor
from portal.foundation.database import transaction
from portal.foundation.i18n import _l
from portal.foundation.imports.plan import BadRow, Plan
from portal.foundation.imports.reading import Source
from portal.foundation.imports.registry import (
    Context,
    Did,
    Handler,
    Outcome,
    Row,
    Settled,
)
from portal.foundation.imports.rejects import REJECTED, WARNING, Entry, RejectsFile

MOST_PENDING = 5_000
_LOW = (1 << 64) - 1


@dataclass(slots=True)
class Counts:
    """Rows of one run. warned: rows kept of which something is to be told."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    warned: int = 0

    def as_dict(self, kind: str) -> dict[str, str | int]:
        """Return the answer of the command line."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {"kind": kind, **counts}


@dataclass(slots=True)
class Position:
    """How far a run is: the last line whose outcome is kept, its counts, bytes of its rejects."""

    line: int = 0
    counts: Counts = field(default_factory=Counts)
    rejects: int = 0


class Stopped(Exception):  # noqa: N818 - what became of the run
    """A bug ended the run after `position`; the cause is chained."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"stopped after line {position.line}")
        self.position = position


class _Undo(Exception):  # noqa: N818 - not an error
    """Rolls a dry run back."""


@contextmanager
def _undone() -> Iterator[None]:
    try:
        with transaction():
            yield
            raise _Undo
    except _Undo:
        pass


@dataclass(slots=True)
class _Batch:
    """Rows to apply, rows that repeat one of them, and what is to be told of others."""

    rows: list[Row] = field(default_factory=list)
    echoes: list[tuple[Row, int]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    read: int = 0
    rejected: int = 0
    unchanged: int = 0
    line: int = 0


def _hash(values: tuple[object, ...]) -> int:
    # In Python -1 and -2 have one hash, which two amounts may well be.
    if -1 in values:
        values = tuple(["-1" if value == -1 else value for value in values])
    return hash(values)


def _append(row: Row, batch: _Batch) -> None:
    batch.rows.append(row)


class _Keys:
    """The keys that a file had so far, to find those that come again.

    Keys and values are held as 64-bit hashes: a file of a million lines takes 150 MB less, and two
    of its keys collide once in 30 million such files.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.seen: dict[int, int] = {}
        self.batch: dict[int, int] = {}

    def key(self, row: Row) -> int:
        values = row.values
        return _hash(tuple([values[name] for name in self.names]))

    def sort(self, row: Row, batch: _Batch) -> None:
        """Put `row` into `batch`: to be applied, as an echo, or rejected."""
        key, content = self.key(row), _hash(tuple(row.values.values())) & _LOW
        before = self.seen.get(key)
        if before is None:
            self.seen[key] = row.line << 64 | content
            self.batch[row.line] = len(batch.rows)
            batch.rows.append(row)
            return
        line = before >> 64
        if before & _LOW == content:
            index = self.batch.get(line)
            if index is None:
                batch.unchanged += 1
            else:
                batch.echoes.append((row, index))
            return
        reason = _l(
            "Line %(line)s has the same %(key)s with other values.",
            line=line,
            key=" + ".join(self.names),
        )
        batch.entries.append((row.line, self.names[0], reason, REJECTED, row.raw))
        batch.rejected += 1

    def forget(self, row: Row) -> None:
        """Let a later line with the key of a row that was rejected be judged by itself."""
        self.seen.pop(self.key(row), None)


class Importer:
    """One run over one file."""

    def __init__(
        self,
        plan: Plan,
        source: Source,
        handler: Handler,
        rejects: RejectsFile,
        *,
        dry_run: bool = False,
        in_one: bool = True,
        start: Position | None = None,
        on_kept: Callable[[Position], None] = lambda _: None,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Get ready; `plan` has surveyed `source`.

        in_one: whether a dry run keeps one transaction. start: where a killed run had come to.
        on_kept: called in each batch's transaction with the position after it (in a dry run after
        it was rolled back). on_read: called with the number of rows read since the last call.
        """
        self.plan, self.source, self.handler, self.rejects = plan, source, handler, rejects
        self.kind = plan.kind
        self.dry_run = dry_run
        self.in_one = dry_run and (in_one or plan.kind.whole_file)
        self.position = start or Position()
        self.on_kept, self.on_read = on_kept, on_read
        self.keys = _Keys(plan.kind.key)

    def run(self) -> Counts:
        """Carry it out; return the counts. Refuses (Stopped) going on after a bug."""
        with _undone() if self.in_one else nullcontext():
            try:
                for batch in self._batches():
                    self._keep(batch)
                self._finish()
            except Exception as error:
                raise Stopped(self.position) from error
        if self.in_one:
            self._tell()
        return self.position.counts

    def _batches(self) -> Iterator[_Batch]:
        batch, done, most = _Batch(), self.position.line, self.kind.batch_size
        values = self.plan.values
        sort = _append if self.kind.repeats else self.keys.sort
        for line, raw in self.source.rows():
            if line <= done:
                self._pass_by(line, raw)
                continue
            batch.read += 1
            batch.line = line
            try:
                typed = values(raw)
            except BadRow as bad:
                batch.entries.append((line, bad.column, bad.reason, REJECTED, raw))
                batch.rejected += 1
                full = len(batch.entries) >= MOST_PENDING
            else:
                if typed is not None:
                    sort(Row(line, typed, raw), batch)
                full = len(batch.rows) >= most or len(batch.echoes) >= MOST_PENDING
            if full:
                yield batch
                batch = _Batch()
                self.keys.batch.clear()
        if batch.read:
            yield batch

    def _pass_by(self, line: int, raw: list[str]) -> None:
        """Take note of the key of a row that an earlier run has done."""
        try:
            typed = self.plan.values(raw)
        except BadRow:
            return
        if typed is not None and not self.kind.repeats:
            self.keys.sort(Row(line, typed, raw), _Batch())
            self.keys.batch.clear()

    @contextmanager
    def _unit(self) -> Iterator[None]:
        """Hold one transaction round a batch, kept or, in a dry run, undone."""
        if self.in_one:
            yield
        elif self.dry_run:
            with _undone():
                yield
            self._tell()
        else:
            with transaction():
                yield
                self._tell()

    def _tell(self) -> None:
        self.position.rejects = self.rejects.size
        with transaction():
            self.on_kept(self.position)

    def _keep(self, batch: _Batch) -> None:
        before = self.position
        try:
            with self._unit():
                counts = Counts(*(getattr(before.counts, name) for name in Counts.__slots__))
                self.position = Position(batch.line, counts, before.rejects)
                self._apply(batch, counts)
                self.rejects.add(batch.entries)
        except BaseException:
            self.position = before
            raise
        self.on_read(batch.read)

    def _apply(self, batch: _Batch, counts: Counts) -> None:
        outcomes = self.handler.apply(batch.rows) if batch.rows else []
        if len(outcomes) != len(batch.rows):
            raise TypeError(f"{len(outcomes)} outcomes for {len(batch.rows)} rows")
        counts.read += batch.read
        counts.rejected += batch.rejected
        counts.unchanged += batch.unchanged
        for row, outcome in zip(batch.rows, outcomes, strict=True):
            did = outcome.did
            if did is Did.CREATED:
                counts.created += 1
            elif did is Did.UNCHANGED:
                counts.unchanged += 1
            elif did is Did.UPDATED:
                counts.updated += 1
            if did is Did.REJECTED or outcome.warnings:
                self._note(row, outcome, counts, batch.entries)
        for row, index in batch.echoes:
            if outcomes[index].did is Did.REJECTED:
                self._note(row, outcomes[index], counts, batch.entries)
            else:
                counts.unchanged += 1

    def _note(self, row: Row, outcome: Outcome, counts: Counts, entries: list[Entry]) -> None:
        """Keep what is to be told of a row."""
        if outcome.did is Did.REJECTED:
            counts.rejected += 1
            entries.append((row.line, outcome.column, outcome.reason, REJECTED, row.raw))
            self.keys.forget(row)
            return
        counts.warned += 1
        for column, sentence in outcome.warnings:
            entries.append((row.line, column, sentence, WARNING, row.raw))

    def _finish(self) -> None:
        pieces = None
        ended = False
        while not ended:
            before = self.position.counts
            with self._unit():
                if pieces is None:
                    pieces = self.handler.finish()
                piece = None if pieces is None else next(pieces, None)
                ended = piece is None
                if piece is not None:
                    counts = Counts(*(getattr(before, name) for name in Counts.__slots__))
                    self.position = Position(self.position.line, counts, self.rejects.size)
                    self._settle(piece, counts)

    def _settle(self, piece: Settled, counts: Counts) -> None:
        counts.created += piece.created
        counts.updated += piece.updated
        counts.unchanged += piece.unchanged
        counts.rejected += len({line for line, _, _ in piece.rejected})
        counts.warned += len({line for line, _, _ in piece.warned})
        told = [(*entry, REJECTED) for entry in piece.rejected]
        told += [(*entry, WARNING) for entry in piece.warned]
        raws = self._raws({entry[0] for entry in told})
        self.rejects.add(
            [(line, column, text, kind, raws.get(line, [])) for line, column, text, kind in told]
        )

    def _raws(self, lines: set[int]) -> dict[int, list[str]]:
        """Return the cells of some lines, which are read once more."""
        found = ((line, raw) for line, raw in self.source.rows() if line in lines)
        return dict(islice(found, len(lines)))


def begin(plan: Plan, actor: Actor, context: Context) -> Handler:
    """Return the kind's handler for one run; it may refuse the run (Refused)."""
    return plan.kind.handler(actor, replace(context, columns=plan.given))
