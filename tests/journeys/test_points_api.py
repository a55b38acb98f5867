"""The loyalty part of the REST interface, as clients see it."""

import itertools
from datetime import UTC, datetime

import pytest

from loyalty.clubs.numbers import is_number
from portal.accounts.models import Role
from tests.factories.accounts import make_token, make_user
from tests.factories.clubs import PROGRAMME

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
CLUB = {
    "code": "circle",
    "name": "Halden Circle",
    "currency": "EUR",
    "timezone": "Europe/Oslo",
    "points_name": "points",
    "programme_approval": False,
}
LIN = {"external_id": "lin", "name": "林晓雯", "email": "lin@club.example"}
LINES = [{"line": "1", "sku": "HX", "category": "lamp", "quantity": 2, "amount": "100.99"}]
_keys = itertools.count(1)


class Api:
    """A client of the API with one person's token."""

    def __init__(self, app, email, **values):
        with app.app_context():
            token = make_token(make_user(email, **values))
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path, **query):
        return self.client.get(f"/api/v1{path}", headers=self.headers, query_string=query)

    def put(self, path, body):
        return self.client.put(f"/api/v1{path}", headers=self.headers, json=body)

    def post(self, path, body, key=None):
        key = key or f"key-{next(_keys)}"
        headers = self.headers | {"Idempotency-Key": key}
        return self.client.post(f"/api/v1{path}", headers=headers, json=body)


@pytest.fixture
def admin(app, clock):
    clock.set(START)
    return Api(app, "admin@vendor.example")


@pytest.fixture
def number(admin):
    assert admin.post("/clubs", CLUB).status_code == 201
    sent = admin.put("/clubs/circle/programme", PROGRAMME)
    assert (sent.status_code, sent.json) == (200, {"version": 1, "status": "published"})
    made = admin.post("/clubs/circle/members", LIN)
    assert made.status_code == 201
    return made.json["number"]


def buy(api, purchase_id="A1", **values):
    body = {"purchase_id": purchase_id, "member": "lin", "currency": "EUR", "lines": LINES}
    return api.post("/clubs/circle/purchases", body | values)


def test_a_member_is_enrolled_once(admin, number):
    assert is_number(number)
    again = admin.post("/clubs/circle/members", LIN | {"name": "Other"})
    assert (again.status_code, again.json["number"]) == (200, number)
    by_mail = admin.post("/clubs/circle/members", {"name": "Other", "email": " LIN@club.example "})
    assert (by_mail.status_code, by_mail.json["number"]) == (200, number)
    shown = admin.get(f"/members/{number}").json
    assert shown["joined_on"] == "2026-03-01"
    assert (shown["tier"], shown["state"], shown["club"]) == (None, "active", "circle")
    listed = admin.get("/clubs/circle/members").json["items"]
    assert [one["number"] for one in listed] == [number]
    assert admin.get("/clubs").json["items"][0]["code"] == "circle"
    assert admin.get("/clubs/circle").json["points_name"] == "points"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"birth_date": "2026-03-02"}, "birth_date"),
        ({"joined_on": "2026-03-02"}, "joined_on"),
        ({"email": "nonsense"}, "email"),
        ({"language": "tlh"}, "language"),
        ({"surname": "Lin"}, "surname"),
    ],
)
def test_a_member_that_cannot_be_is_refused(admin, number, change, field):
    answer = admin.post("/clubs/circle/members", {"name": "X", "external_id": "x"} | change)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


def test_a_purchase_earns_with_its_explanation(admin, number):
    made = buy(admin)
    assert made.status_code == 201
    assert made.json["points"] == 100
    assert made.json["pending_until"] is None
    assert made.json["explanation"] == [
        {"rule": "base", "points": 100, "why": "1 for every 1.00 of 100.99 paid"}
    ]
    assert admin.get("/clubs/circle/purchases/A1").json == made.json
    assert admin.get("/clubs/circle/purchases").json["items"] == [made.json]


def test_discounts_lower_what_earns_and_tenders_do_not(admin, number):
    lines = [
        {"line": "1", "amount": "100"},
        {"line": "2", "category": "gift_card", "amount": "100"},
    ]
    made = buy(
        admin,
        lines=lines,
        discounts=[{"scope": "1", "amount": "50"}, {"scope": "order", "amount": "30"}],
        tenders=[{"kind": "gift_card", "amount": "120"}],
    )
    # 50 of line 1 are left of 150 in all; the order's 30 take a fifth; gift cards earn nothing.
    assert (made.json["points"], made.json["amount"]) == (40, "120.00")
    refused = buy(admin, "A2", discounts=[{"scope": "9", "amount": "1"}])
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "discounts")
    refused = buy(admin, "A2", discounts=[{"scope": "order", "amount": "101"}])
    assert refused.status_code == 422


