"""The audit reads as sentences, safely, whatever people are called."""

import pytest

from portal.foundation import audit
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.audit import SENTENCES, AuditEntry, record, sentence_of, timeline
from portal.foundation.database import db, transaction
from portal.foundation.i18n import in_language
from portal.foundation.settings import Setting, change_setting

BAD = "<script>%(x)s%s{0}</script>"


def test_a_name_without_a_sentence_is_a_bug(context):
    with pytest.raises(KeyError), transaction():
        record(SYSTEM, "tests.thing.unknown")
    with pytest.raises(KeyError), transaction():
        audit.record_many(SYSTEM, "tests.thing.unknown", Setting, [])


def test_every_sentence_can_be_read_in_every_language(context):
    for language in ("en", "zh_Hans_CN"):
        with in_language(language):
            for name in SENTENCES:
                entry = AuditEntry(name=name, actor_name=BAD, changes={})
                text = str(sentence_of(entry))
                assert text, name
                assert "<script>" not in text


def test_hostile_names_and_values_are_escaped(context):
    with transaction():
        change_setting(Actor(user_id=1, name=BAD), name="vendor.name", value=BAD)
    row = db.session.query(Setting).one()
    (entry,) = timeline(row)
    assert "<script>" not in entry.sentence
    assert entry.sentence.count("&lt;script&gt;") == 2
    assert entry.detail == f"value: Halden Instruments → {BAD}"


def test_a_value_that_went_away_is_a_dash(context):
    entry = AuditEntry(
        name="settings.setting.changed", actor_name="A", changes={"value": ["x", None]}
    )
    assert audit.as_timeline(entry).detail == "value: x → –"


@pytest.mark.both_databases
def test_many_entries_are_written_as_one_would_be(context):
    with transaction() as session:
        for name in ("a", "b"):
            session.add(Setting(name=name, value=1, changed_at=audit.clock.now()))
        session.flush()
        keys = [row.id for row in session.query(Setting).order_by(Setting.id)]
        audit.record_many(
            SYSTEM,
            "settings.setting.changed",
            Setting,
            [(key, {"value": (0, key)}) for key in keys],
        )
    found = [(entry.thing_id, entry.changes) for entry in db.session.query(AuditEntry)]
    assert found == [(key, {"value": [0, key]}) for key in keys]
