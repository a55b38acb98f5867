"""Sending mail: to a server on this machine, which answers what each test wants."""

import json
import ssl
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from portal.foundation import clock as foundation_clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.files.operations import store_document
from portal.foundation.jobs.registry import JOBS, Run
from portal.foundation.mail import leases, sending
from portal.foundation.mail.leases import claim_batch
from portal.foundation.mail.models import MailMessage, MailState, MailSuppression
from portal.foundation.mail.operations import queue_mail, suppress
from tests.portal.foundation.mailing import (
    CERTIFICATE,
    CUT,
    Postbox,
    free_port,
    mail_server,
    mail_templates,
)
from tests.waiting import wait_until

A, B, C = "a@club.example", "b@club.example", "c@club.example"


@pytest.fixture(autouse=True)
def _fresh(app, monkeypatch):
    monkeypatch.setattr(sending, "_process", sending._Process())
    with mail_templates(app):
        yield


@pytest.fixture
def postbox():
    return Postbox()


@pytest.fixture
def server(app, postbox, monkeypatch):
    with mail_server(postbox, free_port()) as url:
        monkeypatch.setitem(app.config, "MAIL_URL", url)
        yield url


def queue(*addresses, **more):
    with transaction():
        return [queue_mail("tests/hello", to=(a, ""), who=a, **more) for a in addresses]


def send() -> Run:
    db.session.expire_all()
    run = Run(at=foundation_clock.now())
    JOBS["mail.send"].function(run)
    return run


def states():
    db.session.expire_all()
    rows = db.session.execute(sa.select(MailMessage.to_address, MailMessage.state))
    return {address: str(state) for address, state in rows}


def stopped():
    return set(db.session.scalars(sa.select(MailSuppression.address)))


def lapse():
    """Let every lease run out, as when its process died."""
    with transaction() as session:
        past = foundation_clock.machine_now() - timedelta(seconds=1)
        session.execute(sa.update(MailMessage).values(lease_until=past))


@pytest.mark.smtp
@pytest.mark.both_databases
def test_waiting_mail_goes_over_one_connection(context, server, postbox):
    queue(A, B, C)
    run = send()
    assert (run.done, run.failed) == (3, 0)
    assert sorted(postbox.recipients) == [A, B, C]
    assert len(set(postbox.peers)) == 1
    assert set(states().values()) == {"handed_over"}
    assert send().done == 0
    assert len(postbox.messages) == 3


@pytest.mark.smtp
def test_many_batches_go_over_one_connection_within_a_run(context, server, postbox, monkeypatch):
    monkeypatch.setattr(leases, "BATCH", 3)
    queue(*(f"m{n}@club.example" for n in range(8)))
    assert send().done == 8
    assert len(set(postbox.peers)) == 1
    queue(*(f"n{n}@club.example" for n in range(8)))
    monkeypatch.setattr(sending, "LONGEST_RUN", 0.0)
    assert send().done == 3


def test_once_by_name_empties_the_outbox(app, context, runner, monkeypatch):
    monkeypatch.setattr(leases, "BATCH", 3)
    monkeypatch.setattr(sending, "LONGEST_RUN", 0.0)
    queue(*(f"m{n}@club.example" for n in range(8)))
    answer = runner.invoke(args=["jobs", "once", "mail.send"])
    assert json.loads(answer.stdout)["done"] == 8


@pytest.mark.smtp
def test_pages_do_not_wait_for_the_server(context, server, postbox):
    queue(A)
    assert postbox.messages == []


@pytest.mark.smtp
@pytest.mark.parametrize("stage", ["at_recipient", "at_data"])
def test_a_4xx_is_tried_again_with_the_same_id_and_holds_up_nobody(
    context, server, postbox, clock, stage
):
    clock.set("2026-03-01T09:00Z")
    getattr(postbox, stage)[A] = ["451 later", "451 still later"]
    queue(A, B)
    run = send()
    assert (run.done, run.failed) == (1, 1)
    assert states() == {A: "queued", B: "handed_over"}
    assert send().failed == 0
    clock.advance(minutes=1)
    assert send().failed == 1
    clock.advance(minutes=1)
    assert send().done == 0
    clock.advance(minutes=1)
    assert send().done == 1
    assert states()[A] == "handed_over"
    assert stopped() == set()
    ids = [m["Message-ID"] for m in postbox.messages if m["To"] == A]
    assert len(set(ids)) == 1


