"""Files of rows: CSV, also gzipped, as a stream; workbooks through `workbooks`.

A file is judged before anything of it is used: its encoding, its size when unpacked, its quoting.
Everything that is wrong with the file as a whole is `Unreadable`, a sentence that says how to mend.
"""

import csv
import gzip
import io
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import filetype

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import LazyText, _l
from portal.foundation.imports.workbooks import Workbook

MEGABYTE = 1024 * 1024
MOST_CELL = 1_000_000
DELIMITERS = (",", ";", "\t")
_ODD_STARTS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

csv.field_size_limit(MOST_CELL)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be.

    unpacked: bytes of the parts of a workbook together. stream: bytes of a CSV after gunzip.
    cells: rows times columns of a workbook's sheet.
    """

    unpacked: int
    stream: int
    cells: int


WEB = Limits(unpacked=20 * MEGABYTE, stream=20 * MEGABYTE, cells=2_000_000)
COMMAND = Limits(unpacked=200 * MEGABYTE, stream=4_096 * MEGABYTE, cells=20_000_000)


class Source(Protocol):
    """A file that is open for reading; `header` holds its head, trimmed."""

    header: list[str]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and cells of each row that is not empty, from the first row on."""


def open_source(path: Path, wanted: frozenset[str], limits: Limits) -> Source:
    """Return the rows of a CSV (UTF-8, perhaps gzipped) or an XLSX file.

    wanted: names that a head may hold; they settle which delimiter a CSV has. Refuses (Unreadable)
    anything else, other encodings, NUL, broken quoting, what unpacks beyond `limits`.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise Unreadable(
            _l("%(path)s: %(why)s.", path=path.name, why=error.strerror or "?")
        ) from None
    if start.startswith(b"PK"):
        return Workbook(path, limits.unpacked, limits.cells)
    if not start.strip():
        raise Unreadable(_l("The file is empty."))
    zipped = start.startswith(b"\x1f\x8b")
    other = None if zipped else filetype.guess(start)
    if other is not None:
        raise Unreadable(
            _l("This is a file of type %(type)s. Send CSV or XLSX.", type=other.extension)
        )
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _l("This is an old or protected Excel file. Save it as XLSX without a password.")
        )
    return CsvFile(path, zipped, wanted, limits)


def _not_utf8(line: int | None = None) -> Unreadable:
    if line is None:
        return Unreadable(
            _l(
                "The file is not UTF-8. Save it as UTF-8 (in Excel: “CSV UTF-8”) and send it again."
            ),
            code="encoding",
        )
    return Unreadable(
        _l(
            "Line %(line)s is not UTF-8. Save the file as UTF-8 (in Excel: “CSV UTF-8”) and send "
            "it again.",
            line=line,
        ),
        code="encoding",
    )


class CsvFile:
    """A CSV file: comma, semicolon or tab, RFC 4180 quoting, line breaks inside quotes.

    Its first line that is not empty is the head.
    """

    def __init__(self, path: Path, zipped: bool, wanted: frozenset[str], limits: Limits) -> None:
        self.path = path
        self.zipped = zipped
        self._check_bytes(limits.stream)
        self.delimiter = self._find_delimiter(wanted)
        self.header = self._head(self.delimiter)

    def _open(self) -> gzip.GzipFile | IO[bytes]:
        return gzip.open(self.path) if self.zipped else self.path.open("rb")

    def _check_bytes(self, most: int) -> None:
        """Judge encoding and size in one quick pass, before any row is looked at."""
        decoder = getincrementaldecoder("utf-8")()
        size = lines = 0
        try:
            with self._open() as file:
                while chunk := file.read(MEGABYTE):
                    if not size and chunk.startswith(_ODD_STARTS):
                        raise _not_utf8()
                    size += len(chunk)
                    if size > most:
                        raise Unreadable(_too_large(most), code="too_large")
                    if b"\x00" in chunk:
                        line = lines + chunk[: chunk.index(b"\x00")].count(b"\n") + 1
                        raise Unreadable(
                            _l("Line %(line)s holds NUL: this is no text file.", line=line),
                            code="encoding",
                        )
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError as error:
                        good = error.object[: error.start].count(b"\n")
                        raise _not_utf8(lines + good + 1) from None
                    lines += chunk.count(b"\n")
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise _not_utf8(lines + 1) from None
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Unreadable(_l("The gzip file is damaged.")) from None
        if not size:
            raise Unreadable(_l("The file is empty."))

    def _records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        with (
            self._open() as binary,
            io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text,
        ):
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            line = 1
            try:
                for cells in reader:
                    if cells and (cells[0] or any(cells)):
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                raise Unreadable(_broken(line, str(error))) from None

    def _head(self, delimiter: str) -> list[str]:
        for _, cells in self._records(delimiter):
            return [cell.strip() for cell in cells]
        raise Unreadable(_l("The file is empty."))

    def _find_delimiter(self, wanted: frozenset[str]) -> str:
        best, most = DELIMITERS[0], (-1, 0)
        for delimiter in DELIMITERS:
            try:
                head = self._head(delimiter)
            except Unreadable:
                continue
            known = sum(cell.casefold() in wanted for cell in head)
            if (known, len(head)) > most:
                best, most = delimiter, (known, len(head))
        return best

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and cells of each row that is not empty."""
        records = self._records(self.delimiter)
        next(records)
        return records


def _broken(line: int, error: str) -> LazyText:
    if "limit" in error:
        return _l("Line %(line)s has a cell of more than a million characters.", line=line)
    if "end of data" in error:
        return _l("Line %(line)s opens a quote that never closes.", line=line)
    return _l("Line %(line)s has a quote in the wrong place.", line=line)


def _too_large(most: int) -> LazyText:
    return _l("The file unpacks to more than %(size)s MB.", size=most // MEGABYTE)
