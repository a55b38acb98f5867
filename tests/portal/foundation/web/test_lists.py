"""Lists: filters, chips, sorting, keyset paging both ways, columns, files, hostile addresses."""

import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from portal.foundation.actors import Actor
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound
from portal.foundation.web.lists import cursor, page
from portal.foundation.web.lists.page import ListPage
from tests.portal.foundation.web.conftest import soup
from tests.portal.foundation.web.samples import Mood, SampleList, c, samples

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
ADA = Actor(user_id=1, name="Ada", roles=frozenset({"administrator"}))


def a_row(**values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"note": None, "amount": None, "rank": None, "due_on": None, "at": AT}
    return given | {"name": "Nordlys", "currency": "EUR", "mood": Mood.CALM} | values


def put(app: Flask, *rows: dict[str, Any]) -> None:
    with app.app_context(), transaction() as session:
        session.execute(sa.delete(samples))
        if rows:
            session.execute(sa.insert(samples), list(rows))


def listed(app: Flask, query: str = "") -> ListPage:
    with app.test_request_context(f"/samples/{query}"):
        loaded = SampleList(ADA)
        loaded.prepare()
        loaded.load()
        return loaded


def names(app: Flask, query: str) -> list[str]:
    return [row.cells[0].text for row in listed(app, query).rows]


def walk(app: Flask, query: str) -> tuple[list[list[int]], list[list[int]]]:
    """Return the keys of every page, there by "next" and back by "previous"."""
    there, back = [], []
    here = listed(app, query)
    for _ in range(40):
        there.append([row.id for row in here.rows])
        if here.next_url is None:
            break
        here = listed(app, "?" + urlsplit(here.next_url).query)
    for _ in range(40):
        back.append([row.id for row in here.rows])
        if here.previous_url is None:
            break
        here = listed(app, "?" + urlsplit(here.previous_url).query)
    return there, back


CAST = [
    a_row(name="Bergen", note="100%_sure", amount=Decimal("12.5"), rank=2, due_on=date(2026, 3, 1)),
    a_row(name="Ålesund", note="sure", amount=Decimal(-3), rank=None, due_on=date(2026, 3, 2)),
    a_row(name="Oslo", note=None, amount=None, rank=7, mood=Mood.WILD),
]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?contains=ERG", ["Bergen"]),
        ("?contains=%25_", ["Bergen"]),
        ("?contains=0", ["Bergen"]),
        ("?contains=\\", []),
        ("?starts=O", []),
        ("?mood=wild", ["Oslo"]),
        ("?mood=wild&mood=calm&mood=none", ["Bergen", "Oslo", "Ålesund"]),
        ("?mood=none", ["Bergen", "Oslo", "Ålesund"]),
        ("?due_from=2026-03-02", ["Ålesund"]),
        ("?due_until=2026-03-01", ["Bergen"]),
        ("?due_from=0001-01-01&due_until=9999-12-31&since=9999-12-31&starts=zz", []),
        ("?due_from=soon", ["Bergen", "Oslo", "Ålesund"]),
        ("?since=2026-03-01", ["Bergen", "Oslo", "Ålesund"]),
        ("?since=0001-01-01", ["Bergen", "Oslo", "Ålesund"]),
        ("?late=yes", ["Bergen", "Ålesund"]),
        ("?late=no", ["Bergen", "Oslo", "Ålesund"]),
        ("?contains=%00", ["Bergen", "Oslo", "Ålesund"]),
    ],
)
def test_filters_narrow_the_list(app: Flask, clock, query: str, expected: list[str]):
    clock.set("2026-05-01T00:00Z")
    put(app, *CAST)
    assert sorted(names(app, query)) == expected


def test_letters_beyond_ascii_have_no_case_either_on_sqlite(app: Flask):
    """On PostgreSQL the database's locale decides."""
    put(app, *CAST)
    assert names(app, "?contains=%C3%A5LES") == ["Ålesund"]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("rank", ["Bergen", "Oslo", "Ålesund"]),
        ("-rank", ["Oslo", "Bergen", "Ålesund"]),
        ("amount", ["Ålesund", "Bergen", "Oslo"]),
        ("-amount", ["Bergen", "Ålesund", "Oslo"]),
        ("-name", ["Ålesund", "Oslo", "Bergen"]),
        ("no_such_column", ["Bergen", "Oslo", "Ålesund"]),
    ],
)
def test_sorting_puts_missing_values_last_both_ways(app: Flask, order: str, expected: list[str]):
    put(app, *CAST)
    assert names(app, f"?order={order}") == expected


ROWS = st.lists(
    st.builds(
        a_row,
        name=st.sampled_from(["a", "b", "c"]),
        note=st.sampled_from([None, "x", "y"]),
        rank=st.sampled_from([None, 1, 2, 3]),
        amount=st.sampled_from([None, Decimal("0.5"), Decimal("1.2345"), Decimal(3)]),
        due_on=st.sampled_from([None, date(2026, 1, 1), date(2026, 1, 2)]),
        at=st.sampled_from([AT, AT.replace(microsecond=7)]),
        mood=st.sampled_from(list(Mood)),
    ),
    max_size=30,
)
ORDERS = ["name", "note", "amount", "rank", "due_on", "at", "mood"]


