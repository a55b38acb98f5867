"""Queueing mail: written in the reader's language, once a source, never with a foreign header."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from jinja2 import TemplateNotFound

from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.mail.models import MailMessage, MailState
from portal.foundation.mail.operations import lift_suppression, queue_mail, suppress
from portal.foundation.mail.writing import checked_address, compose, sender
from portal.foundation.settings import change_setting
from tests.portal.foundation.mailing import mail_templates

LIN = ("lin@club.example", "Lin 林")


@pytest.fixture(autouse=True)
def _templates(app):
    with mail_templates(app):
        yield


def queue(**more):
    with transaction():
        return queue_mail("tests/hello", **{"to": LIN, "who": "you", **more})


def composed(row: MailMessage) -> tuple[EmailMessage, bytes]:
    raw = compose(row, sender()).as_bytes()
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message, raw


@pytest.mark.both_databases
def test_a_mail_is_a_row_of_the_transaction(context, clock):
    now = clock.set("2026-03-01T09:00Z")
    row = queue()
    assert (row.state, row.attempts, row.next_at, row.created_at) == (MailState.QUEUED, 0, now, now)
    assert row.subject == "Hello you"
    assert row.text.startswith("Dear you, see http")
    assert row.message_id.endswith("@127.0.0.1")


def test_rolled_back_work_queues_nothing(context):
    with pytest.raises(RuntimeError, match="no"), transaction():
        queue_mail("tests/hello", to=LIN, who="you")
        raise RuntimeError("no")
    assert db.session.scalar(sa.select(sa.func.count(MailMessage.id))) == 0


@pytest.mark.both_databases
def test_a_source_queues_once(context):
    first = queue(source="deal_approved:88")
    second = queue(source="deal_approved:88", who="another")
    assert second.id == first.id
    assert queue(source="deal_approved:89").id != first.id
    assert queue(source=None).id != queue(source=None).id


def test_html_has_its_css_inside_the_tags_and_keeps_loops_in_their_tables(context):
    html = queue().html
    assert '<td style="' in html
    assert html.index('<table class="facts"') < html.index("One") < html.index("Two")
    assert "@media (prefers-color-scheme: dark)" in html
    assert ".sheet { width" not in html


def test_what_users_typed_is_escaped_in_html_alone(context):
    row = queue(who="<b>&</b>")
    assert "<b>&</b>" in row.text
    assert "<b>&</b>" in row.subject
    assert "<b>" not in row.html
    assert "&lt;b&gt;" in row.html


@pytest.mark.parametrize(
    ("language", "tag"), [("en", "en"), ("zh_Hans_CN", "zh-Hans"), ("xx", "en"), (None, "en")]
)
def test_a_mail_speaks_the_readers_language(context, language, tag):
    row = queue(language=language)
    assert f'<html lang="{tag}"' in row.html
    assert composed(row)[0]["Content-Language"] == tag


def test_links_come_from_base_url_whatever_the_request_says(app, monkeypatch):
    monkeypatch.setitem(app.config, "BASE_URL", "https://guildhall.vendor.example/portal")
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        row = queue()
    assert "https://guildhall.vendor.example/portal/static/x" in row.text
    assert "evil.example" not in row.text + row.html


@pytest.mark.parametrize("kind", ["tests/nowhere", "tests/headless"])
def test_a_mail_without_template_or_subject_is_refused(context, kind):
    with pytest.raises((TemplateNotFound, LookupError)), transaction():
        queue_mail(kind, to=LIN)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "lin",
        "lin@club.example\r\nBcc: all@club.example",
        "a,b@club.example",
        "lin@club.example, x@y.example",
        "<lin@club.example>",
        '"a b"@club.example',
        "lin@[127.0.0.1]",
    ],
)
def test_what_is_no_address_is_refused(context, address):
    with pytest.raises(Refused):
        queue(to=(address, "Lin"))


def test_a_domain_of_other_letters_is_kept_as_servers_take_it():
    assert checked_address(" a@exämple.com ") == "a@xn--exmple-cua.com"
    assert checked_address("björn@exämple.com") == "björn@xn--exmple-cua.com"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Note": "one\r\nBcc: all@club.example"},
        {"X-Note": "one\nBcc: all@club.example"},
        {"X-Note": "one\rBcc: all@club.example"},
        {"X-Note: a\r\nBcc": "all@club.example"},
        {"Bcc": "all@club.example"},
        {"subject": "Another"},
        {"X-Ü": "a"},
    ],
)
def test_headers_that_could_say_more_are_refused(context, headers):
    with pytest.raises(ValueError, match="header"):
        queue(headers=headers)


def test_line_ends_in_names_and_subjects_become_spaces(context):
    row = queue(
        to=("lin@club.example", "Lin\r\nBcc: all@club.example\u2028X"),
        who="you\r\nBcc: all@club.example\n\nBody",
    )
    message, raw = composed(row)
    assert message["Bcc"] is None
    assert b"\nBcc" not in raw.partition(b"\r\n\r\n")[0]
    assert message["Subject"] == "Hello you Bcc: all@club.example Body"
    assert message["To"].addresses[0].addr_spec == "lin@club.example"


def test_names_and_subjects_of_all_scripts_arrive_as_written(context):
    name = 'Åse "Lin" 林, of <North>'
    row = queue(to=("lin@club.example", name), who="维修站完成了对诊断装置内部回路的修理" * 6)
    message, raw = composed(row)
    raw.decode("ascii")
    assert message["To"].addresses[0].display_name == name
    assert len(message["To"].addresses) == 1
    assert message["Subject"] == "Hello " + "维修站完成了对诊断装置内部回路的修理" * 6
    assert max(map(len, raw.split(b"\r\n"))) < 998


def test_a_message_has_both_versions_and_says_that_a_machine_sent_it(context, clock):
    clock.set("2026-03-01T09:00:00Z")
    row = queue(
        headers={
            "List-Unsubscribe": "<http://127.0.0.1/u/1>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    )
    message, _ = composed(row)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Date"].datetime.isoformat() == "2026-03-01T09:00:00+00:00"
    assert message["From"].addresses[0].addr_spec == "no-reply@127.0.0.1"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().startswith("Dear you")
    assert "<h1" in rich.get_content()


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("Halden <mail@halden.example>", "mail@halden.example"),
        ("mail@halden.example", "mail@halden.example"),
        ("Halden <nowhere>", "no-reply@127.0.0.1"),
        ("a@b.example, c@d.example", "no-reply@127.0.0.1"),
    ],
)
def test_the_sender_is_a_setting_and_a_wrong_one_is_passed_over(context, given, address):
    with transaction():
        change_setting(SYSTEM, name="mail.from", value=given)
    assert sender().addr_spec == address


@pytest.mark.both_databases
def test_a_suppressed_address_is_noted_and_not_queued(context):
    with transaction():
        suppress("Lin@Club.example", reason="550 no such user")
        suppress("lin@club.example", reason="again")
    assert queue().state == MailState.SUPPRESSED
    with transaction():
        assert lift_suppression("LIN@club.example")
        assert not lift_suppression("lin@club.example")
    assert queue().state == MailState.QUEUED
