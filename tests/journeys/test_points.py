"""Members look at their points; staff see a member; nobody else sees anything."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from loyalty.clubs.models import Club, Consent, Member
from loyalty.clubs.numbers import spaced_number
from loyalty.clubs.operations import send_programme
from loyalty.points.operations.auditing import audit_ledger
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from tests.factories.accounts import make_user
from tests.factories.clubs import PROGRAMME, make_club, make_lin, make_marta
from tests.factories.points import make_purchase, make_redemption
from tests.pages import parsed, sign_in

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
STAFF_PAGES = ("/clubs", "/clubs/circle", "/members", "/clubs/circle/members/new", "/ledger")
OWN_PAGES = ("/club", "/club/activity", "/club/card")


@pytest.fixture
def lin(app, clock):
    clock.set(START)
    with app.app_context():
        for email in ("lin@club.example", "marta@club.example", "marketing@vendor.example"):
            make_user(email)
        member = make_lin(make_club())
        make_purchase(member, "120.50", purchase_id="A1")
        return member


class Pages:
    """A browser, signed in as somebody or nobody, that sends a page's hidden fields back."""

    def __init__(self, app, email=None):
        self.client = app.test_client()
        if email:
            assert sign_in(self.client, email).status_code == 303

    def get(self, path):
        return self.client.get(path)

    def post(self, path, fields, page=None):
        tree = parsed(self.client.get(page or path))
        hidden = tree.select("form[method=post] [type=hidden]")
        sent = {one["name"]: one.get("value", "") for one in hidden}
        for one in tree.select("form[method=post] select"):
            chosen = one.select_one("[selected]")
            sent[one["name"]] = chosen["value"] if chosen else ""
        token = tree.select_one("meta[name=csrf-token]")["content"]
        return self.client.post(path, data=sent | {"csrf_token": token} | fields)


def pages(app, email):
    return Pages(app, email)


def test_a_member_sees_points_card_and_why(app, lin, clock):
    lins = pages(app, "lin@club.example")
    answer = lins.get("/club")
    assert answer.status_code == 200
    for words in ("林晓雯, you have", "120", spaced_number(lin.number), "1 March 2027"):
        assert words in answer.text
    assert "Purchase A1" in answer.text
    assert "1 for every 1.00 of 120.50 paid" in answer.text
    assert "points end on" not in answer.text
    with app.app_context():
        clock.set(datetime(2027, 2, 10, 9, tzinfo=UTC))
        make_redemption(lin, 100, reason="Coffee set")
    lins = pages(app, "lin@club.example")
    text = lins.get("/club").text
    assert "20 points end on" in text
    assert "Coffee set" in text
    assert "−100" in text
    assert "Coffee set" in lins.get("/club/activity").text
    assert spaced_number(lin.number) in lins.get("/club/card").text


def test_activity_goes_on_over_pages(app, lin, clock):
    with app.app_context():
        for number in range(35):
            clock.set(START + timedelta(minutes=number + 1))
            make_purchase(lin, "10", purchase_id=f"B{number:02}")
    lins = pages(app, "lin@club.example")
    first = lins.get("/club/activity").text
    assert "B34" in first
    assert "B04" not in first
    address = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = lins.get(address).text
    assert "B04" in second
    assert "A1" in second
    assert "B05" not in second
    assert lins.get("/club/activity?after=nonsense").status_code == 404


def test_one_in_two_clubs_sees_each(app, lin):
    with app.app_context():
        other = make_club("river", name="River Club")
        make_lin(other)
    lins = pages(app, "lin@club.example")
    assert "River Club" in lins.get("/club").text
    assert "Purchase A1" not in lins.get("/club?club=river").text
    assert "Purchase A1" in lins.get("/club?club=unknown").text


def test_a_member_without_a_club_is_told_what_to_do(app, lin):
    with app.app_context():
        make_user("marta@else.example", name="M", roles=[Role.MEMBER])
    martas = pages(app, "marta@else.example")
    for path in OWN_PAGES:
        assert "You are in no club yet" in martas.get(path).text


def test_nobody_sees_anothers_points(app, lin):
    with app.app_context():
        make_marta(db.session.scalars(sa.select(Club)).one())
        make_user("channel@vendor.example")
    martas = pages(app, "marta@club.example")
    for path in OWN_PAGES:
        answer = martas.get(path)
        assert answer.status_code == 200
        assert lin.number not in answer.text.replace(" ", "")
        assert "A1" not in answer.text
    for person in ("marta@club.example", "lin@club.example", "channel@vendor.example"):
        browser = pages(app, person)
        for path in (*STAFF_PAGES, f"/members/{lin.number}", f"/members/{lin.number}/edit"):
            assert browser.get(path).status_code == 403, (person, path)
    nobody = Pages(app)
    for path in (*STAFF_PAGES, *OWN_PAGES, f"/members/{lin.number}"):
        assert nobody.get(path).status_code == 303, path


