"""Deals over the API."""

import pytest

from portal.foundation.database import db
from tests.factories import partners, products
from tests.factories.service_jobs import bearer

BODY = {
    "customer": {"name": "Statkraft AS", "country": "NO", "domain": "statkraft.example"},
    "products": [{"sku": "HX-900", "quantity": 4, "amount": "212640.00"}],
    "currency": "EUR",
    "expected_close_on": "2027-03-31",
    "evidence": "Met Kari Berg on 12 November.",
}
URL = "/api/v1/deals"


@pytest.fixture
def cast(app, clock):
    """Headers of the cast's tokens."""
    clock.set("2026-11-23T09:00Z")
    with app.app_context():
        products.price_list()
        north = partners.north()
        actors = {
            "north": north,
            "harbour": partners.harbour(),
            "manager": partners.channel_manager(),
            "service": partners.person("service@vendor.example"),
            "technician": partners.technician_of_north(north),
        }
        db.session.close()
    return {name: bearer(app, actor) for name, actor in actors.items()}


def post(client, headers, path="", **body):
    return client.post(URL + path, json=body, headers=headers)


def made(client, headers, **more) -> str:
    answer = post(client, headers, **BODY | more)
    assert answer.status_code == 201, answer.text
    return answer.json["reference"]


def submitted(client, headers, **more) -> str:
    reference = made(client, headers, **more)
    assert post(client, headers, f"/{reference}/submit").json["status"] == "submitted"
    return reference


def test_a_deal_from_draft_to_protected(client, cast):
    answer = post(client, cast["north"], **BODY)
    assert answer.status_code == 201
    body = answer.json
    assert body["status"] == "draft"
    assert body["partner"] == "NORTH"
    assert body["amount"] == {"amount": "212640.00", "currency": "EUR"}
    assert body["products"] == [
        {
            "sku": "HX-900",
            "family": "Spectrometers",
            "quantity": 4,
            "amount": {"amount": "212640.00", "currency": "EUR"},
        }
    ]
    assert (body["submitted_at"], body["protected_until"], body["notice"]) == (None, None, None)
    path = f"/{body['reference']}"
    handed_in = client.post(f"{URL}{path}/submit", headers=cast["north"])
    assert handed_in.json["submitted_at"] == "2026-11-23T09:00:00Z"
    assert post(client, cast["manager"], f"{path}/review").json["status"] == "in_review"
    approved = post(client, cast["manager"], f"{path}/approve").json
    assert approved["status"] == "approved"
    assert approved["protection_days"] == 90
    assert approved["protected_until"] == "2027-02-21"
    assert approved["protection_ends_at"] == "2027-02-21T23:00:00Z"
    again = post(client, cast["manager"], f"{path}/approve")
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    shown = client.get(URL + path, headers=cast["north"])
    assert shown.json == approved


