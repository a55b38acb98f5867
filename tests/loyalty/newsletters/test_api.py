"""Newsletters over REST, as the interface promises."""

import pytest
import sqlalchemy as sa

from loyalty.newsletters.jobs import send_newsletters
from portal.accounts.models import User
from portal.foundation.clock import now
from portal.foundation.database import db
from portal.foundation.jobs.registry import Run
from tests.factories import newsletters as factory
from tests.factories.accounts import CAST, make_token, make_user
from tests.factories.clubs import make_club, make_lin, make_marta

COUNTS = {
    "queued", "leased", "handed_over", "delivered", "bounced", "complained", "skipped", "unknown",
}  # fmt: skip
BODY = {"subject": "Winter checks", "blocks": factory.BLOCKS}
MADE = "/api/v1/clubs/circle/newsletters"


class Caller:
    """An API client of one user, or of nobody."""

    def __init__(self, app, email=None):
        self.client, self.headers = app.test_client(), {}
        if email:
            with app.app_context():
                user = db.session.scalars(sa.select(User).where(User.email == email)).one()
                self.headers = {"Authorization": f"Bearer {make_token(user)}"}

    def post(self, path, body=None, key=None):
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, json={} if body is None else body, headers=headers)

    def get(self, path):
        return self.client.get(path, headers=self.headers)


@pytest.fixture
def maker(app):
    with app.app_context():
        club = make_club()
        factory.agree(make_lin(club))
        factory.agree(make_marta(club))
        factory.marketing()
        factory.colleague()
    return Caller(app, "marketing@vendor.example")


@pytest.fixture
def other(app, maker):
    return Caller(app, "mona@vendor.example")


def test_from_draft_to_sent(app, maker, other):
    made = maker.post(MADE, BODY)
    assert made.status_code == 201
    assert made.json["status"] == "draft"
    at = f"/api/v1/newsletters/{made.json['reference']}"
    assert maker.post(f"{at}/send").status_code == 409
    assert maker.post(f"{at}/approve").status_code == 403
    approved = other.post(f"{at}/approve")
    assert (approved.status_code, approved.json["status"]) == (200, "approved")
    assert other.post(f"{at}/approve").status_code == 409
    sent = maker.post(f"{at}/send")
    assert (sent.json["status"], sent.json["audience"]) == ("sending", 2)
    assert maker.post(f"{at}/send").status_code == 409
    with app.app_context():
        send_newsletters(Run(at=now()))
    shown = maker.get(at).json
    assert (shown["status"], shown["audience"]) == ("sent", 2)
    assert set(shown["counts"]) == COUNTS
    assert shown["counts"]["queued"] == 2
    assert maker.post(f"{at}/cancel").status_code == 409


def test_a_draft_is_cancelled(maker):
    at = f"/api/v1/newsletters/{maker.post(MADE, BODY).json['reference']}"
    assert maker.post(f"{at}/cancel").json["status"] == "cancelled"
    assert maker.post(f"{at}/cancel").status_code == 409


def test_the_audience_may_be_named(maker):
    made = maker.post(MADE, BODY | {"audience": {"members": ["lin"]}})
    assert (made.status_code, made.json["audience"]) == (201, 1)
    refused = maker.post(MADE, BODY | {"audience": {"members": ["nobody"]}})
    assert (refused.status_code, refused.json["code"]) == (422, "member_unknown")
    assert refused.json["errors"][0]["field"] == "audience"


@pytest.mark.parametrize(
    "change",
    [
        {"subject": ""},
        {"subject": "x" * 201},
        {"blocks": [{"kind": "script"}]},
        {"blocks": [{"kind": "button", "text": "x", "url": "javascript:1"}]},
        {"blocks": [{"kind": "picture", "file_id": 4711, "alt": "x"}]},
        {"blocks": [{"kind": "picture", "file_id": 10**23}]},
        {"blocks": [{"kind": "text", "text": "\x00"}]},
        {"blocks": [{"kind": "text"}] * 41},
        {"language": "tlh"},
        {"audience": {"segment": "gold"}},
        {"audience": {"members": []}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_422(maker, change):
    answer = maker.post(MADE, BODY | change)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_what_is_unfinished_names_what_is_missing(maker, other):
    at = f"/api/v1/newsletters/{maker.post(MADE, {'subject': 'S'}).json['reference']}"
    refused = other.post(f"{at}/approve")
    assert (refused.status_code, refused.json["code"]) == (422, "gate_not_met")
    assert refused.json["missing"] == ["It has no blocks."]


def test_the_same_key_gives_the_first_answer_again(maker):
    first = maker.post(MADE, BODY, key="n-1")
    again = maker.post(MADE, BODY, key="n-1")
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert maker.post(MADE, BODY | {"subject": "Other"}, key="n-1").status_code == 409
    assert len(maker.get("/api/v1/newsletters").json["items"]) == 1


def test_the_list_goes_on(maker):
    references = [maker.post(MADE, BODY).json["reference"] for _ in range(3)]
    first = maker.get("/api/v1/newsletters?limit=2").json
    second = maker.get(f"/api/v1/newsletters?limit=2&cursor={first['next_cursor']}").json
    found = [one["reference"] for page in (first, second) for one in page["items"]]
    assert found == references[::-1]
    assert second["next_cursor"] is None


def test_what_is_not_there_is_404(maker):
    assert maker.get("/api/v1/newsletters/none").status_code == 404
    assert maker.post("/api/v1/newsletters/none/send").status_code == 404
    assert maker.post("/api/v1/clubs/none/newsletters", BODY).status_code == 404


ALLOWED = {"admin@vendor.example", "marketing@vendor.example"}


@pytest.mark.parametrize("email", [None, *sorted(CAST.keys() - ALLOWED)])
def test_others_are_refused(app, email):
    with app.app_context():
        reference = factory.draft(make_club()).reference
        if email:
            make_user(email)
    caller, status = Caller(app, email), 403 if email else 401
    for path in ("/api/v1/newsletters", f"/api/v1/newsletters/{reference}"):
        assert caller.get(path).status_code == status
    assert caller.post(MADE, BODY).status_code == status
    for step in ("approve", "send", "cancel"):
        answer = caller.post(f"/api/v1/newsletters/{reference}/{step}")
        assert answer.status_code == status
