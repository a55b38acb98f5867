import datetime
import re
import zipfile
import zlib

import pytest
import xlsxwriter

from portal.foundation.errors import Unreadable
from portal.foundation.imports.reading import COMMAND, WEB, open_source

WANTED = frozenset({"reference"})


def workbook(tmp_path, rows, start=(0, 0)):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(rows):
            for index, value in enumerate(row):
                place = (start[0] + number, start[1] + index)
                if isinstance(value, datetime.date):
                    sheet.write_datetime(*place, value, days)
                elif isinstance(value, str):
                    sheet.write_string(*place, value)
                elif value is not None:
                    sheet.write(*place, value)
    return path


def changed(path, change):
    """Return the workbook with its parts rewritten by `change(name, content)`."""
    with zipfile.ZipFile(path) as old:
        parts = [(info.filename, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts:
            new.writestr(name, change(name, content))
    return path


def in_sheet(path, old, new):
    def change(name, content):
        return content.replace(old, new) if name.endswith("sheet1.xml") else content

    return changed(path, change)


def rows_of(path, limits=COMMAND):
    source = open_source(path, WANTED, limits)
    return source.header, list(source.rows())


def refusal(path, limits=COMMAND):
    with pytest.raises(Unreadable) as refused:
        rows_of(path, limits)
    return str(refused.value)


def test_cells_become_text_as_a_csv_would_hold_them(tmp_path):
    path = workbook(
        tmp_path,
        [
            ["reference", "amount", "note", "", ""],
            ["=1+1", 12.5, datetime.date(2024, 2, 29)],
            [None, None, None],
            ["007", 3.0, datetime.datetime.fromisoformat("2024-02-29T10:30")],
            [True, 0.00001, " x "],
            [5, 12345678901.25, None],
        ],
    )
    header, rows = rows_of(path)
    assert header == ["reference", "amount", "note"]
    assert rows[0] == (2, ["=1+1", "12.5", "2024-02-29"])
    assert [line for line, _ in rows] == [2, 4, 5, 6]
    assert rows[1][1][:2] == ["007", "3"]
    assert rows[2][1] == ["true", "0.00001", "x"]
    assert rows[3][1] == ["5", "12345678901.25", ""]


def test_formulas_count_by_their_value(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["reference", "amount"])
        sheet.write_formula(1, 0, '="A"&1', None, "A1")
        sheet.write_formula(1, 1, "=2*3", None, 6)
    assert rows_of(path)[1] == [(2, ["A1", "6"])]


def test_lines_are_the_rows_of_the_sheet(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]], start=(3, 2))
    assert rows_of(path) == (["reference"], [(5, ["A"])])


def test_an_empty_sheet_is_unreadable(tmp_path):
    assert refusal(workbook(tmp_path, [])) == "The first sheet is empty."


@pytest.mark.parametrize("content", [b"PK", b"PK\x03\x04" + b"x" * 100])
def test_a_broken_zip_is_unreadable(tmp_path, content):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    assert refusal(path).startswith("This is a zip file but not XLSX")


def test_another_zip_is_no_workbook(tmp_path):
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert refusal(path).startswith("This is a zip file but not XLSX")


def test_a_damaged_sheet_is_unreadable(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    assert "well-formed" in refusal(in_sheet(path, b"</sheetData>", b""))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../etc/cron.d/x", "leads out"),
        ("/etc/passwd", "leads out"),
        ("xl\\..\\x", "leads out"),
        ("xl/embeddings/inner.xlsx", "another file"),
        ("inner.zip", "another file"),
    ],
)
def test_parts_with_odd_names_are_refused(tmp_path, name, why):
    path = workbook(tmp_path, [["reference"], ["A"]])
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, b"x")
    assert why in refusal(path)


def test_too_many_parts_are_refused(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(1_001):
            archive.writestr(f"part{number}", b"")
    assert "too many parts" in refusal(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", bytes(30_000_000))
    assert path.stat().st_size < 100_000
    assert "too tightly" in refusal(path)


def test_a_workbook_may_unpack_to_20_mb_on_the_desk(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    content = b"".join(b"%d," % number for number in range(3_300_000))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", content)
    assert "unpacks to more than 20 MB" in refusal(path, WEB)
    assert rows_of(path)[0] == ["reference"]


def test_a_part_that_lies_about_its_size_is_refused(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", bytes(range(256)) * 4000)
    content = path.read_bytes()
    crc = zlib.crc32((bytes(range(256)) * 4000)[:1000])
    true = (1_024_000).to_bytes(4, "little")
    assert content.count(true) == 2
    content = content.replace(true, (1000).to_bytes(4, "little"))
    old = zlib.crc32(bytes(range(256)) * 4000).to_bytes(4, "little")
    path.write_bytes(content.replace(old, crc.to_bytes(4, "little")))
    assert "larger than it says" in refusal(path)


@pytest.mark.parametrize("place", [b"XFD1048576", b"ZZZ9999999"])
def test_a_sheet_that_claims_billions_of_cells_is_refused(tmp_path, place):
    path = workbook(tmp_path, [["reference"], ["A"]])
    path = in_sheet(path, b'<c r="A2"', b'<c r="' + place + b'"')
    assert "rows and" in refusal(path)


def test_a_cell_without_a_proper_place_is_refused(tmp_path):
    path = workbook(tmp_path, [["reference"], ["A"]])
    assert "proper place" in refusal(in_sheet(path, b'r="A2"', b'r="2A"'))


def test_a_text_that_many_cells_share_is_counted_each_time(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "reference")
        for row in range(1, 5_000):
            sheet.write(row, 0, "x" * 30_000)
    assert path.stat().st_size < 200_000
    assert "repeat too much text" in refusal(path, WEB)


def test_document_types_and_entities_are_refused(tmp_path):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'
    path = workbook(tmp_path, [["reference"], ["A"]])
    assert "document type" in refusal(in_sheet(path, b"<worksheet", bomb))


def test_sheets_hide_in_no_other_part(tmp_path):
    def change(name, content):
        return content.replace(b"sheet1.xml", b"sheet1.png") if name.endswith(".rels") else content

    path = changed(workbook(tmp_path, [["reference"], ["A"]]), change)
    assert "unusual way" in refusal(path)


def test_workbooks_of_other_makers_are_read(tmp_path):
    """Prefixes, inline texts and cells without places are all proper."""
    path = workbook(tmp_path, [["reference"], ["A"]])

    def change(name, content):
        if not name.endswith("sheet1.xml"):
            return content
        rows = (
            b'<sheetData><row><c t="inlineStr"><is><t>reference</t></is></c></row>'
            b'<row><c t="str"><v>B</v></c></row></sheetData>'
        )
        return re.sub(rb"<sheetData>.*</sheetData>", rows, content, flags=re.DOTALL)

    assert rows_of(changed(path, change)) == (["reference"], [(2, ["B"])])


def test_a_workbook_of_the_largest_size_is_looked_through_quickly(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(20_000):
            sheet.write_row(row, 0, ["reference" if not row else f"R{row}", row, row * 2])
    source = open_source(path, WANTED, WEB)
    assert sum(1 for _ in source.rows()) == 19_999