@pytest.mark.smtp
def test_a_message_is_given_up_after_four_days(context, server, postbox, clock):
    clock.set("2026-03-01T09:00Z")
    postbox.at_recipient[A] = ["451 later"] * 100
    queue(A)
    tries = 0
    while states()[A] == "queued":
        tries += send().failed
        clock.advance(hours=1)
    assert foundation_clock.now().isoformat().startswith("2026-03-05")
    assert 24 <= tries <= 40
    assert stopped() == set()


@pytest.mark.smtp
@pytest.mark.both_databases
@pytest.mark.parametrize("stage", ["at_recipient", "at_data"])
def test_a_5xx_fails_the_message_and_stops_the_address(context, server, postbox, stage):
    getattr(postbox, stage)[A] = ["550 5.1.1 no such user"]
    queue(A, B)
    run = send()
    assert (run.done, run.failed) == (1, 1)
    assert states() == {A: "failed", B: "handed_over"}
    assert stopped() == {A}
    assert queue(A)[0].state == MailState.SUPPRESSED
    assert send().done == 0


@pytest.mark.smtp
def test_a_5xx_about_the_message_stops_no_address(context, server, postbox):
    postbox.at_data[A] = ["554 5.7.1 looks like spam"]
    queue(A)
    send()
    assert states() == {A: "failed"}
    assert stopped() == set()


@pytest.mark.smtp
@pytest.mark.both_databases
def test_an_address_suppressed_after_queueing_gets_nothing(context, server, postbox):
    queue(A, B)
    with transaction():
        suppress(A.upper(), reason="complained")
    assert send().done == 1
    assert states() == {A: "suppressed", B: "handed_over"}
    assert postbox.recipients == [B]


@pytest.mark.smtp
def test_a_connection_cut_before_the_250_is_tried_again_with_the_same_id(
    context, server, postbox, clock
):
    clock.set("2026-03-01T09:00Z")
    postbox.at_data[A] = [CUT]
    queue(A, B)
    run = send()
    assert (run.done, run.failed) == (1, 1)
    assert states() == {A: "queued", B: "handed_over"}
    clock.advance(minutes=2)
    assert send().done == 1
    first, second = (m["Message-ID"] for m in postbox.messages if m["To"] == A)
    assert first == second


@pytest.mark.smtp
@pytest.mark.both_databases
def test_mail_of_a_process_that_died_is_sent_by_the_next_with_the_same_id(context, server, postbox):
    [row] = queue(A)
    claim = claim_batch()
    assert claim is not None
    assert claim_batch() is None
    assert send().done == 0
    lapse()
    assert send().done == 1
    assert [m["Message-ID"] for m in postbox.messages] == [f"<{row.message_id}>"]


@pytest.mark.smtp
def test_nobody_gets_it_twice_when_the_database_failed_after_the_250(
    context, server, postbox, monkeypatch
):
    queue(A)
    mark = sending._mark_handed_over

    def fail_once() -> None:
        if sending._process.unmarked:
            monkeypatch.setattr(sending, "_mark_handed_over", mark)
            raise sa.exc.OperationalError("update", {}, Exception("gone"))

    monkeypatch.setattr(sending, "_mark_handed_over", fail_once)
    assert send().done == 1
    assert states() == {A: "leased"}
    lapse()
    assert send().done == 0
    assert states() == {A: "handed_over"}
    assert len(postbox.messages) == 1


