"""Forms: sent once, stale ones refused, typed values kept, hostile values answered in words."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.foundation.clock import now
from portal.foundation.database import db, transaction
from tests.portal.foundation.web.conftest import fields_of, soup
from tests.portal.foundation.web.samples import Mood, samples

HOSTILE = [
    "\x00", "a\x00b", "\x01\x1f", "9" * 23, "-" + "9" * 400, "1e400", "NaN", "sNaN", "-Infinity",
    "1.00001", "0x10", "١٢٣", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
    "<script>alert(1)</script>", "'; DROP TABLE users; --", "{{ 7 * 7 }}", "%s%n%(actor)s",
    "../../etc/passwd", "\u202etxt.exe", "\ufeff", "Ω≈ç√", "👩‍👩‍👧‍👦", "a" * 5_001, "0001-01-01",
    "9999-12-31", "2026-02-30", "1" * 4_400,
]  # fmt: skip


def send(client: FlaskClient, path: str = "/samples/new", **typed: str) -> Any:
    return client.post(path, data=fields_of(client.get(path)) | typed)


def test_a_form_is_carried_out_and_leads_on(browser: FlaskClient, rows):
    answer = send(browser, name="  Nordlys  ", amount="12.5", note="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/samples/")
    (row,) = rows()
    assert (row.name, str(row.amount), row.note, row.rank) == ("Nordlys", "12.50", None, None)


@pytest.mark.both_databases
def test_the_same_form_sent_twice_is_done_once(browser: FlaskClient, rows):
    data = fields_of(browser.get("/samples/new")) | {"name": "Nordlys"}
    assert browser.post("/samples/new", data=data).status_code == 303
    again = browser.post("/samples/new", data=data)
    assert again.status_code == 422
    assert "already sent" in again.text
    assert len(rows()) == 1


def test_after_reading_that_it_was_sent_one_may_send_it_again_on_purpose(browser, rows):
    data = fields_of(browser.get("/samples/new")) | {"name": "Nordlys"}
    browser.post("/samples/new", data=data)
    again = browser.post("/samples/new", data=data)
    assert browser.post("/samples/new", data=fields_of(again)).status_code == 303
    assert len(rows()) == 2


def test_a_refused_form_can_be_mended_and_sent_again(browser: FlaskClient, rows):
    refused = send(browser, name="refused", note="kept & shown", amount="7")
    assert refused.status_code == 422
    kept = fields_of(refused)
    assert (kept["name"], kept["note"], kept["amount"]) == ("refused", "kept & shown", "7")
    assert soup(refused).select_one("#name-error").text.strip() == "Not this name."
    assert browser.post("/samples/new", data=kept | {"name": "Nordlys"}).status_code == 303
    assert [row.note for row in rows()] == ["kept & shown"]


@pytest.mark.both_databases
def test_of_two_at_once_one_is_done(app: Flask, browser: FlaskClient, rows):
    data = fields_of(browser.get("/samples/new")) | {"name": "Nordlys"}
    answers = at_once(8, lambda: browser.post("/samples/new", data=data).status_code)
    assert sorted(answers) == [303] + [422] * 7
    assert len(rows()) == 1


def at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do `work` in threads that start together; return what each gave back."""
    answers: list[Any] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        answers.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.both_databases
def test_a_stale_form_changes_nothing(app: Flask, browser: FlaskClient, rows):
    with app.app_context(), transaction() as session:
        values = {"name": "Nordlys", "currency": "EUR", "mood": Mood.CALM, "rank": 1}
        session.execute(sa.insert(samples).values(**values, at=now()))
    (row,) = rows()
    path = f"/samples/{row.id}"
    mine, theirs = (fields_of(browser.get(path)) for _ in range(2))
    assert browser.post(path, data=theirs | {"name": "Theirs"}).status_code == 303
    late = browser.post(path, data=mine | {"name": "Mine"})
    assert late.status_code == 422
    assert "Somebody else changed this" in late.text
    assert fields_of(late)["name"] == "Mine"
    assert [row.name for row in rows()] == ["Theirs"]


@pytest.mark.both_databases
def test_hostile_values_are_answered_in_words(browser: FlaskClient, rows):
    blank = fields_of(browser.get("/samples/new"))
    for value in HOSTILE:
        for name in [*blank, "nobody_knows"]:
            typed = blank | {"name": "N", "form_nonce": ""} | {name: value}
            answer = browser.post("/samples/new", data=typed)
            assert answer.status_code in {303, 400, 422}, (name, value[:40])
            assert "Traceback" not in answer.text
    for row in rows():
        assert "\x00" not in row.name


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", " \r\n "])
def test_white_space_does_not_fill_a_field(browser: FlaskClient, rows, blank: str):
    answer = send(browser, name=blank)
    assert answer.status_code == 422
    assert soup(answer).select_one("#name-error").text.strip() == "Fill this in."
    assert rows() == []


@pytest.mark.parametrize("name", ["name", "note", "amount", "rank", "due_on", "form_nonce"])
def test_a_file_where_text_belongs_is_nothing_typed(browser: FlaskClient, rows, name: str):
    typed = fields_of(browser.get("/samples/new")) | {"name": "Nordlys"}
    typed.pop(name)
    upload = (io.BytesIO(b"\x00\xff"), "x.bin")
    answer = browser.post("/samples/new", data=typed | {name: upload})
    assert answer.status_code == (422 if name == "name" else 303)
    assert len(rows()) == (name != "name")


@pytest.mark.parametrize("text", ['{"name": "N"}', '{"name": ["a", {"b": 1}]}', "[1]", "1", "{"])
def test_a_page_takes_no_json(browser: FlaskClient, rows, text: str):
    token = fields_of(browser.get("/samples/new"))["csrf_token"]
    headers = {"X-CSRFToken": token}
    kind = "application/json"
    answer = browser.post("/samples/new", data=text, content_type=kind, headers=headers)
    assert answer.status_code == 422
    assert rows() == []


def test_a_form_without_its_token_is_refused(browser: FlaskClient, rows):
    blank = fields_of(browser.get("/samples/new"))
    for token in ("", "x", blank["csrf_token"] + "x"):
        answer = browser.post("/samples/new", data=blank | {"name": "N", "csrf_token": token})
        assert answer.status_code == 400
    assert rows() == []


def test_a_token_of_another_browser_is_refused(app: Flask, browser: FlaskClient, rows):
    stolen = fields_of(browser.get("/samples/new")) | {"name": "N"}
    other = app.test_client()
    assert other.post("/samples/new", data=stolen).status_code == 400
    assert rows() == []


def test_marks_of_forms_are_forgotten_after_thirty_days(app: Flask, browser, runner, clock):
    clock.set("2026-03-01T12:00Z")
    send(browser, name="Nordlys")
    for at, left in (("2026-03-31T11:59Z", 1), ("2026-03-31T12:01Z", 0)):
        assert runner.invoke(args=["jobs", "once", "web.clean", "--at", at]).exit_code == 0
        with app.app_context():
            assert db.session.scalar(sa.text("SELECT count(*) FROM form_nonces")) == left
