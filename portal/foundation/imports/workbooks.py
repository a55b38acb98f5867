"""XLSX files: looked through before they are opened, then read as rows of text.

A workbook is a zip of XML that its reader unpacks into memory. So each part is unpacked here first,
in pieces and counted; document types (and with them entities) are refused; and the sheets' extent
and the text that their cells repeat are added up, since a file of a kilobyte can claim 17 billion
cells. Formulas count with the value that was last computed.
"""

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from portal.foundation.errors import Unreadable
from portal.foundation.i18n import LazyText, _l

MEGABYTE = 1024 * 1024
MOST_PARTS = 1_000
MOST_RATIO = 500
MOST_TEXT = 4
NESTED = {".zip", ".xlsx", ".xlsm", ".docx", ".gz", ".bz2", ".xz", ".7z", ".rar", ".jar"}
_cell_name = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")

Value = str | float | bool | datetime.date | datetime.time | datetime.timedelta


def _unsafe(what: LazyText) -> Unreadable:
    return Unreadable(_l("This XLSX file is not taken: %(what)s.", what=what), code="unsafe")


class Workbook:
    """The first sheet of a workbook."""

    def __init__(self, path: Path, unpacked: int, cells: int) -> None:
        """Look through the file, then open it.

        unpacked: bytes that its parts may have together. cells: rows times columns of a sheet.
        Refuses (Unreadable) what is no such file or goes beyond them.
        """
        try:
            inspect(path, unpacked, cells)
            with CalamineWorkbook.from_path(path) as book:
                self._sheet = book.get_sheet_by_index(0)
        except (CalamineError, IndexError):
            raise Unreadable(_l("This XLSX file cannot be read.")) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise Unreadable(_l("This is a zip file but not XLSX, or it is damaged.")) from None
        rows = self._all()
        self.header = next((head for _, head in rows), [])
        if not self.header:
            raise Unreadable(_l("The first sheet is empty."))
        while self.header and not self.header[-1]:
            self.header.pop()

    def _all(self) -> Iterator[tuple[int, list[str]]]:
        for line, values in enumerate(self._sheet.iter_rows(), start=1):
            cells = [_text(value) for value in values]
            if any(cells):
                yield line, cells

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield row number and cells of each row that is not empty."""
        width = len(self.header)
        rows = self._all()
        next(rows, None)
        for line, cells in rows:
            while len(cells) > width and not cells[-1]:
                cells.pop()
            yield line, cells


def _text(value: Value) -> str:
    """Return a cell as a CSV would write it: ISO dates, whole numbers without a point."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if value == int(value):
            return str(int(value))
        return repr(value) if "e" not in repr(value) else format(value, ".15f").rstrip("0")
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    return str(value) if isinstance(value, datetime.timedelta) else value.isoformat()


