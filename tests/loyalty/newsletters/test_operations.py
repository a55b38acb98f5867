"""From the draft to the last copy in the outbox."""

import pytest
import sqlalchemy as sa

from loyalty.newsletters import operations, policy, queries
from loyalty.newsletters.jobs import send_newsletters
from loyalty.newsletters.mails import member_id_of, unsubscribe_token
from loyalty.newsletters.models import Newsletter, NewsletterState
from portal.foundation.actors import ANONYMOUS, SYSTEM
from portal.foundation.clock import now
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from portal.foundation.jobs.registry import Run
from portal.foundation.mail.models import MailMessage
from portal.foundation.mail.operations import suppress
from tests.factories import newsletters as factory
from tests.factories.clubs import make_club, make_lin, make_marta, make_member
from tests.factories.points import make_purchase

pytestmark = pytest.mark.usefixtures("context")


def send_all() -> Run:
    run = Run(at=now())
    send_newsletters(run)
    return run


def mails() -> list[MailMessage]:
    return list(db.session.scalars(sa.select(MailMessage).order_by(MailMessage.to_address)))


def test_each_agreeing_member_gets_one_mail_with_name_and_balance():
    club = make_club()
    lin, marta = factory.agree(make_lin(club)), factory.agree(make_marta(club))
    make_purchase(lin, "1234")
    make_member(club, "Never asked", email="never@club.example")
    factory.agree(make_member(club, "No address"))
    newsletter = factory.being_sent(club)
    assert send_all().done == 2
    first, second = mails()
    assert (first.to_address, second.to_address) == ("lin@club.example", "marta@club.example")
    assert first.subject == "Winter checks"
    for part in (first.text, first.html):
        assert "林晓雯" in part
        assert "1,234" in part
        assert "冬季保养" in part
    assert "Marta Lind" in second.text
    assert "1,234" not in second.text + second.html
    assert "{name}" not in first.text + first.html
    link = first.headers["List-Unsubscribe"].strip("<>")
    assert first.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in first.text
    assert link in first.html
    assert member_id_of(link.rpartition("/")[2]) == lin.id
    assert (
        member_id_of(second.headers["List-Unsubscribe"].strip("<>").rpartition("/")[2]) == marta.id
    )
    assert newsletter.state is NewsletterState.SENT
    assert queries.counts(newsletter)["queued"] == 2


def test_the_newest_word_counts():
    club = make_club()
    back = factory.agree(make_member(club, "Back", email="back@club.example"))
    factory.agree(factory.agree(back, granted=False))
    away = factory.agree(make_member(club, "Away", email="away@club.example"))
    factory.agree(away, granted=False)
    newsletter = factory.draft(club)
    assert list(db.session.scalars(queries.audience(newsletter))) == [back.id]


def test_another_clubs_members_get_nothing():
    club, river = make_club(), make_club("river", name="River Club")
    factory.agree(make_lin(club))
    factory.agree(make_marta(river))
    factory.being_sent(club)
    send_all()
    assert [mail.to_address for mail in mails()] == ["lin@club.example"]


def test_one_who_unsubscribes_meanwhile_is_skipped():
    club = make_club()
    lin, _marta = factory.agree(make_lin(club)), factory.agree(make_marta(club))
    newsletter = factory.being_sent(club)
    with transaction():
        operations.unsubscribe(lin)
    send_all()
    assert [mail.to_address for mail in mails()] == ["marta@club.example"]
    counts = queries.counts(newsletter)
    assert (counts["queued"], counts["skipped"], sum(counts.values())) == (1, 1, 2)


def test_addresses_that_are_none_and_suppressed_ones_count_as_skipped():
    club = make_club()
    factory.agree(make_member(club, "Odd", email="odd@"))
    factory.agree(make_lin(club))
    with transaction():
        suppress("lin@club.example", reason="complained")
    newsletter = factory.being_sent(club)
    send_all()
    counts = queries.counts(newsletter)
    assert (counts["skipped"], counts["queued"]) == (2, 0)


def test_it_can_be_for_named_members_alone():
    club = make_club()
    lin = factory.agree(make_lin(club))
    factory.agree(make_marta(club))
    shy = make_member(club, "Shy", email="shy@club.example", external_id="shy")
    newsletter = factory.draft(club, members=[lin.number, "lin", "shy"])
    assert newsletter.audience == {"members": sorted([lin.id, shy.id])}
    assert queries.audience_size(newsletter) == 1
    with pytest.raises(Refused) as refusal, transaction():
        operations.create_newsletter(SYSTEM, club=club, subject="X", members=["lin", "nobody"])
    assert (refusal.value.code, refusal.value.field) == ("member_unknown", "audience")


def test_a_name_cannot_stand_for_other_words():
    club = make_club()
    name = '<b>{points}</b> & "x"'
    factory.agree(make_member(club, name, email="odd@club.example"))
    blocks = [{"kind": "text", "text": "Dear {name}"}]
    factory.being_sent(club, blocks=blocks)
    send_all()
    mail = mails()[0]
    assert f"Dear {name}" in mail.text
    assert "Dear &lt;b&gt;{points}&lt;/b&gt; &amp; &quot;x&quot;" in mail.html