@pytest.mark.both_databases
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, order=st.sampled_from([*ORDERS, *(f"-{order}" for order in ORDERS)]))
def test_pages_hold_every_row_once_there_and_back(app: Flask, rows, order: str):
    put(app, *rows)
    there, back = walk(app, f"?order={order}")
    seen = [key for keys in there for key in keys]
    assert len(seen) == len(set(seen)) == len(rows)
    assert back == there[::-1]


def test_the_range_says_where_the_page_stands(app: Flask):
    put(app, *(a_row(name=f"n{number:02}") for number in range(16)))
    first = listed(app)
    second = listed(app, "?" + urlsplit(first.next_url or "").query)
    again = listed(app, "?" + urlsplit(second.previous_url or "").query)
    assert [one.range_text for one in (first, second, again)] == [
        "1–7 of 16",
        "8–14 of 16",
        "1–7 of 16",
    ]
    assert again.previous_url is None


def test_beyond_a_thousand_rows_the_count_is_not_told(app: Flask, monkeypatch):
    put(app, *(a_row() for _ in range(12)))
    monkeypatch.setattr(page, "COUNT_CAP", 10)
    assert listed(app).count_text == "10+"
    monkeypatch.setattr(page, "COUNT_CAP", 12)
    assert listed(app).count_text == "12"


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


NOT_ROWS: list[Any] = [None, 1, "abc", {}, [], [[]], [1], [1, 2], [1, "x", "y"], [1, None, None]]
NO_NAMES: list[Any] = [True, 1.5, [], {}, {"d": 1}, {"d": "x"}, {"n": "x"}]
HOSTILE = [
    *["x", "=", "%", "é", "\x00", "AAAA", "-" * 3000],
    *[packed(value) for value in NOT_ROWS],
    *[packed([1, value, 5]) for value in NO_NAMES],
    *[
        packed([1, "a", value])
        for value in (10**30, -(10**30), "1", True, {"n": "NaN"}, {"n": "1"})
    ],
    *[
        packed([1, {key: text}, 5])
        for key in "dn"
        for text in ("2026-01-01", "NaN", "1e999999", "sNaN")
    ],
    packed([1, "\ud800", 5]),
    packed([1, "\x00", 5]),
    packed([10**40, "a", 5]),
    packed([True, "a", 5]),
    base64.urlsafe_b64encode(b"[" * 4000).decode(),
    base64.urlsafe_b64encode(b"[NaN,Infinity,1]").decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.both_databases
def test_a_forged_cursor_finds_nothing_and_breaks_nothing(app: Flask, browser: FlaskClient):
    put(app, *CAST)
    for order in ("name", "-rank", "amount", "due_on", "at", "mood"):
        for word in HOSTILE:
            for side in ("after", "before"):
                answer = browser.get("/samples/", query_string={"order": order, side: word})
                assert answer.status_code in {200, 400, 404}, (order, side, word, answer.text[:200])


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("dnx"), inner),
    ).map(packed)
)
def test_unpacking_gives_values_or_not_found(word: str):
    try:
        values = cursor.unpack(word, [c.name.type, c.amount.type])
    except NotFound:
        return
    assert len(values) == 2


def test_a_cursor_comes_back_as_it_was_packed():
    values = [True, 3, "å", Decimal("1.2345"), date(2026, 1, 1), AT, None, "calm"]
    types = [sa.Boolean(), c.id.type, c.name.type, c.amount.type, c.due_on.type, c.at.type]
    assert cursor.unpack(cursor.pack(values), [*types, c.note.type, c.mood.type]) == values


def test_the_address_keeps_filters_order_and_columns(app: Flask):
    put(app, *(a_row(name=f"n{number:02}") for number in range(16)))
    kept = {"mood": ["calm"], "starts": ["n"], "order": ["-name"], "columns": ["name", "rank"]}
    with app.test_request_context("/samples/", query_string=urlencode(kept, doseq=True)):
        loaded = SampleList(ADA)
        loaded.prepare()
        loaded.load()
        next_query = parse_qs(urlsplit(loaded.next_url or "").query)
        assert {key: next_query[key] for key in kept} == kept
        chips = loaded.chips
        assert [f"{chip.label} {chip.value}" for chip in chips] == ["Starts with n", "Mood Calm"]
        without = parse_qs(urlsplit(chips[0].remove_url).query)
        assert without == {key: value for key, value in kept.items() if key != "starts"}
        assert loaded.kept == [("order", "-name"), ("columns", "name"), ("columns", "rank")]


