"""Leaving the newsletters: by the page's button, by one click, never by looking."""

import pytest

from loyalty.clubs.models import Channel, Member, Purpose
from loyalty.clubs.queries import agrees
from loyalty.newsletters import mails
from portal.foundation.database import db
from tests.factories import newsletters as factory
from tests.factories.clubs import make_club, make_lin
from tests.pages import part


@pytest.fixture
def lin(app) -> int:
    """Lin, who agreed."""
    with app.app_context():
        return factory.agree(make_lin(make_club())).id


def link_of(app, member_id: int) -> str:
    with app.app_context():
        return f"/newsletters/unsubscribe/{mails.unsubscribe_token(member_id)}"


def does_agree(app, member_id: int) -> bool:
    with app.app_context():
        member = db.session.get_one(Member, member_id)
        return agrees(member, Purpose.MARKETING, Channel.EMAIL)


def test_looking_at_the_link_changes_nothing_the_button_does(app, lin):
    link = link_of(app, lin)
    reader = app.test_client()
    page = reader.get(link)
    assert "No more newsletters?" in page.text
    assert does_agree(app, lin)
    form = part(page, "main form")
    token = form.select_one("[name=csrf_token]")["value"]
    done = reader.post(link, data={"csrf_token": token})
    assert "You get no more newsletters" in done.text
    assert not does_agree(app, lin)
    assert reader.post(link, data={"csrf_token": token}).status_code == 200
    assert reader.head(link).status_code == 200


def test_one_click_of_a_mail_program(app, lin):
    link = link_of(app, lin)
    body = {"List-Unsubscribe": "One-Click"}
    answer = app.test_client().post(link, data=body)
    assert answer.status_code == 200
    assert not does_agree(app, lin)


def test_forged_and_stale_links_are_404(app, lin):
    link = link_of(app, lin)
    with app.app_context():
        gone = mails.unsubscribe_token(999_999)
    forged = [link + "x", link[:-2], link.replace(".", ""), f"/newsletters/unsubscribe/{gone}"]
    forged += ["/newsletters/unsubscribe/Nw", "/newsletters/unsubscribe/%00", link + "%00"]
    for path in forged:
        client = app.test_client()
        assert client.get(path).status_code in {400, 404}, path
        assert client.post(path).status_code in {400, 404}, path
    assert does_agree(app, lin)
