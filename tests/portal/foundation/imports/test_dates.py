import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation.errors import Unreadable
from tests.portal.foundation.imports.toys import opened, typed

HEAD = "reference,amount,made_on\n"


def dated(tmp_path, *days, mapping=None):
    path = tmp_path / "toys.csv"
    path.write_text(HEAD + "".join(f"T{n},1,{day}\n" for n, day in enumerate(days)))
    plan, source = opened(path, mapping)
    return [str(typed(plan, raw)["made_on"]) for _, raw in source.rows()]


def test_a_date_of_two_readings_refuses_the_file_by_line(tmp_path):
    with pytest.raises(Unreadable) as refused:
        dated(tmp_path, "2020-01-01", "03/04/2020", "25/12/2020", "05/06/2020")
    assert refused.value.code == "ambiguous_date"
    assert "made_on" in str(refused.value)
    assert "lines 3, 5." in str(refused.value)


def test_a_column_that_can_be_read_one_way_only_is_read(tmp_path):
    days = dated(tmp_path, "25/12/2020", "05/05/2020", "2020-01-02")
    assert days == ["2020-12-25", "2020-05-05", "2020-01-02"]
    assert dated(tmp_path, "12/25/2020", "10/13/2020") == ["2020-12-25", "2020-10-13"]


def test_a_column_that_contradicts_itself_is_refused(tmp_path):
    with pytest.raises(Unreadable) as refused:
        dated(tmp_path, "25/12/2020", "12/25/2020")
    assert "lines 2, 3." in str(refused.value)


@pytest.mark.parametrize("day", ["01/02/03", "13/02/20", "3.4.2020", "3-4-2020", "3/4/2020 10:15"])
def test_every_way_to_write_digits_counts(tmp_path, day):
    with pytest.raises(Unreadable) as refused:
        dated(tmp_path, day)
    assert refused.value.code == "ambiguous_date"


def test_a_format_settles_it(tmp_path):
    days = ("03/04/2020", "2020-05-06")
    assert dated(tmp_path, *days, mapping="formats: {made_on: '%d/%m/%Y'}") == [
        "2020-04-03",
        "2020-05-06",
    ]
    assert dated(tmp_path, *days, mapping="formats: {made_on: '%m/%d/%Y'}")[0] == "2020-03-04"


def test_a_year_first_format_is_never_second_guessed(tmp_path):
    mapping = "formats: {made_on: '%Y-%d-%m'}"
    assert dated(tmp_path, "2020-05-06", mapping=mapping) == ["2020-06-05"]


def test_rows_that_are_left_out_settle_and_spoil_nothing(tmp_path):
    mapping = "skip: [{column: reference, equals: T0}]"
    path = tmp_path / "toys.csv"
    path.write_text(HEAD + "T0,1,03/04/2020\nT1,1,2020-01-01\n")
    plan, source = opened(path, mapping)
    rows = [plan.values(raw) for _, raw in source.rows()]
    assert rows[0] is None
    assert rows[1] is not None
    assert str(rows[1]["made_on"]) == "2020-01-01"


def test_only_twenty_lines_are_named(tmp_path):
    with pytest.raises(Unreadable) as refused:
        dated(tmp_path, *["03/04/2020"] * 50)
    assert "21 (+30)" in str(refused.value)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(13, 28)), min_size=1, max_size=5))
def test_the_order_is_found_from_the_whole_column(tmp_path_factory, pairs):
    tmp_path = tmp_path_factory.mktemp("dates")
    found = dated(tmp_path, *(f"{day}/{month}/2020" for month, day in pairs))
    assert found == [f"2020-{month:02}-{day:02}" for month, day in pairs]