@pytest.mark.smtp
def test_a_lease_is_renewed_while_its_process_sends(context, server, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    [row] = queue(A)
    claim = claim_batch()
    assert claim is not None
    first = claim.until
    with claim.kept():
        wait_until(lambda: claim.until > first, "the lease is renewed")
    db.session.expire_all()
    assert db.session.get_one(MailMessage, row.id).lease_until == claim.until


@pytest.mark.smtp
def test_a_lost_lease_is_not_written_over(context, server, clock):
    [row] = queue(A)
    claim = claim_batch()
    assert claim is not None
    lapse()
    other = claim_batch()
    assert other is not None
    with transaction():
        assert not claim.change(row, state=MailState.FAILED)
    assert states() == {A: "leased"}


@pytest.mark.smtp
def test_messages_that_a_lease_may_not_last_for_are_given_back(
    context, server, postbox, monkeypatch
):
    queue(A, B)
    monkeypatch.setattr(leases.Claim, "holds", lambda _claim: False)
    assert send().done == 0
    assert states() == {A: "queued", B: "queued"}
    assert set(db.session.scalars(sa.select(MailMessage.attempts))) == {0}


@pytest.mark.smtp
def test_without_a_server_mail_waits_and_connections_are_not_hammered(app, context, clock):
    clock.set("2026-03-01T09:00Z")
    port = free_port()
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{port}"
    try:
        queue(A, B)
        assert send().failed == 1
        assert states() == {A: "queued", B: "queued"}
        clock.advance(hours=1)
        assert send().failed == 0
        sending._process.recover()
        postbox = Postbox()
        with mail_server(postbox, port):
            assert send().done == 2
    finally:
        app.config["MAIL_URL"] = "file:"


@pytest.mark.smtp
@pytest.mark.parametrize(("password", "done"), [("p%40ss%3Aw%2Frd", 1), ("wrong", 0)])
def test_user_and_password_come_from_the_address(
    app, context, server, postbox, monkeypatch, password, done
):
    port = urlsplit(server).port
    url = f"smtp://mail%40halden.example:{password}@127.0.0.1:{port}"
    monkeypatch.setitem(app.config, "MAIL_URL", url)
    queue(A)
    assert send().done == done
    assert set(postbox.users) == {"mail@halden.example"}
    assert states() == {A: "handed_over" if done else "queued"}


@pytest.mark.smtp
def test_an_address_in_other_letters_fails_where_the_server_cannot_take_it(
    context, server, postbox
):
    queue("björn@club.example")
    assert send().failed == 1
    assert states() == {"björn@club.example": "failed"}
    assert stopped() == set()


@pytest.mark.smtp
def test_stored_files_travel_along(context, server, postbox):
    with transaction():
        file = store_document(
            SYSTEM,
            b"%PDF-1.7 x",
            name="Träff 林.pdf",
            media_type="application/pdf",
            purpose="tests",
        )
    queue(A, attachments=[file.id])
    assert send().done == 1
    [part] = postbox.messages[0].iter_attachments()
    assert part.get_filename() == "Träff 林.pdf"
    assert part.get_content() == b"%PDF-1.7 x"


@pytest.mark.smtp
@pytest.mark.parametrize(("trusted", "done"), [(True, 1), (False, 0)])
def test_tls_is_used_where_offered_and_certificates_are_verified(
    app, context, postbox, monkeypatch, trusted, done
):
    verifying = ssl.create_default_context(cafile=str(CERTIFICATE) if trusted else None)
    monkeypatch.setattr("ssl.create_default_context", lambda: verifying)
    with mail_server(postbox, free_port(), tls=True) as url:
        monkeypatch.setitem(app.config, "MAIL_URL", url)
        queue(A)
        assert send().done == done
    assert len(postbox.messages) == done
    assert postbox.encrypted == [True] * done


@pytest.mark.both_databases
def test_without_a_server_each_message_becomes_a_file(app, context):
    [row, _] = queue(A, B)
    assert send().done == 2
    outbox = Path(app.config["DATA_DIR"]) / "outbox"
    assert len(list(outbox.iterdir())) == 2
    written = (outbox / f"{row.message_id.split('@')[0]}.eml").read_bytes()
    message = message_from_bytes(written, policy=default)
    assert message["Message-ID"] == f"<{row.message_id}>"
    assert message["To"] == A


def test_a_message_filed_twice_is_one_file(app, context):
    queue(A)
    assert send().done == 1
    with transaction() as session:
        session.execute(sa.update(MailMessage).values(state=MailState.QUEUED))
    assert send().done == 1
    outbox = Path(app.config["DATA_DIR"]) / "outbox"
    assert len(list(outbox.iterdir())) == 1


def test_a_folder_that_cannot_be_written_keeps_mail_waiting(app, context, monkeypatch):
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    queue(A)
    monkeypatch.setattr("os.fsync", full)
    assert send().failed == 1
    monkeypatch.undo()
    outbox = Path(app.config["DATA_DIR"]) / "outbox"
    assert list(outbox.iterdir()) == []
    assert states() == {A: "queued"}
