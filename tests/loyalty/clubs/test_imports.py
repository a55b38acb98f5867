"""Members from files, once, and back into files."""

import csv
import json
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from loyalty.clubs import queries
from loyalty.clubs.models import Channel, Consent, Member, Purpose
from portal.foundation.database import db
from tests.factories.accounts import make_user
from tests.factories.clubs import make_club, make_marta

HEAD = ["external_id", "name", "email", "birth_date", "marketing_consent", "country"]

pytestmark = pytest.mark.both_databases


@pytest.fixture
def club(context, clock):
    clock.set(datetime(2026, 3, 1, 9, tzinfo=UTC))
    return make_club()


def run(runner, path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    result = runner.invoke(args=["import", "members", str(path), "--club", "circle"])
    counts = json.loads(result.stdout.strip().rpartition("\n")[2])
    return [counts[name] for name in ("created", "updated", "unchanged", "rejected")]


def test_members_come_in_once_and_change(club, runner, tmp_path):
    user = make_user("lin@club.example")
    rows = [
        ["1", "林晓雯", "Lin@club.example", "1992-02-29", "true", "CN"],
        ["2", "Marta", "", "", "", ""],
    ]
    path = tmp_path / "m.csv"
    assert run(runner, path, rows) == [2, 0, 0, 0]
    assert run(runner, path, rows) == [0, 0, 2, 0]
    lin, marta = db.session.scalars(sa.select(Member).order_by(Member.external_id)).all()
    assert (lin.user_id, lin.birthday, lin.country) == (user.id, 229, "CN")
    assert queries.agrees(lin, Purpose.MARKETING, Channel.EMAIL)
    assert marta.joined_on == date(2026, 3, 1)
    rows[0][4], rows[1][2] = "false", "marta@club.example"
    assert run(runner, path, rows) == [0, 2, 0, 0]
    assert run(runner, path, rows) == [0, 0, 2, 0]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 2


def test_what_cannot_be_is_rejected(club, runner, tmp_path):
    make_marta(club)
    rows = [
        ["1", "Lin", "lin@club.example", "", "", ""],
        ["2", "Other", "LIN@club.example", "", "", ""],
        ["3", "Other", "marta@club.example", "", "", ""],
        ["4", "Other", "", "2026-03-02", "", ""],
        ["5", "", "", "", "", ""],
        ["1", "Lin", "lin@club.example", "", "", ""],
        ["1", "Somebody else", "", "", "", ""],
    ]
    assert run(runner, tmp_path / "m.csv", rows) == [1, 0, 1, 5]


def test_what_was_exported_is_unchanged(club, runner, tmp_path):
    rows = [["1", "=Lin", "lin@club.example", "1990-01-01", "true", "CN"], ["2", "M", *[""] * 4]]
    assert run(runner, tmp_path / "m.csv", rows) == [2, 0, 0, 0]
    out = tmp_path / "out.csv"
    args = ["export", "members", "--club", "circle", "--out", str(out)]
    assert runner.invoke(args=args).exit_code == 0
    again = runner.invoke(args=["import", "members", str(out), "--club", "circle"])
    assert again.exit_code == 0
    assert json.loads(again.stdout.strip().rpartition("\n")[2])["unchanged"] == 2


def test_a_club_that_is_not_there_is_one_line(club, runner, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("external_id,name\n1,Lin\n")
    done = runner.invoke(args=["import", "members", str(path), "--club", "nowhere"])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
