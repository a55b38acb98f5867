from dataclasses import replace

import pytest

from portal.foundation.errors import Unreadable
from portal.foundation.imports import registry
from portal.foundation.imports.plan import BadRow
from tests.portal.foundation.imports.toys import head, kind, opened

NO_NUMBER = "This is not a number. Write it like 1234.50."
NO_MATERIAL = "glass is not one of wood, tin."


@pytest.mark.parametrize(
    ("names", "options", "sentence"),
    [
        (["reference"], {}, "Required columns are missing: amount."),
        (["a"], {}, "Required columns are missing: reference, amount."),
        (["reference", "amount", "colour", ""], {}, "Unknown columns: colour, column 4 without"),
        (["reference", "amount", "Amount"], {}, "Columns are there twice: amount."),
        (["reference", "amount", "amount"], {"ignore_unknown": True}, "Columns are there twice"),
    ],
)
def test_the_head_is_checked(names, options, sentence):
    with pytest.raises(Unreadable) as refused:
        head(names, **options)
    assert str(refused.value).startswith(sentence)


def test_a_head_in_other_order_and_letter_case_fits():
    assert head(["AMOUNT", "Reference"]).given == {"reference", "amount"}


def test_unknown_columns_may_be_ignored():
    head(["reference", "amount", "colour", "colour"], ignore_unknown=True)


def rows(tmp_path, content, mapping=None):
    path = tmp_path / "toys.csv"
    path.write_text(content)
    plan, source = opened(path, mapping)
    for line, raw in source.rows():
        try:
            yield line, plan.values(raw)
        except BadRow as bad:
            yield line, (bad.column, str(bad.reason))


def test_a_bad_row_tells_all_that_is_wrong_with_it(tmp_path):
    content = "reference,amount,material,note\n,x,glass,\nA,1\nB,1,tin,,\n"
    assert list(rows(tmp_path, content)) == [
        (
            2,
            ("reference", f"This is needed. amount: {NO_NUMBER}; material: {NO_MATERIAL}"),
        ),
        (3, ("", "This line has 2 cells, the head has 4.")),
        (4, ("", "This line has 5 cells, the head has 4.")),
    ]


def test_computed_values_are_judged_like_others(tmp_path):
    content = "reference,q,p\nA,2,0.33333\nB,x,1\nC,3,2\nD,,2\nE,0,2\n"
    found = dict(rows(tmp_path, content, "computed: {amount: 'q * p', pieces: 'p / q'}"))
    assert found[2][0] == "amount"
    assert found[3] == ("amount", f"q: {NO_NUMBER} pieces: q: {NO_NUMBER}")
    assert found[4][0] == "pieces"
    assert found[5] == ("amount", "This is needed.")
    assert found[6] == ("pieces", "This cannot be computed.")


def test_columns_that_the_file_lacks_are_known_as_such(tmp_path):
    path = tmp_path / "toys.csv"
    path.write_text("reference,unit\nA,1\n")
    plan, _ = opened(path, "constants: {note: x}\ncomputed: {amount: unit * 2}")
    assert plan.given == {"reference", "amount", "note"}


def test_a_kind_is_registered_once_and_documented(monkeypatch):
    monkeypatch.setattr(registry, "KINDS", {})
    registry.register(kind())
    with pytest.raises(ValueError, match="twice"):
        registry.register(kind())
    with pytest.raises(ValueError, match="no column"):
        registry.register(kind(name="b", key=("x",)))
    undocumented = [replace(column, doc="") for column in kind().columns]
    with pytest.raises(ValueError, match="not documented"):
        registry.register(kind(name="c", columns=undocumented))
