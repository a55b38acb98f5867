"""Settings keep their type and bounds, and each change is in the audit."""

import pytest

from portal.foundation import settings
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.settings import DEFINITIONS, Definition, change_setting, setting


@pytest.fixture(autouse=True)
def _definitions(monkeypatch) -> None:
    for definition in (
        Definition("tests.days", 30, settings._l("Days"), minimum=1, maximum=90),
        Definition("tests.is_open", True, settings._l("Open")),
    ):
        monkeypatch.setitem(DEFINITIONS, definition.name, definition)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("tests.days", "7", 7), ("tests.days", 90, 90), ("tests.is_open", False, False),
        ("tests.is_open", "true", True), ("vendor.zone", "Asia/Shanghai", "Asia/Shanghai"),
        ("vendor.currency", "nok", "NOK"), ("vendor.name", " 仪器 ", "仪器"),
    ],
)  # fmt: skip
def test_a_setting_takes_a_value_of_its_kind(context, name: str, value, kept):
    with transaction():
        change_setting(SYSTEM, name=name, value=value)
    assert setting(name) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tests.days", "0"), ("tests.days", 91), ("tests.days", "x"), ("tests.days", "1e3"),
        ("tests.days", "9" * 30), ("tests.days", float("inf")), ("vendor.zone", "Mars/Base"),
        ("vendor.currency", "XQQ"), ("vendor.name", ""), ("vendor.name", "a\x00b"),
        ("vendor.name", "a" * 201), ("nobody.knows", 1),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(context, name: str, value):
    with pytest.raises(Refused), transaction():
        change_setting(SYSTEM, name=name, value=value)
    assert db.session.query(AuditEntry).count() == 0


def test_a_change_is_in_the_audit_with_before_and_after_and_none_is_not(context):
    for _ in range(2):
        with transaction():
            change_setting(SYSTEM, name="tests.days", value=7)
    (entry,) = db.session.query(AuditEntry)
    assert entry.changes == {"setting": "tests.days", "value": [30, 7]}


def test_a_name_is_defined_once():
    with pytest.raises(ValueError, match="twice"):
        settings.define(Definition("vendor.name", "", settings._l("Again")))


def test_every_default_is_one_that_could_be_set(context):
    for definition in DEFINITIONS.values():
        assert settings._checked(definition, definition.default) == definition.default