@pytest.mark.parametrize(
    "query",
    [
        "endpoint=x",
        "self=x",
        "_external=1",
        "_scheme=javascript",
        "_anchor=x",
        "_method=BREW",
        "values=1&sample_id=3",
        "%00=%00",
        "order=",
        "after=&before=",
        "columns=,,,",
        "format=pdf",
        "a%5B%5D=1&a%5B%5D=2&%E4%B8%AD=%E6%96%87",
        "page=<script>",
    ],
)
def test_a_strange_address_does_no_harm(app: Flask, browser: FlaskClient, query: str):
    put(app, *(a_row() for _ in range(9)))
    answer = browser.get(f"/samples/?{query}")
    assert answer.status_code == 200
    for link in soup(answer).select("#list a[href]"):
        assert str(link["href"]).startswith("/samples/")


def test_columns_are_chosen_in_the_address(app: Flask, browser: FlaskClient):
    put(app, *CAST)
    heads = [
        th.text.strip()
        for th in soup(browser.get("/samples/?columns=due_on,mood")).select("th:not(.pick)")
    ]
    assert heads == ["Name", "Due", "Mood"]
    heads = [
        th.text.strip()
        for th in soup(browser.get("/samples/?columns=none")).select("th:not(.pick)")
    ]
    assert heads == ["Name", "Note", "Amount", "Rank", "At", "Mood"]


def test_the_page_escapes_what_people_wrote(app: Flask, browser: FlaskClient):
    hostile = "<script>alert(1)</script>\"'"
    put(app, a_row(name=hostile, note=hostile))
    answer = browser.get("/samples/", query_string={"contains": hostile})
    assert "<script>alert" not in answer.text
    assert hostile in [td.text.strip() for td in soup(answer).select("td")]


def test_an_empty_list_says_so(app: Flask, browser: FlaskClient):
    assert "No samples" in browser.get("/samples/").text


EXPORTED = [
    a_row(name="=1+1", note="@SUM(A1)", amount=Decimal("1234.5")),
    a_row(name="+49", note="-x", due_on=date(2026, 2, 28)),
    a_row(name="\tx", note='say "hi",\nthere', rank=-5, mood=Mood.WILD),
]


@pytest.mark.both_databases
def test_the_csv_file_holds_the_filtered_rows_with_formulas_defused(
    app: Flask, browser: FlaskClient
):
    put(app, *EXPORTED, *(a_row(name=f"n{number}") for number in range(20)))
    answer = browser.get(
        "/samples/?format=csv&order=name&columns=name,note,amount,rank,due_on,at,mood"
    )
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sample.csv"'
    found = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(found) == 23
    by_rank = {row["name"].lstrip("'"): row for row in found}
    first = by_rank["=1+1"]
    assert first["name"] == "'=1+1"
    assert first["note"] == "'@SUM(A1)"
    assert Decimal(first["amount"]) == Decimal("1234.5")
    assert first["at"] == AT.isoformat()
    assert by_rank["+49"]["due_on"] == "2026-02-28"
    assert by_rank["\tx"] | {"name": ""} == {
        "name": "", "note": 'say "hi",\nthere', "amount": "", "rank": "-5", "due_on": "",
        "at": AT.isoformat(), "mood": "Wild",
    }  # fmt: skip
    only = browser.get("/samples/?format=csv&mood=wild&columns=name")
    assert only.text == "name\r\n'\tx\r\n"


@pytest.mark.both_databases
def test_the_xlsx_file_holds_text_as_text(app: Flask, browser: FlaskClient):
    put(app, *EXPORTED)
    answer = browser.get("/samples/?format=xlsx&order=-amount&columns=name,amount,due_on,at")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    found = book.get_sheet_by_index(0).to_python()
    assert found[0] == ["Name", "Amount", "Due", "At"]
    assert found[1][:2] == ["=1+1", 1234.5]
    assert sorted(row[0] for row in found[1:]) == ["\tx", "+49", "=1+1"]
    assert [row[2] for row in found[1:] if row[0] == "+49"] == [date(2026, 2, 28)]
    assert found[1][3] == AT.replace(tzinfo=None)


def test_an_xlsx_file_that_would_be_cut_is_refused(app: Flask, browser: FlaskClient, monkeypatch):
    monkeypatch.setattr("portal.foundation.web.lists.files.MOST_XLSX_ROWS", 2)
    put(app, *EXPORTED)
    answer = browser.get("/samples/?format=xlsx")
    assert answer.status_code == 422
    assert "CSV" in answer.text


def test_an_export_is_in_the_audit(app: Flask, browser: FlaskClient):
    browser.get("/samples/?format=csv")
    with app.app_context():
        query = "SELECT actor_name FROM audit_entries WHERE name = 'web.list.exported'"
        assert db.session.scalar(sa.text(query)) == "Ada <Byron>"


def statements(app: Flask, work: Callable[[], object]) -> int:
    """Return how many statements `work` sends to the database."""
    sent: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_more_rows_cost_no_more_queries(app: Flask, browser: FlaskClient):
    put(app, a_row())
    browser.get("/samples/")
    few = statements(app, lambda: browser.get("/samples/"))
    put(app, *(a_row() for _ in range(60)))
    assert statements(app, lambda: browser.get("/samples/")) == few
