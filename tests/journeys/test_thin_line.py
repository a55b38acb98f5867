"""One line through every part: a deal, a repair that gives points, a newsletter, a birthday.

Over HTTP and by the scheduled jobs alone, with real mail files; only the people, the price list
and the club are there before.
"""

import email
import email.policy
import json
import re
from collections.abc import Callable
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from portal.accounts.queries import user_by_email
from tests.factories import clubs, installed_base, newsletters, partners, products, service_jobs
from tests.factories.accounts import actor_of, make_user
from tests.factories.points import make_purchase
from tests.factories.service_jobs import Browser, browser
from tests.pages import part

NOON = "2026-11-19T12:00Z"
DEAL = {
    "customer_name": "Statkraft AS",
    "customer_country": "NO",
    "lines-0-sku": "HX-900",
    "lines-0-quantity": "4",
    "lines-0-amount": "212640.00",
    "currency": "EUR",
    "expected_close_on": "2027-03-31",
    "source": "own",
    "evidence": "Met Kari Berg on 12 November.",
}


@pytest.fixture
def once(runner) -> Callable[..., dict[str, Any]]:
    """Runs a job as the scheduler would, and returns what it says it did."""

    def run(name: str, at: str | None = None) -> dict[str, Any]:
        done = runner.invoke(args=["jobs", "once", name, *(["--at", at] if at else [])])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout.splitlines()[-1])

    return run


def window(app: Flask, address: str) -> Browser:
    """Sign somebody in who is there already."""
    with app.app_context():
        user = user_by_email(address)
        assert user is not None
        return browser(app, actor_of(user))


def outbox(app: Flask) -> list[EmailMessage]:
    """Return the mails that were sent: files in a folder."""
    files = sorted((Path(app.config["DATA_DIR"]) / "outbox").glob("*.eml"))
    return [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files
    ]


def mails_to(app: Flask, address: str) -> list[EmailMessage]:
    return [mail for mail in outbox(app) if address in mail["To"]]


def test_a_deal_from_registration_to_its_end(app, clock, once):
    clock.set(NOON)
    with app.app_context():
        products.price_list()
        people = [partners.north(), partners.harbour(), partners.channel_manager()]
    seller, rival, reviewer = (browser(app, one) for one in people)
    page = seller.post("/deals/new", **DEAL, do="submit").location
    assert "Submitted" in seller.get(page).text

    assert rival.get(page).status_code == 404
    assert "Statkraft" not in rival.get("/deals").text
    assert f'href="{page}"' in reviewer.get("/search?q=Statkraft").text
    assert f'href="{page}"' not in rival.get("/search?q=Statkraft").text
    assert "Statkraft" not in rival.get("/deals?format=csv").text
    assert rival.post(f"{page}/withdraw", page="/deals").status_code == 404

    assert "Statkraft AS" in reviewer.get("/desk/queue").text
    assert seller.post(f"{page}/approve", page="/deals").status_code == 403
    assert reviewer.post(f"{page}/approve", page="/desk/queue").status_code == 303
    assert "protected until 17 February 2027" in seller.get(page).text
    once("mail.send")
    assert any("Approved" in str(mail) for mail in mails_to(app, "sales@north.example"))

    assert once("deals.expire", "2027-02-17T22:59Z")["done"] == 0
    assert "Approved" in seller.get(page).text
    assert once("deals.expire", "2027-02-17T23:00Z")["done"] == 1
    assert once("deals.expire", "2027-02-17T23:15Z")["done"] == 0
    clock.set("2027-02-17T23:20Z")
    assert "Expired" in window(app, "sales@north.example").get(page).text


def test_a_repair_gives_its_owner_points(app, clock, once, runner):
    clock.set(NOON)
    with app.app_context():
        installed_base.spectrometer()
        installed_base.device(owner_email="lin@club.example", owner_name="林晓雯")
        station, rival_station = service_jobs.fixit(), service_jobs.pacific()
        make_user("lin@club.example")
        make_user("marta@club.example")
        club = clubs.make_club()
        clubs.make_lin(club)
        clubs.make_marta(club)
    bench, rival = browser(app, station), browser(app, rival_station)
    page = bench.post(
        "/service-jobs/new",
        serial="HX9-2231-00847",
        problem="Reads 3 nm too high.",
        customer_name="林晓雯",
        customer_email="lin@club.example",
    ).location
    reference = re.search(r"J-\d{4}-\d+", bench.get(page).text)[0]
    assert bench.post(f"{page}/start-repair", page=page).status_code == 303
    ready = {"repair_code": "GRATING", "repair_note": "Re-aligned."}
    assert bench.post(f"{page}/ready", **ready).status_code == 303
    lin = window(app, "lin@club.example")
    assert reference not in lin.get("/club/activity").text
    assert rival.get(page).status_code == 404
    assert bench.post(f"{page}/close", page=page).status_code == 303

    assert once("facts.deliver")["done"] >= 1
    assert part(lin.get("/club"), ".display").text.startswith("150")
    activity = lin.get("/club/activity").text
    assert reference in activity
    assert "Why did I get this" in activity
    assert reference not in window(app, "marta@club.example").get("/club/activity").text

    again = runner.invoke(args=["facts", "replay", "points.award_for_closed_job"])
    assert again.exit_code == 0, again.output
    once("facts.deliver")
    assert part(lin.get("/club"), ".display").text.startswith("150")
    assert lin.get("/club/activity").text.count(reference) == activity.count(reference)
    audit = runner.invoke(args=["points", "audit"])
    assert audit.exit_code == 0


