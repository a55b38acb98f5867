"""Nobody reaches what is another's: every route, as everybody who should see none of it."""

import io
import re
import zipfile
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.accounts.models import User
from portal.foundation.database import db
from portal.foundation.web.policies import OPEN_WHILE_VIEWING, policy_of
from portal.partners.models import Partner
from tests.factories import targets
from tests.factories.accounts import make_token
from tests.factories.partners import suspend
from tests.factories.targets import WORD, Target
from tests.pages import csrf_token, post, sign_in

WALKERS = [
    "rival", "technician", "technician of the rival", "member", "suspended", "without a partner",
]  # fmt: skip
REFUSED = {401, 403, 404, 405}
# Open to everybody who is signed in; what they show is the reader's own.
ANYBODYS = {
    "accounts.change_email", "accounts.change_password", "accounts.confirm_enrolment",
    "accounts.devices", "accounts.end_other_devices", "accounts.enrol", "accounts.profile",
    "accounts.renew_codes", "accounts.second_factor", "accounts.security", "accounts.stop_viewing",
    "accounts.tokens", "accounts.turn_off_second_factor", "saved_views.save", "search.index",
}  # fmt: skip
SELLERS = {
    "deals.index", "deals.new", "api_deals.deals", "api_deals.register", "api_partners.partners",
    "api_products.products",
}  # fmt: skip
# Any partner may mend, so any may ask for a device by its serial number; its owner stays masked.
MENDERS = {
    "service_jobs.bench", "service_jobs.board", "service_jobs.device", "service_jobs.index",
    "service_jobs.new", "api_service_jobs.list_jobs", "api_service_jobs.receive_job",
    "installed_base.show", "api_installed_base.show_device", "api_partners.partners",
    "api_products.products",
}  # fmt: skip
MEMBERS = {"points.home_page", "points.activity", "points.card", "api_clubs.list_clubs"}
OWN = {
    "rival": ANYBODYS | SELLERS | MENDERS,
    "technician": ANYBODYS | MENDERS,
    "technician of the rival": ANYBODYS | MENDERS,
    "member": ANYBODYS | MEMBERS,
    "suspended": ANYBODYS,
    "without a partner": ANYBODYS,
}
# What each call needs to get as far as looking for the thing.
BODIES: dict[str, Any] = {
    "api_deals.return_": {"reason": "x"},
    "api_deals.reject": {"reason": "x"},
    "api_service_jobs.cancel": {"reason": "x"},
    "api_service_jobs.unrepairable": {"reason": "x"},
    "api_points.redeem_points": {"points": 1},
}
FORM = {"reason": "x", "body": "x", "name": "x", "granted": "no", "version": "1"}


@pytest.fixture
def target(app) -> Target:
    return targets.make(app)


@pytest.fixture
def rivals(app, target) -> dict[str, str]:
    return targets.rivals(app)


