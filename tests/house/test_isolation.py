"""Tests cannot fool themselves: clients are strangers, the network is shut, time stands still."""

import smtplib
import socket
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask, g, has_app_context, has_request_context

from portal.foundation import clock as foundation_clock
from portal.foundation.database import db, transaction
from portal.foundation.facts import StoredFact
from tests.application import IsolatedClient
from tests.guards import NetworkRefused, is_local


def sample_app() -> Flask:
    app = Flask("sample")
    app.test_client_class = IsolatedClient

    @app.get("/")
    def who() -> str:
        known = g.get("user", "nobody")
        g.user = "somebody"
        return str(known)

    return app


def test_requests_share_nothing_even_inside_a_context():
    app = sample_app()
    with app.app_context():
        g.user = "the test"
        assert app.test_client().get("/").text == "nobody"
        assert app.test_client().get("/").text == "nobody"
        assert g.user == "the test"


def test_the_application_fixture_pushes_no_context(app):
    assert not has_app_context()
    assert not has_request_context()


def test_a_client_that_never_signed_in_is_anonymous(app, client, runner):
    made = runner.invoke(
        args=[
            "users", "create", "--email", "ada@vendor.example", "--name", "Ada",
            "--role", "administrator", "--password-stdin",
        ],
        input="correct horse battery staple\n",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    page = BeautifulSoup(client.get("/login").text, "html.parser")
    token = page.select_one("[name=csrf_token]")
    answer = client.post(
        "/login",
        data={
            "csrf_token": token["value"] if token else "",
            "email": "ada@vendor.example",
            "password": "correct horse battery staple",
        },
    )
    assert answer.status_code in {302, 303}
    home = answer.headers["Location"]
    assert "/login" not in home
    assert "/login" in app.test_client().get(home).headers.get("Location", "")


@pytest.mark.both_databases
@pytest.mark.parametrize("time", [1, 2])
def test_each_test_begins_with_an_empty_database(context, time):
    assert db.session.scalars(sa.select(StoredFact.name)).all() == []
    with transaction():
        db.session.add(
            StoredFact(name=f"house.tested_{time}", values={}, announced_at=foundation_clock.now())
        )


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
def test_other_machines_are_out_of_reach(address):
    assert not is_local(address)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as way, pytest.raises(NetworkRefused):
        way.connect(address)


def test_names_are_not_looked_up():
    with pytest.raises(NetworkRefused):
        socket.create_connection(("guildhall.example", 80), timeout=1)


def test_mail_is_not_sent():
    with pytest.raises(NetworkRefused):
        smtplib.SMTP("127.0.0.1", 2525, timeout=1)


@pytest.mark.smtp
def test_a_test_of_mail_may_speak_to_its_own_server():
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", 1, timeout=1)


def test_the_clock_stands_where_it_was_set(clock):
    clock.set("2026-03-01T09:00Z")
    assert foundation_clock.now() == datetime(2026, 3, 1, 9, tzinfo=UTC)
    clock.advance(days=1)
    assert foundation_clock.now() == datetime(2026, 3, 2, 9, tzinfo=UTC)
