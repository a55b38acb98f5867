"""Every failure has one of two shapes, a reference, and no secrets."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm.exc import StaleDataError

from portal.foundation.database import db
from tests.portal.foundation.web.conftest import soup


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("refused", 422, "No."),
        ("forbidden", 403, "Your roles do not allow it."),
        ("missing", 404, "not yours to see"),
        ("bug", 500, "Nothing was half done."),
    ],
)
def test_a_page_says_what_happened_with_a_reference(browser, kind, status: int, words: str):
    with structlog.testing.capture_logs() as logged:
        answer = browser.get(f"/samples/broken/{kind}")
    assert answer.status_code == status
    assert answer.content_type.startswith("text/html")
    page = soup(answer)
    assert words in page.text
    assert f"Reference {answer.headers['X-Request-ID']}" in page.text
    assert "swordfish" not in answer.text
    assert [entry["event"] for entry in logged] == ["request.failed"] * (kind == "bug")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/healthz", 405),
        ("BREW", "/login", 405),
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/samples", 405),
        ("GET", "/api/v1/samples", 401),
        ("POST", "/api/v1/samples", 401),
    ],
)
def test_pages_answer_pages_and_the_api_problems(client: FlaskClient, method, path, status: int):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    is_api = path.startswith("/api/")
    kind = "application/problem+json" if is_api else "text/html; charset=utf-8"
    assert answer.content_type == kind
    assert answer.headers["X-Request-ID"] in answer.text
    if status == 405:
        assert answer.headers["Allow"]
    if is_api:
        body: Any = answer.json
        assert set(body) >= {"type", "title", "status", "detail", "request_id"}
        assert body["status"] == status


def test_wrong_fields_are_named_one_by_one(client: FlaskClient, bearer):
    body = {"name": "", "rank": "7", "tags": ["", "x"], "nobody": 1, "amount": "1.23456"}
    answer = client.post("/api/v1/samples", json=body, headers=bearer)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    fields = {error["field"] for error in answer.json["errors"]}
    assert fields == {"name", "rank", "tags.0", "nobody", "amount"}
    assert all(error["message"] for error in answer.json["errors"])


def test_a_refused_visit_is_in_the_audit(app: Flask, browser: FlaskClient):
    browser.get("/samples/broken/forbidden")
    with app.app_context():
        query = sa.text(
            "SELECT actor_name, changes FROM audit_entries WHERE name = 'web.access.refused'"
        )
        (row,) = db.session.execute(query).all()
    assert row.actor_name == "Ada <Byron>"
    assert "samples.broken" in str(row.changes)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (sa.exc.OperationalError("SELECT 1", {}, Exception("database is locked")), 503),
        (sa.exc.TimeoutError(), 503),
        (StaleDataError("expected 1 row"), 409),
    ],
)
@pytest.mark.parametrize("path", ["/samples/", "/api/v1/samples"])
def test_what_the_database_says_has_an_answer(
    app: Flask, browser, bearer, monkeypatch, error, status, path
):
    """Also where nothing can be read: the error's page asks the database for nothing."""

    def broken(*_args: object, **_kwargs: object) -> None:
        raise error

    endpoint = "api_samples.list_samples" if path.startswith("/api") else "samples.index"
    monkeypatch.setitem(app.view_functions, endpoint, policy_kept(app, endpoint, broken))
    monkeypatch.setattr("portal.foundation.web.templating.setting", broken)
    answer = browser.get(path, headers=bearer if path.startswith("/api") else {})
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] in answer.text


def policy_kept(app: Flask, endpoint: str, view):
    view.policy = app.view_functions[endpoint].policy
    return view


def test_errors_never_hold_the_values_of_a_statement(context: Flask):
    with pytest.raises(sa.exc.StatementError) as caught:
        db.session.execute(
            sa.text("SELECT * FROM nowhere WHERE password = :password"), {"password": "swordfish"}
        )
    assert "swordfish" not in str(caught.value)
    assert re.search("hide_parameters|hidden", str(caught.value))