def routes(app: Flask) -> list[tuple[Rule, str]]:
    """Return every route with each of its methods; signing out comes in tests of its own."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if rule.endpoint != "accounts.sign_out"
    ]


def addresses(app: Flask, rule: Rule, target: Target) -> list[str]:
    """Return the rule's addresses of somebody else's things, one for each step it names."""
    steps = re.search(r"<any\(([^)]*)\):(\w+)>", rule.rule)
    values = {
        name: target.of(rule, name) for name in rule.arguments if steps is None or name != steps[2]
    }
    choices = [{steps[2]: one.strip()} for one in steps[1].split(",")] if steps else [{}]
    adapter = app.url_map.bind("localhost")
    return [adapter.build(rule.endpoint, values | choice) for choice in choices]


def holds(answer: TestResponse, word: str) -> bool:
    """Return whether an answer says a word, in its head, its body or the parts of a workbook."""
    data = answer.get_data()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"".join(book.read(name) for name in book.namelist())
    return word.lower() in str(answer.headers).lower() or word.lower().encode() in data.lower()


def leads_to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and answer.headers["Location"].startswith("/login")


class Walker:
    """Somebody's browser and API client."""

    def __init__(self, app: Flask, email: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers: dict[str, str] = {}
        if email is None:
            self.csrf = csrf_token(self.client)
            return
        assert sign_in(self.client, email).status_code == 303
        self.csrf = csrf_token(self.client, "/profile")
        with app.app_context():
            user = db.session.query(User).filter_by(email=email).one()
            self.headers = {"Authorization": f"Bearer {make_token(user)}"}

    def send(self, method: str, path: str, rule: Rule) -> TestResponse:
        """Send a request to a page or the API, a form or a body with it."""
        if rule.rule.startswith("/api/"):
            options: dict[str, Any] = {"headers": self.headers | {"Idempotency-Key": path}}
            if method in {"POST", "PUT"}:
                options["json"] = BODIES.get(rule.endpoint, {})
            return self.client.open(path, method=method, **options)
        data = FORM | {"csrf_token": self.csrf} if method == "POST" else None
        return self.client.open(path, method=method, data=data)


@pytest.mark.parametrize("who", WALKERS)
def test_nobody_reaches_what_is_anothers(app, target, rivals, who: str):
    before = targets.rows(app, besides=rivals[who])
    walker = Walker(app, rivals[who])
    wrong = []
    for rule, method in routes(app):
        is_public = policy_of(app.view_functions[rule.endpoint]) == "public"
        for path in addresses(app, rule, target):
            answer = walker.send(method, path, rule)
            is_refused = answer.status_code in REFUSED or leads_to_sign_in(answer)
            may_answer = is_public or rule.endpoint in OWN[who]
            is_fault = answer.status_code >= 500 or holds(answer, WORD)
            if is_fault or not (is_refused or may_answer):
                wrong.append((method, path, rule.endpoint, answer.status_code))
    assert wrong == []
    assert before - targets.rows(app, besides=rivals[who]) == set()


def test_a_stranger_is_sent_to_sign_in(app, target):
    before = targets.rows(app)
    walker, wrong = Walker(app, None), []
    for rule, method in routes(app):
        for path in addresses(app, rule, target):
            answer = walker.send(method, path, rule)
            if policy_of(app.view_functions[rule.endpoint]) == "public":
                is_right = answer.status_code < 500
            elif rule.rule.startswith("/api/"):
                is_right = answer.status_code == 401
            else:
                is_right = leads_to_sign_in(answer)
            if not is_right or holds(answer, WORD):
                wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert before - targets.rows(app) == set()


@pytest.mark.parametrize("who", WALKERS)
def test_lists_files_and_search_hold_nothing_of_others(app, target, rivals, who: str):
    walker = Walker(app, rivals[who])
    queries = ["format=csv", "format=xlsx", f"q={WORD}", f"customer={WORD}", f"name={WORD}"]
    queries += [f"ids={target.values['', name]}&format=csv" for name in ("deal_id", "job_id")]
    for rule, method in routes(app):
        if method != "GET" or rule.arguments or rule.rule.startswith("/api/"):
            continue
        for query in queries:
            answer = walker.client.get(f"{rule.rule}?{query}")
            assert answer.status_code < 500, (rule.rule, query)
            # The page may repeat what was asked, but that stands alone there.
            words = (f"{WORD} AS", f"{WORD} Lind", f"{WORD} drifts", f"{WORD} 林", f"{WORD}.csv")
            assert not any(holds(answer, word) for word in words), (rule.rule, query)


def test_looking_as_another_changes_nothing(app, target, rivals):
    browser = app.test_client()
    sign_in(browser, "admin@vendor.example")
    with app.app_context():
        seller = db.session.query(User).filter_by(email="sales@north.example").one()
    assert post(browser, f"/desk/users/{seller.id}/view-as").status_code == 303
    csrf, before = csrf_token(browser, "/deals"), targets.rows(app)
    for rule, method in routes(app):
        if method == "GET" or rule.rule.startswith("/api/") or rule.endpoint in OPEN_WHILE_VIEWING:
            continue
        for path in addresses(app, rule, target):
            answer = browser.post(path, data=FORM | {"csrf_token": csrf})
            assert answer.status_code in {403, 404}, path
    assert targets.rows(app) == before


def test_a_key_gives_nothing_again_once_the_partner_is_suspended(app, target, rivals):
    walker = Walker(app, rivals["rival"])
    deal = {"customer": {"name": "Nordlys"}}
    headers = walker.headers | {"Idempotency-Key": "k"}
    first, again = (walker.client.post("/api/v1/deals", json=deal, headers=headers) for _ in "12")
    assert (first.json, again.headers["Idempotent-Replay"]) == (again.json, "true")
    with app.app_context():
        user = db.session.query(User).filter_by(email=rivals["rival"]).one()
        suspend(db.session.get_one(Partner, user.partner_id))
    late = walker.client.post("/api/v1/deals", json=deal, headers=headers)
    assert (late.status_code, holds(late, "Nordlys")) == (403, False)


@pytest.mark.parametrize("day", ["0001-01-01", "1799-12-31", "2400-01-02", "9999-12-31"])
def test_days_that_no_zone_can_place_are_answered_in_words(app, target, day: str):
    walker = Walker(app, "admin@vendor.example")
    path = f"/api/v1/members/{target.values['', 'number']}/statement"
    for period in ({"from": day}, {"until": day}, {"from": day, "until": day}):
        answer = walker.client.get(path, query_string=period, headers=walker.headers)
        assert answer.status_code == 422, period
        assert answer.json["errors"]


def test_rows_that_were_picked_are_exported(app, target):
    walker = Walker(app, "channel@vendor.example")
    key = target.values["", "deal_id"]
    for ending in ("", "&format=csv", "&format=xlsx"):
        answer = walker.client.get(f"/deals?ids={key}&ids={2**63}{ending}")
        assert answer.status_code == 200
        assert holds(answer, f"{WORD} AS")
    assert len(walker.client.get(f"/deals?ids={key}&format=csv").text.splitlines()) == 2


def test_a_deal_that_no_key_can_name_is_not_there(app, target):
    walker = Walker(app, "channel@vendor.example")
    for word in ("x", "-1", "9" * 30, str(2**63), "9" * 5_000):
        assert walker.client.get(f"/desk/queue?deal={word}").status_code == 404
        assert walker.client.get(f"/deals/{word}").status_code == 404
