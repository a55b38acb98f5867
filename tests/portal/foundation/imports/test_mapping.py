from decimal import Decimal

import pytest

from portal.foundation.errors import Unreadable
from portal.foundation.imports.mapping import read_mapping
from tests.portal.foundation.imports.toys import COLUMNS, opened, typed

BY_NAME = {column.name: column for column in COLUMNS}

FOREIGN = """\
Order No;Unit;Qty;When;Stuff;Who
A1;2.50;4;31.01.2020;Holz;x
C2;1;1;01.02.2020;Blech;x
A3;1;-2;05.02.2020;Blech;x
A4;;1;05.02.2020;Blech;x
A5;1;1;05.02.2020;Blech;
"""
MAPPING = """\
columns: {reference: Order No, quantity: Qty, made_on: When, sold_at: When, material: Stuff}
constants: {currency: EUR, painted: no}
values: {material: {Holz: wood, Blech: tin}}
formats: {made_on: "%d.%m.%Y", sold_at: "%d.%m.%Y"}
computed: {amount: "quantity * Unit"}
skip:
  - {column: reference, starts_with: C}
  - {column: Qty, at_most: 0}
  - {column: Who, empty: true}
"""


def test_a_foreign_file_becomes_ours(tmp_path):
    path = tmp_path / "foreign.csv"
    path.write_text(FOREIGN)
    plan, source = opened(path, MAPPING)
    raws = [raw for _, raw in source.rows()]
    first = typed(plan, raws[0])
    assert first["reference"] == "A1"
    assert first["amount"] == Decimal(10)
    assert first["currency"] == "EUR"
    assert first["painted"] is False
    assert first["material"] == "wood"
    assert str(first["made_on"]) == "2020-01-31"
    assert first["sold_at"].isoformat() == "2020-01-31T00:00:00+00:00"
    assert first["note"] is None
    assert [plan.values(raw) is None for raw in (raws[1], raws[2], raws[4])] == [True] * 3


def test_a_column_of_our_own_name_needs_no_mention(tmp_path):
    path = tmp_path / "foreign.csv"
    path.write_text("reference,Price,note,whatever\nA,5,hello,1\n")
    plan, source = opened(path, "columns: {amount: Price}")
    values = typed(plan, next(source.rows())[1])
    assert (values["reference"], values["note"]) == ("A", "hello")


def test_a_constant_takes_the_place_of_a_column(tmp_path):
    path = tmp_path / "foreign.csv"
    path.write_text("reference,amount,material\nA,5,glass\n")
    plan, source = opened(path, "constants: {material: tin}")
    assert typed(plan, next(source.rows())[1])["material"] == "tin"


def test_plain_words_of_yaml_stay_words():
    text = "values: {painted: {No: false, Yes: true, 007: 'true', ~: ''}}\nconstants: {pieces: 010}"
    mapping = read_mapping(text.replace(", ~: ''", ""), BY_NAME)
    assert mapping.values["painted"] == {"No": "false", "Yes": "true", "007": "true"}
    assert mapping.constants["pieces"] == "010"


def test_an_empty_mapping_is_one():
    assert read_mapping("", BY_NAME).is_given


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("colums: {}", "colums"),
        ("columns: {colour: X}", "columns.colour"),
        ("columns: [a]", "columns"),
        ("columns: {note: [a]}", "columns.note"),
        ("constants: {colour: X}", "constants.colour"),
        ("columns: {note: A}\nconstants: {note: B}", "constants.note"),
        ("values: {note: x}", "values.note"),
        ("values: {note: {a: [b]}}", "values.note.a"),
        ("formats: {note: '%d'}", "formats.note"),
        ("formats: {made_on: '%d/%m'}", "formats.made_on"),
        ("formats: {made_on: 'day'}", "formats.made_on"),
        ("formats: {made_on: '%Q'}", "formats.made_on"),
        ("computed: {amount: 'a ** b'}", "computed.amount"),
        ("computed: {colour: 'a'}", "computed.colour"),
        ("skip: {column: a}", "skip"),
        ("skip: [x]", "skip.0"),
        ("skip: [{column: a}]", "skip.0"),
        ("skip: [{column: a, equals: b, empty: true}]", "skip.0"),
        ("skip: [{column: a, is: b}]", "skip.0.is"),
        ("skip: [{column: a, at_most: x}]", "skip.0.at_most"),
        ("skip: [{column: a, at_most: NaN}]", "skip.0.at_most"),
        ("skip: [{column: a, empty: maybe}]", "skip.0.empty"),
        ("skip: [{column: a, equals: ~}]", "skip.0.equals"),
        ("columns: {note: A, note: B}", "note"),
        ("a: &x [1]\nb: *x", "anchors"),
        ("- list", "document"),
        ("{", "line 1"),
        ("x: !!python/object/apply:os.system [ls]", "constructor"),
        ("[" * 5000, "YAML"),
        ("x" * 70_000, "64 KB"),
        ("columns: {? [a] : b}", ""),
        ("\x00", ""),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text, path):
    with pytest.raises(Unreadable) as refused:
        read_mapping(text, BY_NAME)
    assert refused.value.code == "mapping"
    assert path in str(refused.value)


@pytest.mark.parametrize(
    "mapping",
    [
        "columns: {note: Nothing}",
        "computed: {pieces: 'nothing * 2'}",
        "skip: [{column: nothing, empty: true}]",
        "constants: {currency: EURO}",
    ],
)
def test_a_mapping_that_does_not_fit_the_file_refuses_it(tmp_path, mapping):
    path = tmp_path / "toys.csv"
    path.write_text("reference,amount\nA,1\n")
    with pytest.raises(Unreadable) as refused:
        opened(path, mapping)
    assert refused.value.code == "mapping"


@pytest.mark.parametrize(
    ("test", "left_out"),
    [
        ("starts_with: B", [True, False, False]),
        ("equals: x", [False, True, False]),
        ("empty: true", [False, False, True]),
        ("empty: false", [True, True, False]),
        ("at_most: 0", [False, False, False]),
    ],
)
def test_each_condition_of_skip(tmp_path, test, left_out):
    path = tmp_path / "toys.csv"
    path.write_text("reference,amount,note\nA,1,Bx\nB,1,x\nC,1,\n")
    plan, source = opened(path, f"skip: [{{column: note, {test}}}]")
    assert [plan.values(raw) is None for _, raw in source.rows()] == left_out
