"""A list as a CSV or XLSX file: the same select, streamed, formulas defused."""

import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import xlsxwriter
from flask import Response, stream_with_context
from werkzeug.wsgi import wrap_file

from portal.foundation.audit import Sentence, record, sentences
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.imports.cells import defuse
from portal.foundation.web.lists.columns import Column

if TYPE_CHECKING:
    from portal.foundation.web.lists.page import ListPage

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_XLSX_ROWS = 200_000
sentences(
    {
        "web.list.exported": Sentence(
            _l("%(actor)s exported the list %(list)s as %(format)s"), "bar", "neutral"
        )
    }
)


def answer(page: "ListPage", file_format: str) -> Response:
    """Return the whole filtered list as a file; noted in the audit.

    Refuses more rows in an XLSX file than one may hold.
    """
    if file_format == "xlsx" and page.count_up_to(MOST_XLSX_ROWS + 1) > MOST_XLSX_ROWS:
        raise Refused(_l("This list is too long for an XLSX file. Take the CSV file."))
    with transaction():
        record(page.actor, "web.list.exported", list=type(page).__name__, format=file_format)
    columns = page.shown
    name = type(page).__name__.removesuffix("List").lower() or "list"
    if file_format == "csv":
        response = Response(stream_with_context(_csv(page, columns)), mimetype="text/csv")
    else:
        response = _xlsx(page, columns)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    return response


def _rows(page: "ListPage", columns: list[Column]) -> Iterator[Any]:
    order = (e.desc() if descending else e.asc() for e, descending in page.order())
    select = page.filtered().with_only_columns(*page.selected(columns)).order_by(*order)
    options = {"yield_per": 1_000}
    yield from db.session.execute(select, execution_options=options)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return defuse(str(value)) if isinstance(value, str) else str(value)


def _csv(page: "ListPage", columns: list[Column]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(column.key for column in columns)
    for row in _rows(page, columns):
        writer.writerow(_plain(column.plain(row)) for column in columns)
        if buffer.tell() > 32_768:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _xlsx(page: "ListPage", columns: list[Column]) -> Response:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the response
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "remove_timezone": True,
    }
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    instants = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.freeze_panes(1, 1)
    for index, column in enumerate(columns):
        sheet.write_string(0, index, str(column.label), bold)
    for number, row in enumerate(_rows(page, columns), start=1):
        for index, column in enumerate(columns):
            value = column.plain(row)
            if isinstance(value, datetime):
                sheet.write_datetime(number, index, value, instants)
            elif isinstance(value, date):
                sheet.write_datetime(number, index, value, days)
            elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                sheet.write_number(number, index, value)
            elif value is not None:
                sheet.write_string(number, index, str(value))
    book.close()
    file.seek(0)
    from_file = wrap_file({}, file, 65_536)
    return Response(from_file, mimetype=XLSX, direct_passthrough=True)
