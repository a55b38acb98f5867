"""Idempotency keys: the first answer again, one effect, whatever happens in between."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.foundation.database import db
from tests.portal.foundation.web.test_forms import at_once

PATH = "/api/v1/samples"
BODY = {"name": "Nordlys", "amount": "12.50"}


def send(
    client: FlaskClient, headers: dict[str, str], key: str | None, body: Any, path: str = PATH
) -> TestResponse:
    given = headers if key is None else headers | {"Idempotency-Key": key}
    return client.post(path, json=body, headers=given)


def keys(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.text("SELECT count(*) FROM idempotency_keys")) or 0


@pytest.mark.both_databases
def test_the_same_key_and_body_give_the_first_answer_again(app, client, bearer, rows):
    first = send(client, bearer, "k1", BODY)
    again = send(client, bearer, "k1", BODY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert (again.data, again.content_type) == (first.data, first.content_type)
    assert len(rows()) == 1
    assert send(client, bearer, "k2", BODY).json["id"] != first.json["id"]
    assert send(client, bearer, None, BODY).status_code == 201
    assert len(rows()) == 3


@pytest.mark.both_databases
def test_the_same_key_with_another_body_or_path_is_refused(client, bearer, rows):
    send(client, bearer, "k1", BODY)
    for path, body in ((PATH, BODY | {"name": "Sydlys"}), ("/api/v1/valuable-samples", BODY)):
        answer = send(client, bearer, "k1", body, path)
        assert answer.status_code == 409
        assert answer.content_type == "application/problem+json"
        assert answer.json["code"] == "idempotency_key_reused"
    assert len(rows()) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("body", [{"name": "refused"}, {"name": ""}, {"nobody": 1}, [], "text"])
def test_a_refusal_is_an_answer_too(client, bearer, rows, body):
    first, again = (send(client, bearer, "k1", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (422, 422)
    assert first.json == again.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert send(client, bearer, "k1", BODY).status_code == 409
    assert rows() == []


def test_a_refusal_tells_code_field_and_what_is_missing(client, bearer):
    answer = send(client, bearer, "k1", {"name": "refused"}).json
    assert answer["code"] == "not_this_name"
    assert answer["errors"] == [{"field": "name", "message": "Not this name."}]
    assert answer["missing"] == ["x"]


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["Nordlys", "refused"])
def test_of_many_at_once_one_has_an_effect(app: Flask, bearer, rows, name: str):
    def one() -> tuple[int, str | None, Any]:
        answer = send(app.test_client(), bearer, "k1", {"name": name})
        return answer.status_code, answer.headers.get("Idempotent-Replay"), answer.json.get("id")

    answers = at_once(8, one)
    assert {status for status, _, _ in answers} == {201 if name == "Nordlys" else 422}
    assert [replay for _, replay, _ in answers].count("true") == 7
    assert len({key for _, _, key in answers}) == 1
    assert len(rows()) == (name == "Nordlys")


@pytest.mark.both_databases
def test_a_bug_keeps_neither_key_nor_effect(app: Flask, client, bearer, rows):
    path = "/api/v1/failing-samples"
    assert send(client, bearer, "k1", {"name": "x"}, path).status_code == 500
    assert (rows(), keys(app)) == ([], 0)
    assert send(client, bearer, "k1", {"name": "fine"}, path).status_code == 201


def test_value_moves_only_with_a_key(client, bearer, rows):
    answer = send(client, bearer, None, BODY, "/api/v1/valuable-samples")
    assert (answer.status_code, answer.json["code"]) == (400, "key_required")
    assert rows() == []
    assert send(client, bearer, "k", BODY, "/api/v1/valuable-samples").status_code == 201


@pytest.mark.parametrize("key", ["a" * 201, "å\x07", "\x00"])
def test_a_key_that_cannot_be_kept_is_refused(client, bearer, rows, key: str):
    try:
        answer = send(client, bearer, key, BODY)
    except (ValueError, UnicodeError):
        return  # no client can send it
    assert answer.status_code == 400
    assert rows() == []


@pytest.mark.both_databases
def test_nobody_signed_in_has_no_keys(app: Flask, client):
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = send(client, headers, "k1", BODY)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert keys(app) == 0


def test_a_key_is_its_users_own(app: Flask, client, bearer, rows, signed_in):
    with app.app_context():
        other = app.test_cli_runner().invoke(
            args=[
                "users", "create", "--email", "o@vendor.example", "--name", "O", "--role",
                "marketing", "--password-stdin",
            ],
            input="correct horse battery staple\n",
        )  # fmt: skip
        assert other.exit_code == 0, other.output
    token = app.test_cli_runner().invoke(
        args=["tokens", "create", "--email", "o@vendor.example", "--name", "t"]
    )
    send(client, bearer, "k1", BODY)
    theirs = {"Authorization": f"Bearer {token.stdout.strip()}"}
    assert send(client, theirs, "k1", BODY | {"name": "Sydlys"}).status_code == 201
    assert len(rows()) == 2


def test_a_cookie_opens_nothing_in_the_api(browser: FlaskClient, rows):
    assert browser.get(PATH).status_code == 401
    assert browser.post(PATH, json=BODY).status_code == 401
    assert rows() == []


def test_keys_are_forgotten_after_thirty_days(app: Flask, client, bearer, runner, clock):
    clock.set("2026-03-01T12:00Z")
    send(client, bearer, "k1", BODY)
    for at, left in (("2026-03-31T11:59Z", 1), ("2026-03-31T12:01Z", 0)):
        assert runner.invoke(args=["jobs", "once", "web.clean", "--at", at]).exit_code == 0
        assert keys(app) == left


HOSTILE_BODIES = [
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"NaN", b"[" * 100_000,
    b'{"a":' * 50_000, b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b'{"name": {}}',
    b'{"name": "N", "amount": NaN}', b'{"name": "N", "amount": 1e999}',
    b'{"name": "N", "amount": "sNaN"}', b'{"name": "N", "rank": 1e23}',
    b'{"name": "N", "rank": ' + b"9" * 23 + b"}", b'{"name": "N", "rank": ' + b"9" * 5000 + b"}",
    b'{"name": "N", "rank": true}', b'{"name": "N", "due_on": "0001-01-01"}',
    b'{"name": "N", "at": "0001-01-01T00:00:00+14:00"}', b'{"name": "N", "at": 1e30}',
    b'{"name": "N", "at": "9999-12-31T23:59:59-14:00"}', b'{"name": "N", "currency": "\\u0000xx"}',
    b'{"name": "' + b"a" * 100_000 + b'"}', b'{"name": "N", "tags": ["", null, 1]}',
    b'{"name": "N", "name": 1}', b'{"__proto__": 1, "name": "N"}',
]  # fmt: skip


@pytest.mark.both_databases
@pytest.mark.parametrize("key", [None, "k"])
def test_hostile_bodies_are_problems(client, bearer, key: str | None):
    for number, body in enumerate(HOSTILE_BODIES):
        headers = dict(bearer) if key is None else bearer | {"Idempotency-Key": f"{key}{number}"}
        for content_type in ("application/json", "text/plain", ""):
            answer = client.post(PATH, data=body, headers=headers, content_type=content_type)
            assert answer.status_code in {201, 400, 409, 415, 422}, (body[:60], answer.text[:300])
            if answer.status_code >= 400:
                assert answer.content_type == "application/problem+json"
                assert json.loads(answer.data)["status"] == answer.status_code


@pytest.mark.both_databases
@pytest.mark.parametrize("limit", ["0", "201", "x", "1.5", "", "9" * 30])
def test_a_list_takes_one_to_two_hundred_rows(client, bearer, limit: str):
    answer = client.get(f"{PATH}?limit={limit}", headers=bearer)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "limit")


@pytest.mark.both_databases
def test_a_list_is_walked_by_its_cursor(client, bearer):
    for number in range(5):
        send(client, bearer, None, {"name": f"n{number}"})
    seen, word = [], ""
    for _ in range(4):
        answer = client.get(f"{PATH}?limit=2&cursor={word}", headers=bearer).json
        seen += [item["name"] for item in answer["items"]]
        word = answer["next_cursor"]
        if word is None:
            break
    assert seen == ["n4", "n3", "n2", "n1", "n0"]


@pytest.mark.both_databases
def test_a_forged_cursor_is_not_found(client, bearer):
    for word in ("x", "WyJ4Il0", "W251bGxd", "W10", "WzEsMl0", "W3RydWVd", "WzEuNV0", "%00"):
        assert client.get(f"{PATH}?cursor={word}", headers=bearer).status_code in {400, 404}, word