def test_the_same_purchase_answers_the_same_and_another_is_refused(admin, number):
    first = buy(admin)
    again = buy(admin)
    assert (again.status_code, again.json) == (201, first.json)
    other = buy(admin, lines=[{"line": "1", "amount": "1"}])
    assert (other.status_code, other.json["code"]) == (422, "purchase_differs")
    assert admin.get(f"/members/{number}/balance").json["available"] == 100


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"member": "nobody"}, "member_unknown"),
        ({"currency": "USD"}, "currency_differs"),
        ({"happened_at": "2026-03-01T09:00:01Z"}, "in_the_future"),
        ({"lines": [{"line": "1", "amount": "1.00001"}]}, "invalid"),
        ({"lines": [{"line": "1", "amount": "-1"}]}, "invalid"),
        ({"lines": [{"line": "1", "amount": "1"}, {"line": "1", "amount": "2"}]}, "refused"),
        ({"lines": []}, "invalid"),
        ({"currency": "XXQ"}, "invalid"),
    ],
)
def test_a_purchase_that_cannot_be_is_refused_and_leaves_nothing(admin, number, change, code):
    answer = buy(admin, **change)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert admin.get("/clubs/circle/purchases").json["items"] == []
    assert admin.get(f"/members/{number}/balance").json["lifetime"] == 0


def test_what_moves_points_needs_a_key_and_honours_it(admin, number):
    body = {"purchase_id": "A1", "member": "lin", "currency": "EUR", "lines": LINES}
    path = "/api/v1/clubs/circle/purchases"
    assert admin.client.post(path, headers=admin.headers, json=body).status_code == 400
    buy(admin)
    first = admin.post(f"/members/{number}/redemptions", {"points": 30}, key="once")
    again = admin.post(f"/members/{number}/redemptions", {"points": 30}, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    other = admin.post(f"/members/{number}/redemptions", {"points": 40}, key="once")
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")
    assert admin.get(f"/members/{number}/balance").json["available"] == 70


def test_a_redemption_names_the_lots_and_never_overdraws(admin, number):
    buy(admin)
    made = admin.post(f"/members/{number}/redemptions", {"points": 60, "reason": "Coffee set"})
    assert made.status_code == 201
    assert (made.json["points"], made.json["status"]) == (60, "confirmed")
    assert made.json["lots"] == [
        {"earned_at": "2026-03-01T09:00:00Z", "expires_on": "2027-03-01", "points": 60}
    ]
    few = admin.post(f"/members/{number}/redemptions", {"points": 41})
    assert (few.status_code, few.json["code"], few.json["available"]) == (
        422,
        "insufficient_points",
        40,
    )
    key = made.json["redemption_id"]
    assert admin.get(f"/redemptions/{key}").json == made.json
    assert admin.get(f"/members/{number}/redemptions").json["items"] == [made.json]
    for points in (0, -5, "10", 1.5, 10**12):
        answer = admin.post(f"/members/{number}/redemptions", {"points": points})
        assert answer.status_code == 422


def test_balance_lots_and_statement(admin, number, clock):
    buy(admin)
    clock.advance(days=1)
    admin.post(f"/members/{number}/redemptions", {"points": 30})
    now = admin.get(f"/members/{number}/balance").json
    assert now == {
        "available": 70,
        "pending": 0,
        "held": 0,
        "debt": 0,
        "lifetime": 100,
        "tier": None,
        "tier_until": None,
        "next_expiry": {"points": 70, "on": "2027-03-01"},
        "as_of": "2026-03-02T09:00:00Z",
    }

    def as_of(instant):
        return admin.get(f"/members/{number}/balance", as_of=instant).json["available"]

    assert as_of("2026-03-01T08:59:59Z") == 0
    assert as_of("2026-03-01T09:00:00Z") == 100
    assert as_of("2027-03-01T22:59:59Z") == 70
    assert as_of("2027-03-01T23:00:00Z") == 0
    assert admin.get(f"/members/{number}/balance", as_of="soon").status_code == 422
    lots = admin.get(f"/members/{number}/lots").json["items"]
    assert [(one["points"], one["remaining"], one["source"]) for one in lots] == [
        (100, 70, "purchase:A1")
    ]

    def entries(**period):
        items = admin.get(f"/members/{number}/statement", **period).json["items"]
        return [(one["kind"], one["points"], one["balance_after"]) for one in items]

    assert entries() == [("earn", 100, 100), ("redeem", -30, 70)]
    assert entries(**{"from": "2026-03-02"}) == [("redeem", -30, 70)]
    assert entries(until="2026-03-01") == [("earn", 100, 100)]


def test_a_programme_awaits_another_person(app, admin):
    admin.post("/clubs", CLUB | {"programme_approval": True})
    sent = admin.put("/clubs/circle/programme", PROGRAMME)
    assert (sent.status_code, sent.json) == (202, {"version": 1, "status": "awaiting_approval"})
    path = "/clubs/circle/programme/1/approve"
    assert admin.get("/clubs/circle/programme").json["current"] is None
    assert admin.post(path, {}).status_code == 403
    marketing = Api(app, "marketing@vendor.example")
    done = marketing.post(path, {})
    assert (done.status_code, done.json["status"]) == (200, "published")
    again = marketing.post(path, {})
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    shown = admin.get("/clubs/circle/programme").json
    assert (shown["version"], shown["current"]) == (1, 1)
    assert shown["programme"] == PROGRAMME
    assert admin.get("/clubs/circle/programme/1").json == shown
    assert admin.get("/clubs/circle/programme/2").status_code == 404


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"colour": "red"}, "colour", "Extra inputs"),
        ({"expiry": {"mode": "after_days", "days": 3, "hours": 1}}, "expiry.hours", "Extra"),
        ({"tiers": [{"code": "gold"}]}, "tiers", "not supported yet"),
        ({"carry_fractions": True}, "carry_fractions", "not supported yet"),
        (
            {"earning": [{"name": "g", "phase": "multiplier", "times": "1.5"}]},
            "earning.0",
            "not supported yet",
        ),
        (
            {"earning": [PROGRAMME["earning"][0] | {"where": {"weekday": ["sat"]}}]},
            "earning.0.where.weekday",
            "not supported yet",
        ),
        ({"expiry": {"mode": "inactivity", "months": 24}}, "expiry", "not supported yet"),
        ({"gifts": [{"job": "inactivity", "points": 5}]}, "gifts.0", "not supported yet"),
        ({"effective_from": "someday"}, "effective_from", "date"),
        ({"pending_days": -1}, "pending_days", "greater than or equal"),
    ],
)
def test_a_wrong_programme_is_refused_with_the_path(admin, number, change, path, words):
    answer = admin.put("/clubs/circle/programme", PROGRAMME | change)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json["errors"]] == [path]
    assert words in answer.json["errors"][0]["message"]
    assert admin.get("/clubs/circle/programme").json["version"] == 1


