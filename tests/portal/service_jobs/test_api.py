import pytest

from portal.accounts.models import Role
from tests.factories import installed_base as devices
from tests.factories import service_jobs as factory
from tests.factories.service_jobs import bearer

BODY = {
    "serial": "HX9-2231-00847",
    "customer": {"name": "Marta Lind", "email": "marta@club.example"},
    "problem": "Reads 3 nm too high.",
}


@pytest.fixture
def cast(app):
    """Headers of the cast's tokens, with Marta's spectrometer registered."""
    with app.app_context():
        devices.spectrometer()
        devices.device()
        actors = {
            "fixit": factory.fixit(),
            "pacific": factory.pacific(),
            "service": factory.service_manager(),
        }
    return {name: bearer(app, actor) for name, actor in actors.items()}


def step(client, headers, reference, name, **body):
    return client.post(f"/api/v1/service-jobs/{reference}/steps/{name}", json=body, headers=headers)


def test_a_job_over_the_api_from_intake_to_closed(client, cast):
    made = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
    assert made.status_code == 201
    body = made.json
    assert body["status"] == "received"
    assert body["station"] == "FIXIT"
    assert [line["line"] for line in body["entitlement"]] == ["parts", "labour", "travel"]
    assert {line["payer"] for line in body["entitlement"]} <= {"warranty", "customer"}
    assert body["earlier_jobs"] == []
    assert body["repeat_of"] is None
    reference = body["reference"]
    assert step(client, cast["fixit"], reference, "start-repair").json["status"] == "repairing"
    missing = step(client, cast["fixit"], reference, "ready")
    assert missing.status_code == 422
    assert missing.json["code"] == "gate_not_met"
    assert missing.json["missing"] == ["repair_code"]
    parts = [{"sku": "LAMP", "quantity": 1}]
    done = step(client, cast["fixit"], reference, "ready", repair_code="LAMP", parts=parts)
    assert done.json["status"] == "ready"
    assert step(client, cast["fixit"], reference, "close").json["status"] == "closed"
    again = step(client, cast["fixit"], reference, "close")
    assert again.status_code == 409
    assert again.json["code"] == "wrong_state"
    shown = client.get(f"/api/v1/service-jobs/{reference}", headers=cast["fixit"])
    assert shown.json["repair_code"] == "LAMP"
    listed = client.get("/api/v1/service-jobs", headers=cast["service"])
    assert [item["reference"] for item in listed.json["items"]] == [reference]
    assert step(client, cast["fixit"], reference, "reopen").status_code == 403
    assert step(client, cast["service"], reference, "reopen").json["status"] == "repairing"


def test_steps_take_no_body_at_all(client, cast):
    made = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
    path = f"/api/v1/service-jobs/{made.json['reference']}/steps/start-repair"
    assert client.post(path, headers=cast["fixit"]).status_code == 200


def test_a_second_open_job_names_the_first(client, cast):
    first = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
    body = BODY | {"serial": "hx9 2231 00847"}
    second = client.post("/api/v1/service-jobs", json=body, headers=cast["pacific"])
    assert second.status_code == 409
    assert second.json["code"] == "job_open"
    assert second.json["reference"] == first.json["reference"]


def test_an_unknown_serial_number_needs_a_proof(client, cast):
    body = BODY | {"serial": "NEW-1"}
    refused = client.post("/api/v1/service-jobs", json=body, headers=cast["fixit"])
    assert refused.status_code == 422
    assert refused.json["code"] == "gate_not_met"
    assert refused.json["missing"] == ["proof_of_purchase"]
    body |= {"proof_of_purchase": "Receipt 4711"}
    made = client.post("/api/v1/service-jobs", json=body, headers=cast["fixit"])
    assert made.status_code == 201
    assert made.json["is_unknown_serial"] is True
    assert {line["payer"] for line in made.json["entitlement"]} == {"customer"}


def test_other_ends(client, cast):
    for name, body in (
        ("decline", {}),
        ("unrepairable", {"reason": "Burnt"}),
        ("cancel", {"reason": "Mistake"}),
    ):
        made = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
        ended = step(client, cast["fixit"], made.json["reference"], name, **body)
        assert ended.status_code == 200, ended.json
        assert ended.json["ended_at"]


def test_staff_name_the_station_and_others_only_their_own(client, cast):
    body = BODY | {"station": "PACIFIC"}
    assert client.post("/api/v1/service-jobs", json=body, headers=cast["fixit"]).status_code == 422
    assert (
        client.post("/api/v1/service-jobs", json=BODY, headers=cast["service"]).status_code == 422
    )
    made = client.post("/api/v1/service-jobs", json=body, headers=cast["service"])
    assert made.json["station"] == "PACIFIC"


@pytest.mark.parametrize(
    "change",
    [
        {"problem": ""},
        {"problem": "a\x00b"},
        {"customer": {"name": "M", "email": "no address"}},
        {"serial": "x" * 81},
        {"more": 1},
        {"sold_on": "2026-02-30"},
    ],
)
def test_wrong_fields_are_named(client, cast, change):
    refused = client.post("/api/v1/service-jobs", json=BODY | change, headers=cast["fixit"])
    assert refused.status_code == 422
    assert refused.json["errors"]


def test_a_device_with_its_masked_history(client, cast):
    made = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
    path = "/api/v1/devices/hx9223100847"
    own = client.get(path, headers=cast["fixit"]).json
    other = client.get(path, headers=cast["pacific"]).json
    staff = client.get(path, headers=cast["service"]).json
    assert own["product"] == {"sku": "HX-900", "name": "HX-900 spectrometer"}
    assert own["plans"] == own["bulletins"] == []
    assert own["warranty"][0] == {"line": "parts", "percent": 100, "until": "2027-03-14"}
    reference = made.json["reference"]
    seen = [found["history"][0]["reference"] for found in (own, other, staff)]
    assert seen == [reference, None, reference]
    assert [own["owner"], other["owner"]] == [None, None]
    assert staff["owner"]["email"] == "marta@club.example"
    assert client.get("/api/v1/devices/NONE", headers=cast["fixit"]).status_code == 404


def test_rivals_and_strangers(app, client, cast):
    made = client.post("/api/v1/service-jobs", json=BODY, headers=cast["fixit"])
    reference = made.json["reference"]
    path = f"/api/v1/service-jobs/{reference}"
    assert client.get(path, headers=cast["pacific"]).status_code == 404
    assert client.get("/api/v1/service-jobs", headers=cast["pacific"]).json["items"] == []
    for name, body in (
        ("start-repair", {}),
        ("ready", {"repair_code": "X"}),
        ("close", {}),
        ("decline", {}),
        ("unrepairable", {}),
        ("cancel", {"reason": "X"}),
        ("reopen", {}),
    ):
        assert step(client, cast["pacific"], reference, name, **body).status_code == 404
        assert step(client, {}, reference, name, **body).status_code == 401
    with app.app_context():
        member = factory.person("lin@club.example", Role.MEMBER)
    headers = bearer(app, member)
    for address in (path, "/api/v1/service-jobs", "/api/v1/devices/HX9-2231-00847"):
        assert client.get(address).status_code == 401
        assert client.get(address, headers=headers).status_code == 403


def test_the_same_key_gives_the_first_answer_again(client, cast):
    headers = cast["fixit"] | {"Idempotency-Key": "one"}
    first = client.post("/api/v1/service-jobs", json=BODY, headers=headers)
    again = client.post("/api/v1/service-jobs", json=BODY, headers=headers)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
