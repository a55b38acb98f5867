"""The file of what was rejected or warned about: line, column, reason, kind, the cells as given."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Self

from portal.foundation.imports.cells import defuse
from portal.foundation.imports.columns import Text_

HEAD = ("line", "column", "reason", "kind")
REJECTED, WARNING = "rejected", "warning"

Entry = tuple[int, str, Text_, str, list[str]]


class RejectsFile:
    """A CSV that grows batch by batch.

    path: where it goes; None keeps nothing. header: the head of the file that is read; its names
    that equal ours are written with "file." before them. size: bytes to keep of an earlier run
    that was killed; 0 begins anew.
    """

    def __init__(self, path: Path | None, header: list[str], size: int = 0) -> None:
        self._file = None if path is None else path.open("r+b" if size else "wb")
        self.size = size
        if self._file is None:
            return
        self._file.truncate(size)
        self._file.seek(size)
        if not size:
            names = [f"file.{name}" if name.casefold() in HEAD else name for name in header]
            self._write([(*HEAD, *map(defuse, names))])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, entries: list[Entry]) -> None:
        """Write entries, by line; on disk when this returns."""
        if self._file is None or not entries:
            return
        self._write(
            [
                (str(line), column, defuse(str(reason)), kind, *map(defuse, raw))
                for line, column, reason, kind, raw in sorted(entries, key=lambda entry: entry[0])
            ]
        )

    def _write(self, rows: list[tuple[str, ...]]) -> None:
        if self._file is None:
            return
        buffer = _Lines()
        csv.writer(buffer).writerows(rows)
        self._file.write("".join(buffer).encode())
        self._file.flush()
        self.size = self._file.tell()


class _Lines(list[str]):
    def write(self, text: str) -> int:
        self.append(text)
        return len(text)