def test_members_read_their_own_and_nobody_elses(app, admin, number):
    lin = Api(app, "lin@club.example")
    admin.post("/clubs/circle/members", {"name": "Marta", "email": "marta@club.example"})
    marta = Api(app, "marta@club.example")
    key = buy(admin).json and admin.post(f"/members/{number}/redemptions", {"points": 5})
    key = key.json["redemption_id"]
    reads = [
        f"/members/{number}",
        f"/members/{number}/balance",
        f"/members/{number}/lots",
        f"/members/{number}/statement",
        f"/members/{number}/redemptions",
        f"/redemptions/{key}",
        "/clubs/circle/purchases/A1",
    ]
    for path in reads:
        assert lin.get(path).status_code == 200, path
        assert marta.get(path).status_code == 404, path
    assert marta.get("/clubs/circle/purchases").json["items"] == []
    assert [one["name"] for one in marta.get("/clubs/circle/members").json["items"]] == ["Marta"]
    admin.post("/clubs", CLUB | {"code": "river"})
    assert marta.get("/clubs/river").status_code == 404
    assert [one["code"] for one in marta.get("/clubs").json["items"]] == ["circle"]
    assert marta.get("/clubs/circle/programme").status_code == 403
    assert marta.post("/clubs", CLUB).status_code == 403
    assert marta.post("/clubs/circle/members", LIN).status_code == 403
    assert buy(marta).status_code == 403
    redeemed = marta.post(f"/members/{number}/redemptions", {"points": 5})
    assert redeemed.status_code == 403


def test_others_see_nothing_and_nobody_needs_a_token(app, admin, number):
    channel = Api(app, "channel@vendor.example")
    visitor = Api(app, "x@else.example", name="X", roles=[Role.CHANNEL_MANAGER])
    for api in (channel, visitor):
        for path in ("/clubs", "/clubs/circle", f"/members/{number}", "/redemptions/1"):
            assert api.get(path).status_code == 403
    nobody = app.test_client()
    for path in ("/clubs", f"/members/{number}/balance", "/clubs/circle/purchases"):
        assert nobody.get(f"/api/v1{path}").status_code == 401


def test_a_mistyped_number_is_nobody(admin, number):
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert admin.get(f"/members/{slip}").status_code == 404
    swapped = number[:4] + number[5] + number[4] + number[6:]
    assert swapped == number or admin.get(f"/members/{swapped}").status_code == 404