def test_a_newsletter_reaches_those_who_agreed_once(app, clock, once):
    clock.set(NOON)
    with app.app_context():
        maker, second = newsletters.marketing(), newsletters.colleague()
        club = clubs.make_club()
        lin, marta = clubs.make_lin(club), clubs.make_marta(club)
        make_purchase(lin, "1234")
        make_purchase(marta, "56")
        newsletters.agree(lin)
        newsletters.agree(marta)
        clubs.make_member(club, "Never asked", email="never@club.example")
    desk, colleague = browser(app, maker), browser(app, second)
    new = {"club": "circle", "subject": "Winter 冬季", "language": "en"}
    editor = desk.post("/newsletters/new", **new).location
    page = editor.removesuffix("/edit")
    desk.post(editor, subject="Winter 冬季", language="en", count="0", action="add-text")
    blocks = {"block-0-kind": "text", "block-0-text": "Dear {name}, you have {points} points."}
    saved = desk.post(
        editor, subject="Winter 冬季", language="en", count="1", action="save", **blocks
    )
    assert saved.location == page
    assert desk.post(f"{page}/approve", page=page).status_code == 403
    assert desk.post(f"{page}/send", page=page).status_code == 303
    assert "Draft" in desk.get(page).text
    assert colleague.post(f"{page}/approve", page=page).status_code == 303
    assert desk.post(f"{page}/send", page=page).status_code == 303

    for _ in range(2):
        once("newsletters.send")
        once("mail.send")
    found = {mail["To"].addresses[0].addr_spec: mail for mail in outbox(app)}
    assert set(found) == {"lin@club.example", "marta@club.example"}
    assert len(outbox(app)) == 2
    for address, words in (
        ("lin@club.example", "Dear 林晓雯, you have 1,234 points."),
        ("marta@club.example", "Dear Marta Lind, you have 56 points."),
    ):
        mail = found[address]
        assert mail["Subject"] == "Winter 冬季"
        assert words in mail.get_body(("plain",)).get_content()
        assert words in mail.get_body(("html",)).get_content()
    shown = desk.get(page).text
    assert "Sent" in shown
    assert "All copies are in the outbox" in shown

    link = found["lin@club.example"]["List-Unsubscribe"].strip("<>")
    path = link.removeprefix(app.config["BASE_URL"])
    assert path.startswith("/newsletters/unsubscribe/")
    assert app.test_client().get(path).status_code == 200
    assert app.test_client().post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    copy = desk.post("/newsletters/new", **new).location
    desk.post(copy, subject="Next", language="en", count="1", action="save", **blocks)
    following = copy.removesuffix("/edit")
    colleague.post(f"{following}/approve", page=following)
    desk.post(f"{following}/send", page=following)
    once("newsletters.send")
    once("mail.send")
    assert len(mails_to(app, "lin@club.example")) == 1
    assert len(mails_to(app, "marta@club.example")) == 2


def test_a_birthday_gives_points_once(app, clock, once):
    clock.set("2026-11-19T01:00Z")
    with app.app_context():
        make_user("lin@club.example")
        make_user("marta@club.example")
        club = clubs.make_club()
        clubs.make_lin(club, birth_date=date(1990, 11, 20))
        clubs.make_marta(club, birth_date=date(1990, 5, 1))
    assert once("clubs.birthday_gifts", "2026-11-19T12:00Z")["done"] == 0
    clock.set("2026-11-20T09:00Z")
    assert once("clubs.birthday_gifts")["done"] == 1
    for later in ("2026-11-20T10:00Z", "2026-11-21T09:00Z"):
        assert once("clubs.birthday_gifts", later)["done"] == 0
    assert part(window(app, "lin@club.example").get("/club"), ".display").text.startswith("200")
    assert part(window(app, "marta@club.example").get("/club"), ".display").text.startswith("0")
