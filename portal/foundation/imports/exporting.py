"""Writing a kind's files: the columns that `import` reads, formulas defused."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.imports.cells import defuse
from portal.foundation.imports.columns import Choice, Column, Email, Text
from portal.foundation.imports.registry import Context, ImportKind

MOST_SHEET_ROWS = 1_048_575
_TYPED = (Text, Choice, Email)

Things = Iterator[dict[str, Any]]


def things(kind: ImportKind, context: Context) -> Things:
    """Return the things of a kind; refuses (Refused) a kind that cannot be exported."""
    if kind.export is None:
        raise Refused(_l("%(kind)s cannot be exported.", kind=kind.name))
    return kind.export(context)


def cell(column: Column, value: object) -> str:
    """Return a value as `import` reads it back; only what people typed can pose as a formula."""
    text = column.write(value)
    return defuse(text) if isinstance(column.type, _TYPED) else text


def write_csv(kind: ImportKind, found: Things, out: IO[str]) -> int:
    """Write things as CSV; return how many."""
    columns = list(kind.by_name.values())
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    count = 0
    for thing in found:
        writer.writerow([cell(column, thing.get(column.name)) for column in columns])
        count += 1
    return count


def write_xlsx(kind: ImportKind, found: Things, path: Path) -> int:
    """Write things as an XLSX workbook; return how many.

    Refuses (Refused) more than a sheet holds.
    """
    columns = list(kind.by_name.values())
    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet(kind.name[:31])
    head = book.add_format({"bold": True})
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(columns):
        sheet.write_string(0, index, column.name, head)
    count = 0
    try:
        for count, thing in enumerate(found, start=1):
            if count > MOST_SHEET_ROWS:
                raise Refused(_l("A sheet holds %(rows)s rows. Write CSV.", rows=MOST_SHEET_ROWS))
            for index, column in enumerate(columns):
                value = thing.get(column.name)
                if _is_number(value):
                    sheet.write_number(count, index, value)
                elif isinstance(value, date) and not isinstance(value, datetime):
                    sheet.write_datetime(count, index, value, days)
                elif value is not None:
                    sheet.write_string(count, index, cell(column, value))
    finally:
        book.close()
    return count


def _is_number(value: object) -> bool:
    """Return whether a spreadsheet's number holds `value` without loss."""
    if isinstance(value, Decimal):
        return len(value.as_tuple().digits) <= 15
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15
