import csv

import pytest
import sqlalchemy as sa

from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import Context
from portal.foundation.imports.rejects import RejectsFile
from portal.foundation.imports.running import Importer, Position, Stopped, begin
from tests.portal.foundation.imports.toys import TABLE, StagedImport, ToyImport, opened

HEAD = "reference,amount,note\n"


class Run:
    """An import of some lines, and what it left."""

    def __init__(self, tmp_path, content, *, mapping=None, changes=None, **options):
        self.path = tmp_path / "toys.csv"
        self.path.write_text(content)
        self.told = tmp_path / "rejects.csv"
        self.plan, self.source = opened(self.path, mapping, **(changes or {}))
        self.kept = []
        self.options = options

    def carry_out(self, start=None):
        dry_run = self.options.get("dry_run", False)
        handler = begin(self.plan, SYSTEM, Context(dry_run=dry_run))
        size = start.rejects if start else 0
        with RejectsFile(self.told, self.plan.header, size) as rejects:
            importer = Importer(
                self.plan, self.source, handler, rejects,
                start=start, on_kept=self.kept.append, **self.options,
            )  # fmt: skip
            counts = importer.run()
        return {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}

    @property
    def entries(self):
        with self.told.open(newline="") as file:
            return list(csv.reader(file))


def toys():
    with transaction():
        return db.session.scalars(sa.select(TABLE.c.reference).order_by(TABLE.c.reference)).all()


def lines(*rows):
    return HEAD + "".join(f"{row}\n" for row in rows)


def many(count, **notes):
    return lines(*(f"T{n:03},{n},{notes.get(f'T{n:03}', '')}" for n in range(count)))


@pytest.mark.both_databases
def test_good_rows_are_kept_and_bad_ones_told(toy_table, tmp_path):
    run = Run(tmp_path, lines("A,1,", "B,x,", "C,1,no", "D,1,hm", "E,1,=1", "F"))
    assert run.carry_out() == {"read": 6, "created": 3, "rejected": 3, "warned": 1}
    assert toys() == ["A", "D", "E"]
    assert run.entries == [
        ["line", "column", "reason", "kind", "reference", "amount", "note"],
        ["3", "amount", "This is not a number. Write it like 1234.50.", "rejected", "B", "x", ""],
        ["4", "note", "No toys of this kind.", "rejected", "C", "1", "no"],
        ["5", "note", "Strange.", "warning", "D", "1", "hm"],
        ["7", "", "This line has 1 cells, the head has 3.", "rejected", "F"],
    ]


@pytest.mark.both_databases
def test_the_same_file_twice_changes_nothing(toy_table, tmp_path):
    content = (
        "reference,amount,made_on,sold_at,material\nA,1.50,2020-01-02,2020-01-02T03:04:05Z,tin\n"
    )
    assert Run(tmp_path, content).carry_out() == {"read": 1, "created": 1}
    assert Run(tmp_path, content).carry_out() == {"read": 1, "unchanged": 1}
    changed = content.replace("1.50", "1.51")
    assert Run(tmp_path, changed).carry_out() == {"read": 1, "updated": 1}


def test_batches_are_of_the_kind_s_size(toy_table, tmp_path):
    run = Run(tmp_path, many(25))
    assert run.carry_out() == {"read": 25, "created": 25}
    assert ToyImport.made[-1].batches == [10, 10, 5]
    assert [position.line for position in run.kept][:3] == [11, 21, 26]


def test_a_key_that_comes_again(toy_table, tmp_path):
    content = lines("A,1,", "A,1.00,", "A,2,", "B,-1,", "B,-2,", *(f"X{n},1," for n in range(12)))
    run = Run(tmp_path, content + "A,1,\n")
    assert run.carry_out() == {"read": 18, "created": 14, "unchanged": 2, "rejected": 2}
    assert [entry[:3] for entry in run.entries[1:]] == [
        ["4", "reference", "Line 2 has the same reference with other values."],
        ["6", "reference", "Line 5 has the same reference with other values."],
    ]


def test_a_repeat_of_a_rejected_row_is_rejected_too(toy_table, tmp_path):
    run = Run(tmp_path, lines("A,1,no", "A,1,no", *(f"X{n},1," for n in range(12)), "A,1,no"))
    assert run.carry_out() == {"read": 15, "created": 12, "rejected": 3}


def test_a_kind_may_allow_repeated_keys(toy_table, tmp_path):
    run = Run(tmp_path, lines("A,1,", "B,1,no", "B,2,no"), changes={"repeats": True})
    assert run.carry_out() == {"read": 3, "created": 1, "rejected": 2}


