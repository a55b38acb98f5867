"""Alive, ready, figures for Prometheus, logs with the request's id and without secrets."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask

from portal.foundation import clock, logs
from portal.foundation.database import db, transaction
from portal.foundation.jobs.models import Heartbeat
from portal.foundation.migrations import downgrade_database
from portal.foundation.origin import set_origin


def beat(app: Flask, ago: timedelta) -> None:
    with app.app_context(), transaction() as session:
        at = clock.machine_now() - ago
        session.add(Heartbeat(worker="w:1", beat_at=at, leads=True, started_at=at))


def test_a_process_that_answers_is_alive(client):
    assert client.get("/healthz").json == {"status": "ok"}


def test_a_site_with_a_stopped_clock_is_ready_and_says_so(app: Flask, client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["scheduler"]) == (200, "stopped")
    beat(app, timedelta(seconds=61))
    assert client.get("/readyz").json["scheduler"] == "stopped"
    with app.app_context(), transaction() as session:
        session.execute(sa.update(Heartbeat).values(beat_at=clock.machine_now()))
    ready = client.get("/readyz").json
    assert (ready["status"], ready["scheduler"]) == ("ready", "ok")
    assert ready["heartbeat_age_seconds"] < 30


def test_a_site_behind_its_migrations_is_not_ready(fresh_app):
    app = fresh_app()
    with app.app_context():
        downgrade_database("-1")
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["migrations"]) == (503, "behind")


def test_a_site_without_its_database_is_not_ready_but_answers(app: Flask, client, monkeypatch):
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("connection refused"))

    with app.app_context():
        monkeypatch.setattr(type(db.engine), "connect", refuse)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "unavailable")
    assert client.get("/healthz").status_code == 200
    page = client.get("/login")
    assert page.status_code == 503
    assert page.headers["X-Request-ID"] in page.text


def test_figures_for_prometheus(app: Flask, client):
    beat(app, timedelta(seconds=5))
    client.open("/healthz", method="BREW")
    text = client.get("/metrics").text
    for name in ("requests_total", "scheduler_heartbeat_age_seconds", "job_queue_age_seconds"):
        assert f"guildhall_{name}" in text
    assert "BREW" not in text


def written(capsys, **values: object) -> dict[str, object]:
    logs.configure()
    structlog.get_logger().error("tests.happened", **values)
    line: dict[str, object] = json.loads(capsys.readouterr().err)
    return line


def test_a_log_line_carries_the_request_and_no_secrets(capsys):
    set_origin("", "request-1234")
    line = written(capsys, api_token="a", Password="b", cookie="c", harmless="d")
    set_origin("", "")
    assert line | {"timestamp": ""} == {
        "event": "tests.happened",
        "level": "error",
        "request_id": "request-1234",
        "timestamp": "",
        "api_token": "[kept out]",
        "Password": "[kept out]",
        "cookie": "[kept out]",
        "harmless": "d",
    }


@pytest.mark.both_databases
def test_many_may_ask_at_once_and_disturb_nobody(app):
    def ask(number: int) -> set[int]:
        client = app.test_client()
        return {client.get(path).status_code for path in ("/readyz", "/login") * 8}

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert set().union(*answers) == {200}
