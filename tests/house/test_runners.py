"""The runners of `make bench` and `make accept` print what they promise."""

import json

import pytest

from tests.acceptance import checks
from tests.acceptance.checks import Finding, check, run_checks
from tests.bench.measure import measure


@pytest.fixture(autouse=True)
def _no_other_checks(monkeypatch):
    monkeypatch.setattr(checks, "CHECKS", {})


def test_a_rate_is_better_when_higher(capsys):
    result = measure("sample", lambda: 30.0, lambda: 40.0, "req/s", runs=3)
    assert json.loads(capsys.readouterr().out) == {
        "bench": "sample", "value": 30.0, "unit": "req/s", "limit": 40.0, "ratio": 0.75, "runs": 3,
    }  # fmt: skip
    assert result.ratio == 0.75


def test_a_time_is_better_when_lower():
    assert measure("sample", lambda: 2.0, lambda: 1.0, "s", runs=1).ratio == 0.5


def test_both_are_run_in_turn():
    order = []
    measure("sample", lambda: order.append("ours"), lambda: order.append("raw"), "s", runs=2)
    assert sorted(order[:2]) == sorted(order[2:4]) == sorted(order[4:]) == ["ours", "raw"]


def test_a_difference_is_shown_and_fails(tmp_path, capsys):
    (tmp_path / "deals.csv").touch()

    @check("deals", "deals.csv")
    def deals(_data):
        yield Finding("won", 2800, 2800)
        yield Finding("points", 8902670, 8902669)

    assert run_checks(tmp_path, []) == 1
    assert capsys.readouterr().out.splitlines() == [
        "agrees   deals: won: expected 2,800, found 2,800",
        "DIFFERS  deals: points: expected 8,902,670, found 8,902,669",
        "1 agree, 1 differ",
    ]


def test_agreement_is_zero_and_an_absent_file_is_a_difference(tmp_path):
    @check("deals", "deals.csv")
    def deals(_data):
        yield Finding("won", 1, 1)

    assert run_checks(tmp_path, []) == 1
    (tmp_path / "deals.csv").touch()
    assert run_checks(tmp_path, []) == 0


def test_an_absent_folder_is_said_in_one_line(tmp_path, capsys):
    assert run_checks(tmp_path / "none", []) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
