import gzip

import pytest

from portal.foundation.errors import Unreadable
from portal.foundation.imports.reading import COMMAND, WEB, Limits, open_source

WANTED = frozenset({"reference", "amount", "note"})


def source_of(tmp_path, content, limits=COMMAND):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path, WANTED, limits)


def refusal(tmp_path, content, limits=COMMAND):
    with pytest.raises(Unreadable) as refused:
        list(source_of(tmp_path, content, limits).rows())
    return str(refused.value)


HEAD = "reference,amount,note"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("reference,amount\nA,1\n", [(2, ["A", "1"])]),
        ("reference,amount\r\nA,1", [(2, ["A", "1"])]),
        ("\ufeffreference;amount\nA;1,5\n", [(2, ["A", "1,5"])]),
        ("reference\tamount\nA\t1\n", [(2, ["A", "1"])]),
        ("\n\nreference,amount\n\nA,1\n,\n", [(5, ["A", "1"])]),
        (
            'reference,note\nA,"x\ny"\nB,"say ""hi"""\n',
            [(2, ["A", "x\ny"]), (4, ["B", 'say "hi"'])],
        ),
        ('"reference","a;b"\nA,1\n', [(2, ["A", "1"])]),
        (f"{HEAD}\nA,1\nB\n", [(2, ["A", "1"]), (3, ["B"])]),
        ("reference,note\nA,中文 ✓\u2028x\n", [(2, ["A", "中文 ✓\u2028x"])]),
        ("reference\nA\n", [(2, ["A"])]),
        ("reference,amount\n", []),
    ],
)
def test_a_csv_is_read_by_line(tmp_path, content, rows):
    source = source_of(tmp_path, content)
    assert list(source.rows()) == rows
    assert list(source.rows()) == rows
    assert source.header[0] == "reference"


def test_a_gzipped_csv_is_read(tmp_path):
    source = source_of(tmp_path, gzip.compress(b"reference,amount\nA,1\n"))
    assert list(source.rows()) == [(2, ["A", "1"])]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        ("reference\n".encode("utf-16"), "The file is not UTF-8."),
        ("reference\n".encode("utf-16-le"), "Line 1 holds NUL"),
        ("reference\nA\nKl\xf8ver\n".encode("latin-1"), "Line 3 is not UTF-8."),
        ("reference\n客户\n".encode("gb18030"), "Line 2 is not UTF-8."),
        (b"reference\n" + b"A\n" * 600_000 + b"\xff\n", "Line 600002 is not UTF-8."),
        (b"reference\nA\xe4", "Line 2 is not UTF-8."),
        (b"reference\nA\x00B\n", "Line 2 holds NUL"),
        ('reference\n"A\nB\n', "Line 2 opens a quote that never closes."),
        ('reference,note\nA,"x"y\n', "Line 2 has a quote in the wrong place."),
        ('reference\n"' + "x" * 1_100_000 + '"\n', "Line 2 has a cell of more than a million"),
        (b"%PDF-1.7\n", "This is a file of type pdf."),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, "This is a file of type png."),
        (b"\x1f\x8bnot really", "The gzip file is damaged."),
        (gzip.compress(b"reference\nA\n" * 1000, mtime=0)[:-9], "The gzip file is damaged."),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path, content, sentence):
    assert refusal(tmp_path, content).startswith(sentence)


def test_old_excel_files_are_told_what_to_become(tmp_path):
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
    with pytest.raises(Unreadable) as refused:
        open_source(path, WANTED, COMMAND)
    assert "XLSX" in str(refused.value)


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    bomb = gzip.compress(b"reference\n" + b"A\n" * 15_000_000)
    assert len(bomb) < 100_000
    assert "unpacks to more than 20 MB" in refusal(tmp_path, bomb, WEB)


def test_a_file_that_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(Unreadable):
        open_source(tmp_path / "none", WANTED, COMMAND)
    with pytest.raises(Unreadable):
        open_source(tmp_path, WANTED, COMMAND)


def test_limits_count_what_a_plain_csv_holds(tmp_path):
    assert "more than" in refusal(tmp_path, "reference\n" + "A\n" * 100, Limits(100, 100, 100))
