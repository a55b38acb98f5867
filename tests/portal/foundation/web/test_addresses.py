"""Numbers in addresses: what no key can be is not there, rather than a fault of ours."""

import pytest
from flask.testing import FlaskClient

HUGE = ["9" * 30, str(2**63), "9" * 5_000]


@pytest.mark.both_databases
@pytest.mark.parametrize("number", [*HUGE, "-1", "1e3", "0x1"])
def test_a_number_that_is_no_key_is_not_there(browser: FlaskClient, number: str):
    assert browser.get(f"/samples/{number}").status_code == 404


@pytest.mark.both_databases
def test_the_largest_key_may_be_asked_for(browser: FlaskClient):
    assert browser.get(f"/samples/{2**63 - 1}").status_code == 404


@pytest.mark.both_databases
@pytest.mark.parametrize("number", [*HUGE, "-1", "x", ""])
def test_picked_rows_that_no_key_can_be_are_left_out(browser: FlaskClient, number: str):
    for ending in ("", "&format=csv", "&format=xlsx"):
        assert browser.get(f"/samples/?ids={number}{ending}").status_code == 200