def test_hostile_blocks_are_escaped_in_mail():
    club = make_club()
    factory.agree(make_lin(club))
    blocks = [
        {"kind": "heading", "text": "<script>alert(1)</script>"},
        {"kind": "text", "text": "{{ config }} {% raw %} <img src=x onerror=1>"},
        {"kind": "button", "text": "<i>", "url": "https://vendor.example/?q=%22'&b=2"},
        {"kind": "balance", "text": "</table>"},
    ]
    factory.being_sent(club, subject='<b>"Win"</b>', blocks=blocks)
    send_all()
    page = mails()[0].html
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "<i>" not in page
    assert page.count("</table>") == 1
    assert "{{ config }} {% raw %}" in page


def test_what_is_unfinished_is_not_approved():
    newsletter = factory.draft(make_club(), blocks=[{"kind": "button", "text": "Go"}])
    with pytest.raises(Refused) as refusal, transaction():
        operations.approve_newsletter(SYSTEM, newsletter)
    assert refusal.value.code == "gate_not_met"
    assert refusal.value.extra["missing"] == ["Block 1 is not filled in."]
    assert db.session.get_one(Newsletter, newsletter.id).state is NewsletterState.DRAFT


def test_steps_out_of_their_order_are_refused():
    club = make_club()
    factory.agree(make_lin(club))
    newsletter = factory.draft(club)

    def refused(step) -> None:
        with pytest.raises(WrongState), transaction():
            step(SYSTEM, newsletter)

    refused(operations.send_newsletter)
    with transaction():
        operations.approve_newsletter(SYSTEM, newsletter)
    refused(operations.approve_newsletter)
    with pytest.raises(WrongState), transaction():
        operations.change_newsletter(SYSTEM, newsletter, subject="Other", language="en", blocks=[])
    with transaction():
        assert operations.send_newsletter(SYSTEM, newsletter) == 1
    refused(operations.send_newsletter)
    send_all()
    refused(operations.cancel_newsletter)


def test_nobody_to_send_to_is_said():
    newsletter = factory.approved(make_club())
    with pytest.raises(Refused, match="has agreed"), transaction():
        operations.send_newsletter(SYSTEM, newsletter)
    assert db.session.get_one(Newsletter, newsletter.id).state is NewsletterState.APPROVED


def test_a_cancelled_one_stops(monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 2)
    club = make_club()
    factory.willing(club, 3)
    newsletter = factory.being_sent(club)
    with transaction():
        assert operations.mail_next_copies(SYSTEM, newsletter_id=newsletter.id) == 2
        operations.cancel_newsletter(SYSTEM, newsletter)
    assert send_all().done == 0
    assert len(mails()) == 2
    assert queries.counts(newsletter)["skipped"] == 1


def test_one_that_cannot_be_written_stops_no_other(monkeypatch):
    club = make_club()
    factory.agree(make_lin(club))
    broken, sound = factory.being_sent(club), factory.being_sent(club)
    whole = operations.mails.write_edition

    def write(newsletter, of_club):
        if newsletter.id == broken.id:
            raise LookupError("no template")
        return whole(newsletter, of_club)

    monkeypatch.setattr(operations.mails, "write_edition", write)
    run = send_all()
    assert (run.done, run.failed) == (1, 1)
    assert db.session.get_one(Newsletter, sound.id).state is NewsletterState.SENT
    assert db.session.get_one(Newsletter, broken.id).state is NewsletterState.SENDING


def test_a_picture_that_is_not_there_is_refused():
    with pytest.raises(Refused, match="upload it again"), transaction():
        blocks = [{"kind": "picture", "file_id": 4711, "alt": "A probe"}]
        operations.create_newsletter(SYSTEM, club=make_club(), subject="X", blocks=blocks)


def test_neither_its_maker_nor_who_changed_it_last_approves():
    maker, other = factory.marketing(), factory.colleague()
    newsletter = factory.draft(make_club(), maker)
    assert not policy.may_approve(maker, newsletter)
    assert policy.may_approve(other, newsletter)
    with transaction():
        operations.change_newsletter(
            other, newsletter, subject="Mine", language="en", blocks=factory.BLOCKS
        )
    assert not policy.may_approve(maker, newsletter)
    assert not policy.may_approve(other, newsletter)
    assert not policy.may_approve(ANONYMOUS, newsletter)


@pytest.mark.parametrize("language", ["tlh", "", "en; DROP TABLE"])
def test_an_unknown_language_is_refused(language):
    with pytest.raises(Refused), transaction():
        operations.create_newsletter(SYSTEM, club=make_club(), subject="X", language=language)


def test_a_forged_link_names_nobody():
    token = unsubscribe_token(7)
    assert member_id_of(token) == 7
    for forged in (token[:-1], token + "x", "8" + token[1:], "", "Nw", "é", token.replace(".", "")):
        assert member_id_of(forged) is None
