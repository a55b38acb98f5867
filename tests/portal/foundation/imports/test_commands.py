import csv
import io
import json

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import KINDS
from tests.portal.foundation.imports import toys

HEAD = "reference,amount,note\n"


@pytest.fixture
def command(toy_kind, runner, tmp_path, monkeypatch):
    """Runs `flask import` or `export` in a folder of its own; returns code, last line, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        done = runner.invoke(args=list(args))
        last = done.stdout.strip().splitlines()[-1:] or [""]
        return done.exit_code, json.loads(last[0]) if last[0].startswith("{") else None, done.stderr

    return run


def write(text, name="toys.csv"):
    with open(name, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        file.write(text)
    return name


def toys_count():
    with transaction():
        return db.session.scalar(sa.select(sa.func.count()).select_from(toys.TABLE))


def test_good_files_exit_0_with_counts_on_the_last_line(command):
    write(HEAD + "A,1,\nB,2,\n")
    code, counts, errors = command("import", "toys", "toys.csv")
    assert (code, errors) == (0, "")
    assert counts == {
        "kind": "toys", "read": 2, "created": 2, "updated": 0, "unchanged": 0, "rejected": 0,
        "warned": 0,
    }  # fmt: skip
    code, counts, _ = command("import", "toys", "toys.csv")
    assert (code, counts["unchanged"]) == (0, 2)


def test_rejected_rows_exit_3_and_are_told(command):
    write(HEAD + "A,1,hm\nB,x,\n")
    code, counts, errors = command("import", "toys", "toys.csv", "--rejects", "bad.csv")
    assert code == 3
    assert (counts["created"], counts["rejected"], counts["warned"]) == (1, 1, 1)
    assert "rejected: line 3, amount: This is not a number." in errors
    with open("bad.csv", newline="", encoding="utf-8") as file:  # noqa: PTH123
        entries = list(csv.DictReader(file))
    assert [(entry["line"], entry["column"], entry["kind"]) for entry in entries] == [
        ("2", "note", "warning"),
        ("3", "amount", "rejected"),
    ]


def test_a_dry_run_keeps_nothing(command):
    write(HEAD + "A,1,\nB,x,\n")
    code, counts, _ = command("import", "toys", "toys.csv", "--dry-run")
    assert (code, counts["created"], counts["rejected"]) == (3, 1, 1)
    assert toys_count() == 0


@pytest.mark.parametrize(
    ("content", "arguments", "sentence"),
    [
        ("a,b\n1,2\n", [], "missing_columns: Required columns are missing: reference, amount."),
        (HEAD.replace("note", "colour"), [], "unknown_columns: Unknown columns: colour."),
        ("reference,amount,made_on\nA,1,3/4/2020\n", [], "ambiguous_date: made_on can be read two"),
        (HEAD, ["--map", "none.yaml"], "No such file"),
        (HEAD, ["--map", "toys.csv", "--rejects", "toys.csv"], "would overwrite"),
        (HEAD, ["--map", "toys.csv"], "mapping: "),
        (HEAD, ["--club", "C"], "toys belong to no club."),
        ("", [], "unreadable: The file is empty."),
        (HEAD + 'A,1,"x\n', [], "unreadable: Line 2 opens a quote that never closes."),
    ],
)
def test_unreadable_input_exits_2_with_one_line(command, content, arguments, sentence):
    write(content)
    code, counts, errors = command("import", "toys", "toys.csv", *arguments)
    assert (code, counts) == (2, None)
    assert sentence in errors
    assert errors.count("\n") == 1
    assert toys_count() == 0


def test_an_unknown_kind_names_those_there_are(command):
    code, _, errors = command("import", "trains", "toys.csv")
    assert code == 2
    assert "toys" in errors
    assert command("export", "trains")[0] == 2


def test_a_missing_file_is_one_line(command):
    code, _, errors = command("import", "toys", "none.csv")
    assert (code, errors) == (2, "unreadable: none.csv: No such file or directory.\n")


def test_unknown_columns_can_be_ignored(command):
    write(HEAD.replace("note", "colour") + "A,1,red\n")
    assert command("import", "toys", "toys.csv", "--ignore-unknown")[0] == 0


def test_a_kind_of_a_club_needs_one(command, monkeypatch):
    monkeypatch.setitem(KINDS, "toys", toys.kind(needs_club=True))
    write(HEAD)
    assert command("import", "toys", "toys.csv")[0] == 2
    assert command("import", "toys", "toys.csv", "--club", "C")[0] == 0
    assert toys.ToyImport.made[-1].context.club == "C"


def test_a_bug_exits_1_with_what_was_kept(command):
    write(HEAD + "".join(f"T{n},1,{'broken' if n == 15 else ''}\n" for n in range(20)))
    code, counts, errors = command("import", "toys", "toys.csv")
    assert (code, counts["created"]) == (1, 10)
    assert "stopped the import after line 11" in errors
    assert toys_count() == 10


def test_only_what_changed_something_is_in_the_audit(command):
    write(HEAD + "A,1,\n")
    for _ in range(2):
        command("import", "toys", "toys.csv")
    with transaction():
        entries = db.session.scalars(
            sa.select(AuditEntry).where(AuditEntry.name == "imports.file.imported")
        ).all()
    assert [entry.changes["created"] for entry in entries] == [1]


TRICKY = [
    "reference,amount,currency,made_on,sold_at,material,country,maker,pieces,painted,note",
    "'=A,-5.5,EUR,2020-02-29,2020-02-29T10:00:00Z,wood,NO,a@b.example,7,true,=1+1",
    'B,0.0001,,,,,,,,false,"line\nbreak, ""quoted"""',
    "C,999999999.9999,CNY,,,,,,,,'=guarded",
    "D,1,,,,,,,,,客户 ✓ -x",
]


@pytest.mark.parametrize("out", [None, "out.csv", "out.xlsx"])
def test_what_export_writes_import_takes_as_unchanged(command, runner, out):
    write("\n".join(TRICKY) + "\n")
    assert command("import", "toys", "toys.csv")[0] == 0
    if out is None:
        done = runner.invoke(args=["export", "toys"])
        out = write(done.stdout, "stdout.csv")
        head, *rows = list(csv.reader(io.StringIO(done.stdout)))
        assert head == toys.NAMES
        assert rows[0][0] == "'=A"
        assert rows[0][1] == "-5.50"
        assert rows[0][-1] == "'=1+1"
    else:
        assert command("export", "toys", "--out", out)[0] == 0
    code, counts, errors = command("import", "toys", out)
    assert (code, counts["unchanged"], errors) == (0, 4, "")


def test_a_workbook_holds_no_formulas(command):
    write("\n".join(TRICKY) + "\n")
    command("import", "toys", "toys.csv")
    command("export", "toys", "--out", "out.xlsx")
    rows = CalamineWorkbook.from_path("out.xlsx").get_sheet_by_index(0).to_python()
    assert rows[1][0] == "'=A"
    assert rows[1][1] == -5.5


def test_a_kind_without_export_says_so(command, monkeypatch):
    monkeypatch.setitem(KINDS, "toys", toys.kind(export=None))
    code, _, errors = command("export", "toys")
    assert (code, errors) == (2, "toys cannot be exported.\n")


@pytest.mark.parametrize("name", ["import", "export"])
def test_help_has_an_example(runner, name):
    assert "Example: flask --app wsgi" in runner.invoke(args=[name, "--help"]).stdout
