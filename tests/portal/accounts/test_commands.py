"""`flask users create` and `flask tokens create`."""

import pytest

from portal.accounts import queries
from tests.pages import PASSWORD, sign_in

CREATE = ["users", "create", "--email", "ada@vendor.example", "--name", "Ada"]


def create(runner, *more, password=PASSWORD):
    return runner.invoke(args=[*CREATE, *more, "--password-stdin"], input=password + "\n")


def test_a_user_is_made_and_signs_in(app, client, runner):
    made = create(runner, "--role", "administrator")
    assert made.exit_code == 0
    assert sign_in(client, "ada@vendor.example").status_code == 303


@pytest.mark.parametrize(
    "more",
    [
        ["--role", "emperor"], [], ["--role", "technician", "--partner", "NO-1"],
        ["--role", "member", "--email", "nobody"], ["--role", "member", "--name", " "],
        ["--role", "member", "--name", "a\nb"],
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_2(runner, more):
    answer = create(runner, *more)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("password", ["", "short", "password1", "x" * 129])
def test_a_bad_password_is_refused(runner, password):
    answer = create(runner, "--role", "member", password=password)
    assert answer.exit_code == 2
    assert len(answer.stderr.strip().splitlines()) == 1


def test_a_taken_address_is_refused(runner):
    create(runner, "--role", "member")
    assert create(runner, "--role", "member", "--email", "ADA@vendor.example").exit_code == 2


def test_a_token_is_printed_alone(app, runner):
    create(runner, "--role", "administrator")
    made = runner.invoke(args=["tokens", "create", "--email", "ada@vendor.example", "--name", "x"])
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert made.stdout == token + "\n"
    with app.app_context():
        actor = queries.actor_for_token(token)
        assert actor is not None
        assert actor.email == "ada@vendor.example"


@pytest.mark.parametrize(
    "more",
    [
        ["--email", "nobody@x.example", "--name", "x"], ["--email", "ada@vendor.example"],
        ["--email", "ada@vendor.example", "--name", "x", "--expires-in", "0"],
        ["--email", "ada@vendor.example", "--name", "x", "--expires-in", "soon"],
        ["--email", "ada@vendor.example", "--name", "x", "--expires-in", "99999999999999"],
    ],
)  # fmt: skip
def test_a_token_for_nobody_or_for_never_is_refused(runner, more):
    create(runner, "--role", "administrator")
    answer = runner.invoke(args=["tokens", "create", *more])
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert len(answer.stderr.strip().splitlines()) == 1