def test_a_draft_is_saved_with_anything_and_submitting_names_all(client, cast):
    reference = post(client, cast["north"]).json["reference"]
    answer = post(client, cast["north"], f"/{reference}/submit")
    assert (answer.status_code, answer.json["code"]) == (422, "not_submittable")
    assert {error["field"] for error in answer.json["errors"]} == {
        "customer.name",
        "customer.country",
        "products",
        "expected_close_on",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "EURO"},
        {"currency": "XQQ"},
        {"expected_close_on": "2027-02-30"},
        {"products": [{"sku": "HX-900", "quantity": 0, "amount": "1"}]},
        {"products": [{"sku": "HX-900", "quantity": 1, "amount": "-1"}]},
        {"products": [{"sku": "HX-900", "quantity": 1, "amount": "NaN"}]},
        {"products": [{"sku": "HX-900", "quantity": 1, "amount": "1e23"}]},
        {"customer": {"name": "x" * 201, "country": "NO"}},
        {"customer": {"name": "Statkraft", "country": "ZZ"}},
        {"source": "theft"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused(client, cast, wrong):
    answer = post(client, cast["north"], **BODY | wrong)
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_staff_say_for_which_partner(client, cast):
    assert post(client, cast["manager"], **BODY).json["errors"][0]["field"] == "partner"
    assert post(client, cast["manager"], **BODY, partner="NONE").status_code == 422
    assert post(client, cast["manager"], **BODY, partner="NORTH").json["partner"] == "NORTH"
    assert post(client, cast["north"], **BODY, partner="HARBOUR").status_code == 422


def test_a_partner_learns_of_a_conflict_only_that_it_is_possible(client, cast):
    first = submitted(client, cast["north"])
    post(client, cast["manager"], f"/{first}/approve")
    second = submitted(client, cast["harbour"])
    seen = client.get(f"{URL}/{second}", headers=cast["harbour"])
    assert seen.json["notice"] == "possible_conflict"
    assert first not in seen.text
    blocked = post(client, cast["manager"], f"/{second}/approve")
    assert (blocked.status_code, blocked.json["code"]) == (422, "conflict")
    assert blocked.json["deals"] == [first]


def test_staff_ask_for_conflicts(client, cast):
    first = submitted(client, cast["north"])
    post(client, cast["manager"], f"/{first}/approve")
    question = {
        "customer": {"name": "STATKRAFT", "country": "NO"},
        "products": [{"family": "spectrometers", "quantity": 1, "amount": "1"}],
    }
    (found,) = post(client, cast["manager"], "/conflicts", **question).json["items"]
    assert (found["deal"], found["score"], found["verdict"]) == (first, 80, "conflict")
    assert "Both customers are called Statkraft AS in Norway." in found["reasons"]
    question["products"] = [{"sku": "PT-40"}]
    assert post(client, cast["manager"], "/conflicts", **question).json == {"items": []}
    assert post(client, cast["north"], "/conflicts", **question).status_code == 403


def test_a_returned_deal_is_submitted_again(client, cast):
    reference = submitted(client, cast["north"])
    assert post(client, cast["manager"], f"/{reference}/return").status_code == 422
    answer = post(client, cast["manager"], f"/{reference}/return", reason="Which site?")
    assert (answer.json["status"], answer.json["reason"]) == ("returned", "Which site?")
    again = post(client, cast["north"], f"/{reference}/submit")
    assert (again.json["status"], again.json["submitted_at"]) == (
        "in_review",
        "2026-11-23T09:00:00Z",
    )


def test_a_rejected_deal_stays_rejected(client, cast):
    reference = submitted(client, cast["north"])
    answer = post(client, cast["manager"], f"/{reference}/reject", reason="Named account.")
    assert answer.json["status"] == "rejected"
    for step in ("approve", "review", "submit", "withdraw"):
        assert post(client, cast["manager"], f"/{reference}/{step}").status_code == 409


def test_only_drafts_are_deleted(client, cast):
    draft, kept = made(client, cast["north"]), submitted(client, cast["north"])
    assert client.delete(f"{URL}/{draft}", headers=cast["north"]).status_code == 204
    assert client.get(f"{URL}/{draft}", headers=cast["north"]).status_code == 404
    assert client.delete(f"{URL}/{kept}", headers=cast["north"]).status_code == 409


def test_a_rival_meets_404_on_every_path(client, cast):
    draft, waiting = made(client, cast["north"]), submitted(client, cast["north"])
    for reference in (draft, waiting):
        path = f"{URL}/{reference}"
        assert client.get(path, headers=cast["harbour"]).status_code == 404
        assert client.delete(path, headers=cast["harbour"]).status_code == 404
        for step in ("submit", "withdraw", "review", "approve", "return", "reject"):
            body = {"reason": "Mine."} if step in {"return", "reject"} else {}
            answer = client.post(f"{path}/{step}", json=body, headers=cast["harbour"])
            assert answer.status_code == 404, step
    assert client.get(URL, headers=cast["harbour"]).json["items"] == []
    assert len(client.get(URL, headers=cast["manager"]).json["items"]) == 2


def test_a_partner_decides_nothing(client, cast):
    path = f"/{submitted(client, cast['north'])}"
    for step in ("review", "approve"):
        assert post(client, cast["north"], f"{path}/{step}").status_code == 403
    for step in ("return", "reject"):
        assert post(client, cast["north"], f"{path}/{step}", reason="Yes.").status_code == 403


@pytest.mark.parametrize("who", ["service", "technician"])
def test_other_roles_are_refused(client, cast, who):
    reference = made(client, cast["north"])
    assert client.get(URL, headers=cast[who]).status_code == 403
    assert post(client, cast[who], **BODY).status_code == 403
    assert client.get(f"{URL}/{reference}", headers=cast[who]).status_code == 403


def test_without_a_token_nothing(client, cast):
    assert client.get(URL).status_code == 401
    assert client.post(URL, json=BODY).status_code == 401


@pytest.mark.parametrize("step", ["amend", "revoke", "report-won", "request-extension", "fly"])
def test_steps_that_there_are_not(client, cast, step):
    reference = made(client, cast["north"])
    assert post(client, cast["north"], f"/{reference}/{step}").status_code == 404


def test_the_list_pages(client, cast):
    references = [made(client, cast["north"]) for _ in range(3)]
    first = client.get(f"{URL}?limit=2", headers=cast["north"]).json
    second = client.get(f"{URL}?limit=2&cursor={first['next_cursor']}", headers=cast["north"]).json
    seen = [item["reference"] for item in first["items"] + second["items"]]
    assert seen == references[::-1]
    assert second["next_cursor"] is None


def test_a_repeated_key_registers_once(client, cast):
    headers = cast["north"] | {"Idempotency-Key": "one"}
    first, second = post(client, headers, **BODY), post(client, headers, **BODY)
    assert first.json == second.json
    assert second.headers["Idempotent-Replay"] == "true"
    assert len(client.get(URL, headers=cast["north"]).json["items"]) == 1
