import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.foundation.imports.cells import defuse, undefuse

RUNS = ("=", "+", "-", "@", "\t", "\r")
texts = st.text() | st.text(alphabet="'=+-@\t\r a", max_size=6)


@given(texts)
def test_undefuse_gives_back_what_defuse_took(text):
    assert undefuse(defuse(text)) == text


@given(texts)
def test_no_defused_text_starts_with_what_a_spreadsheet_runs(text):
    assert not defuse(text).startswith(RUNS)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+47 22", "'+47 22"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("'=1", "''=1"),
        ("'tis", "'tis"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_only_what_would_run_is_guarded(text, safe):
    assert defuse(text) == safe


def test_an_apostrophe_that_guards_nothing_is_kept():
    assert undefuse("'tis") == "'tis"