def inspect(path: Path, unpacked: int, cells: int) -> None:
    """Look through a workbook without building any of it.

    Refuses (Unreadable, `unsafe`) too many parts, paths that lead out, encrypted or nested parts,
    more than `unpacked` bytes, document types, sheets of more than `cells` cells or that repeat
    more text than `unpacked` allows.
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            raise Unreadable(_l("This is a zip file but not XLSX, or it is damaged."))
        if len(parts) > MOST_PARTS or len(names) != len(parts):
            raise _unsafe(_l("it has too many parts"))
        for part in parts:
            _check_name(part)
        if sum(part.file_size for part in parts) > unpacked:
            raise _unsafe(_l("it unpacks to more than %(size)s MB", size=unpacked // MEGABYTE))
        looks = Looks(cells, unpacked * MOST_TEXT)
        left = unpacked
        # Shared texts first: the sheets only name them by number.
        for part in sorted(parts, key=lambda part: "sharedstrings" not in part.filename.lower()):
            left -= _inspect_part(archive, part, left, looks)


def _check_name(part: zipfile.ZipInfo) -> None:
    name = PurePosixPath(part.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in part.filename or ":" in part.filename:
        raise _unsafe(_l("a part's path leads out of it"))
    if part.flag_bits & 1:
        raise _unsafe(_l("it is encrypted; save it without a password"))
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _unsafe(_l("it is packed in an unusual way"))
    if name.suffix.lower() in NESTED:
        raise _unsafe(_l("it holds another file"))
    if part.file_size > MEGABYTE and part.file_size > MOST_RATIO * part.compress_size:
        raise _unsafe(_l("it is packed too tightly"))


def _inspect_part(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int, looks: "Looks"
) -> int:
    """Unpack one part and judge it; return its true size."""
    declared = part.file_size
    part.file_size = left + 1  # what the head claims is not what a reader unpacks
    is_xml = part.filename.lower().endswith((".xml", ".rels"))
    size = 0
    with archive.open(part) as file:
        parser = looks.parser(part.filename) if is_xml else None
        for chunk in _chunks(file):
            size += len(chunk)
            if size > declared:
                raise _unsafe(_l("a part is larger than it says"))
            if parser is not None:
                _feed(parser, chunk)
    if parser is not None:
        _feed(parser, b"", final=True)
    return size


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(256 * 1024):
        yield chunk


def _feed(parser: expat.XMLParserType, chunk: bytes, *, final: bool = False) -> None:
    try:
        parser.Parse(chunk, final)
    except expat.ExpatError:
        raise _unsafe(_l("a part is not well-formed XML")) from None


class Looks:
    """What the parts of a workbook add up to."""

    def __init__(self, most_cells: int, most_text: int) -> None:
        self.most_cells = most_cells
        self.most_text = most_text
        self.text = 0
        self.lengths: list[int] = []

    def parser(self, name: str) -> expat.XMLParserType:
        """Return a parser for one part; what it does depends on the part's first element."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True

        def first(tag: str, _attributes: dict[str, str]) -> None:
            kind = _local(tag)
            parser.StartElementHandler = None
            if kind == "worksheet":
                _SheetLook(self, parser)
            elif kind == "sst":
                _SharedLook(self, parser)
            elif kind == "Relationships":
                parser.StartElementHandler = _check_relationship

        def refuse(*_: object) -> None:
            raise _unsafe(_l("part %(name)s has a document type", name=name[:80]))

        parser.StartElementHandler = first
        parser.StartDoctypeDeclHandler = refuse
        return parser

    def add_text(self, length: int) -> None:
        """Count characters that reading will build; refuses (Unreadable) too many."""
        self.text += length
        if self.text > self.most_text:
            raise _unsafe(_l("its cells repeat too much text"))


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _check_relationship(_tag: str, attributes: dict[str, str]) -> None:
    """Refuse sheets and shared texts in parts that are not looked through as XML."""
    kind = attributes.get("Type", "").rpartition("/")[2]
    if kind in {"worksheet", "sharedStrings"} and not attributes.get("Target", "").endswith(".xml"):
        raise _unsafe(_l("a sheet is stored in an unusual way"))


class _SharedLook:
    """Notes the length of each shared text."""

    def __init__(self, looks: Looks, parser: expat.XMLParserType) -> None:
        self.looks = looks
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.characters

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "si":
            self.looks.lengths.append(0)

    def characters(self, text: str) -> None:
        if self.looks.lengths:
            self.looks.lengths[-1] += len(text)


class _SheetLook:
    """Notes a sheet's extent and the shared texts that its cells name."""

    def __init__(self, looks: Looks, parser: expat.XMLParserType) -> None:
        self.looks = looks
        self.parser = parser
        self.row = self.column = self.most_row = self.most_column = 0
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        self.shared = False
        self.digits = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "row":
            number = attributes.get("r", "")
            self.row = int(number) if number.isdecimal() else self.row + 1
            self.column = 0
        elif name == "c":
            self._cell(attributes)
        elif name == "v" and self.shared:
            self.digits = ""
            self.parser.CharacterDataHandler = self.characters

    def _cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        place = attributes.get("r")
        if place is not None:
            found = _cell_name.fullmatch(place)
            if found is None:
                raise _unsafe(_l("a cell has no proper place"))
            self.column = 0
            for letter in found[1].upper():
                self.column = self.column * 26 + ord(letter) - 64
            self.row = int(found[2])
        self.most_row = max(self.most_row, self.row)
        self.most_column = max(self.most_column, self.column)
        if self.most_row * self.most_column > self.looks.most_cells:
            raise _unsafe(
                _l(
                    "a sheet spans %(rows)s rows and %(columns)s columns; delete empty ones or "
                    "send CSV",
                    rows=self.most_row,
                    columns=self.most_column,
                )
            )
        self.shared = attributes.get("t") == "s"

    def characters(self, text: str) -> None:
        self.digits += text

    def end(self, tag: str) -> None:
        if self.shared and _local(tag) == "v":
            self.parser.CharacterDataHandler = None
            self.shared = False
            number = int(self.digits) if self.digits.strip().isdecimal() else -1
            if 0 <= number < len(self.looks.lengths):
                self.looks.add_text(self.looks.lengths[number])
