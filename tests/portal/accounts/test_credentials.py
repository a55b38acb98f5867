"""Passwords and codes."""

import pytest

from portal.accounts import credentials
from portal.foundation.errors import Refused


@pytest.mark.parametrize(
    "password",
    [
        "short-1", "x" * 129, "password", "Password1", "PASSWORD123!", "qwertyuiop", "12345678",
        "11111111", "abababab", "1qaz2wsx", "Welcome2026", "ada@vendor.example", "ada-the-first",
    ],
)  # fmt: skip
def test_an_easy_password_is_refused(password):
    with pytest.raises(Refused) as refused:
        credentials.check_password(password, email="ada@vendor.example")
        credentials.check_password(password, email="ada-the-first@vendor.example")
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "password",
    [
        "guildhall-demo", "正しい馬の電池ホチキス", "x7" * 32 + "!", "  spaces count  ",
        "\U0001f40e" * 3 + "horses",
    ],
)  # fmt: skip
def test_other_passwords_are_taken_and_fit_only_themselves(password):
    credentials.check_password(password, email="ada@vendor.example")
    stored = credentials.hash_password(password)
    assert stored.startswith("$argon2id$")
    assert credentials.password_fits(stored, password)
    assert not credentials.password_fits(stored, password + " ")


def test_the_list_of_common_passwords_is_worth_its_name():
    common = credentials.common_passwords()
    assert len(common) >= 1_000
    assert all(len(password) >= credentials.SHORTEST for password in common)


def test_one_password_typed_on_two_keyboards_is_one():
    stored = credentials.hash_password("cafe\u0301-noir-42")
    assert credentials.password_fits(stored, "caf\u00e9-noir-42")


def test_nobody_has_the_password_of_nobody():
    assert not credentials.password_fits(None, "")
    assert not credentials.password_fits("not a hash", "guildhall-demo")


def test_recovery_codes_differ_and_bear_being_typed_badly():
    codes = credentials.new_recovery_codes()
    assert len(set(codes)) == 10
    assert credentials.plain_code(f" {codes[0].upper().replace('-', ' ')} ") == codes[0].replace(
        "-", ""
    )