def test_staff_see_a_member_with_everything(app, lin):
    marketing = pages(app, "marketing@vendor.example")
    text = marketing.get(f"/members/{lin.number}").text
    for words in ("林晓雯", "lin@club.example", "Purchase A1", "120.5", "enrolled the member"):
        assert words in text
    slip = lin.number[:-1] + str((int(lin.number[-1]) + 1) % 10)
    assert marketing.get(f"/members/{slip}").status_code == 404
    listed = marketing.get("/members").text
    assert f"/members/{lin.number}" in listed
    assert "lin@club.example" in listed
    found = marketing.get(f"/search?q={spaced_number(lin.number)}")
    assert f"/members/{lin.number}" in found.text
    for path in STAFF_PAGES:
        assert marketing.get(path).status_code == 200, path


def test_staff_enrol_change_and_note_consent(app, lin):
    marketing = pages(app, "marketing@vendor.example")
    fields = {"name": "Marta Lind", "email": "marta@club.example", "birth_date": "1990-02-29"}
    wrong = marketing.post("/clubs/circle/members/new", fields)
    assert wrong.status_code == 422
    assert "Marta Lind" in wrong.text
    fields |= {"birth_date": "1992-02-29", "marketing": "y"}
    made = marketing.post("/clubs/circle/members/new", fields)
    assert made.status_code == 303
    address = made.headers["Location"]
    assert marketing.post("/clubs/circle/members/new", fields).headers["Location"] == address
    changed = marketing.post(f"{address}/edit", fields | {"name": "Marta L."})
    assert changed.status_code == 303
    taken = marketing.post(f"{address}/edit", fields | {"email": "LIN@club.example"})
    assert taken.status_code == 422
    assert "Another member has this address." in taken.text
    assert marketing.post(f"{address}/consent", {"granted": "no"}, page=address).status_code == 303
    with app.app_context():
        marta = db.session.scalars(sa.select(Member).where(Member.name == "Marta L.")).one()
        said = db.session.scalars(
            sa.select(Consent.granted).where(Consent.member_id == marta.id).order_by(Consent.id)
        )
        assert list(said) == [True, False]
        assert marta.user_id is not None


def test_an_administrator_makes_a_club_and_another_person_approves(app, lin):
    with app.app_context():
        make_user("admin@vendor.example")
    admin = pages(app, "admin@vendor.example")
    fields = {
        "name": "River Club",
        "code": "river",
        "currency": "EUR",
        "timezone": "Europe/Oslo",
        "points_name": "drops",
        "programme_approval": "y",
    }
    assert admin.post("/clubs/new", fields).status_code == 303
    refused = admin.post("/clubs/new", fields)
    assert refused.status_code == 422
    assert "There is a club with this code already." in refused.text
    with app.app_context(), transaction():
        club = db.session.scalars(sa.select(Club).where(Club.code == "river")).one()
        send_programme(SYSTEM, club=club, document=PROGRAMME)
    assert "Waits for approval" in admin.get("/clubs/river").text
    done = admin.post("/clubs/river/programme/1/approve", {}, page="/clubs/river")
    assert done.status_code == 303
    assert "Published" in admin.get("/clubs/river").text
    again = admin.post("/clubs/river/programme/1/approve", {}, page="/clubs/river")
    assert again.status_code == 303
    marketing = pages(app, "marketing@vendor.example")
    assert marketing.get("/clubs/new").status_code == 403


def test_the_ledger_page_says_what_was_found(app, lin):
    marketing = pages(app, "marketing@vendor.example")
    assert "Not checked yet" in marketing.get("/ledger").text
    with app.app_context(), transaction():
        audit_ledger(SYSTEM)
    assert "The books agree" in marketing.get("/ledger").text
    with app.app_context(), transaction() as session:
        session.execute(sa.text("UPDATE point_lots SET remaining = 7"))
        audit_ledger(SYSTEM)
    assert "The books do not agree" in marketing.get("/ledger").text


def test_pages_ask_no_query_for_each_row(app, lin, clock):
    def reads(person, path):
        sent = []
        browser = pages(app, person)
        with app.app_context():
            engine = db.engine

        def note(_connection, _cursor, statement, *_):
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert browser.get(path).status_code == 200
        event.remove(engine, "before_cursor_execute", note)
        return len(sent)

    paths = [
        ("lin@club.example", "/club"),
        ("lin@club.example", "/club/activity"),
        ("marketing@vendor.example", f"/members/{lin.number}"),
        ("marketing@vendor.example", "/members"),
    ]
    before = [reads(*one) for one in paths]
    with app.app_context():
        club = db.session.scalars(sa.select(Club)).one()
        make_marta(club)
        for number in range(10):
            clock.set(START + timedelta(days=number + 1))
            make_purchase(lin, "10")
    assert [reads(*one) for one in paths] == before