def test_rows_left_out_by_the_mapping_count_as_read(toy_table, tmp_path):
    run = Run(tmp_path, lines("A,1,", "C2,1,"), mapping="skip: [{column: note, empty: false}]")
    assert run.carry_out() == {"read": 2, "created": 2}
    run = Run(
        tmp_path, lines("D,1,", "C2,9,"), mapping="skip: [{column: reference, starts_with: C}]"
    )
    assert run.carry_out() == {"read": 2, "created": 1}
    assert len(run.entries) == 1


@pytest.mark.both_databases
def test_a_bug_stops_and_keeps_the_batches_before(toy_table, tmp_path):
    run = Run(tmp_path, many(30, T015="broken", T003="no"))
    with pytest.raises(Stopped) as stopped:
        run.carry_out()
    assert isinstance(stopped.value.__cause__, ZeroDivisionError)
    assert stopped.value.position.line == 11
    assert stopped.value.position.counts.created == 9
    assert len(toys()) == 9


@pytest.mark.parametrize("in_one", [True, False])
@pytest.mark.both_databases
def test_a_dry_run_counts_like_a_real_one_and_keeps_nothing(toy_table, tmp_path, in_one):
    content = many(30, T003="no", T004="hm")
    trial = Run(tmp_path, content, dry_run=True, in_one=in_one)
    counts = trial.carry_out()
    assert toys() == []
    assert trial.kept[-1].counts.read == 30
    told = trial.entries
    real = Run(tmp_path, content)
    assert real.carry_out() == counts
    assert real.entries == told


def test_a_dry_run_that_meets_a_bug_keeps_nothing(toy_table, tmp_path):
    with pytest.raises(Stopped):
        Run(tmp_path, many(30, T015="broken"), dry_run=True).carry_out()
    assert toys() == []


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_killed_run_that_is_taken_up_ends_the_same(toy_table, tmp_path, killed_after):
    content = many(35, T003="no", T014="hm", T027="no") + "T001,1,\n"

    class Killed(BaseException):
        pass

    def kill(position):
        if len(run.kept) == killed_after:
            raise Killed
        run.kept.append(position)

    run = Run(tmp_path, content)
    run.kept = []
    importer_kept = run.kept
    handler = begin(run.plan, SYSTEM, Context())
    with RejectsFile(run.told, run.plan.header) as rejects, pytest.raises(Killed):
        Importer(run.plan, run.source, handler, rejects, on_kept=kill).run()
    again = Run(tmp_path, content)
    counts = again.carry_out(start=importer_kept[-1])
    assert counts == {"read": 36, "created": 33, "unchanged": 1, "rejected": 2, "warned": 1}
    assert [entry[0] for entry in again.entries] == ["line", "5", "16", "29"]
    assert len(toys()) == 33


@pytest.mark.parametrize("options", [{}, {"dry_run": True}, {"dry_run": True, "in_one": False}])
@pytest.mark.both_databases
def test_a_handler_may_settle_at_the_end(toy_table, tmp_path, options):
    changes = {"handler": StagedImport, "whole_file": True}
    run = Run(tmp_path, many(25), changes=changes, **options)
    assert run.carry_out() == {"read": 25, "created": 23, "rejected": 2}
    assert [entry[:4] for entry in run.entries[1:]] == [
        ["10", "note", "A tenth line.", "rejected"],
        ["20", "note", "A tenth line.", "rejected"],
    ]
    assert run.entries[1][4] == "T008"
    assert len(toys()) == (0 if options else 23)


def test_outcomes_must_match_the_rows(toy_table, tmp_path, monkeypatch):
    monkeypatch.setattr(ToyImport, "apply", lambda self, batch: [])
    with pytest.raises(Stopped) as stopped:
        Run(tmp_path, many(2)).carry_out()
    assert isinstance(stopped.value.__cause__, TypeError)


def test_many_bad_rows_are_told_piece_by_piece(toy_table, tmp_path):
    run = Run(tmp_path, lines(*("A,x," for _ in range(12_000))))
    assert run.carry_out() == {"read": 12_000, "rejected": 12_000}
    assert len(run.kept) > 2
    assert len(run.entries) == 12_001


def test_names_of_the_file_never_hide_those_of_the_rejects(tmp_path):
    with RejectsFile(tmp_path / "r.csv", ["kind", "Line", "=x"]) as rejects:
        rejects.add([(2, "x", "=no", "rejected", ["=a", "b", "c"])])
    text = (tmp_path / "r.csv").read_text()
    assert text.splitlines() == [
        "line,column,reason,kind,file.kind,file.Line,'=x",
        "2,x,'=no,rejected,'=a,b,c",
    ]
    assert Position().line == 0
