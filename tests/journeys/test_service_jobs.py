"""A device comes to the bench, is mended and handed over; nobody else sees it."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.accounts.queries import actor_of
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db
from portal.foundation.facts import StoredFact
from portal.service_jobs.models import JobState, ServiceJob
from tests.factories import installed_base as devices
from tests.factories import service_jobs as factory
from tests.factories.service_jobs import Browser, browser, counted_reads

SERIAL = "HX9-2231-00847"
STEPS = ("start-repair", "ready", "close", "decline", "unrepairable", "cancel", "reopen")
INTAKE = {
    "serial": SERIAL,
    "problem": "Reads 3 nm too high after an hour.",
    "accessories": "Power supply",
    "customer_name": "Marta Lind",
    "customer_email": "marta@club.example",
}


@pytest.fixture
def bench(app) -> Browser:
    """Fix-It's technician at the bench, with Marta's spectrometer registered."""
    with app.app_context():
        devices.spectrometer()
        devices.device()
        actor = factory.fixit()
    return browser(app, actor)


def take_in(bench: Browser, **values: str) -> int:
    answer = bench.post("/service-jobs/new", **{**INTAKE, **values})
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rpartition("/")[2])


def state(app, job_id: int) -> JobState:
    with app.app_context():
        return db.session.get_one(ServiceJob, job_id).status


def facts(app) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(sa.select(StoredFact.name).order_by(StoredFact.id)))


def test_from_intake_to_closed(app, bench):
    part = bench.get(f"/service-jobs/device?serial={SERIAL.lower()}")
    assert "HX-900 spectrometer" in part.text
    assert "<html" not in part.text
    job_id = take_in(bench)
    shown = bench.get(f"/service-jobs/{job_id}")
    assert "is taken in." in shown.text
    assert "Marta Lind" in shown.text
    at = f"/service-jobs/{job_id}"
    page = f"{at}/start-repair"
    assert bench.post(page, page=at).status_code == 303
    unsaid = bench.post(f"{at}/ready", repair_code="LAMP", repair_note="")
    assert unsaid.status_code == 422
    assert "LAMP" in unsaid.text
    done = bench.post(f"{at}/ready", repair_code="LAMP", repair_note="Lamp driver replaced.")
    assert done.status_code == 303
    assert state(app, job_id) is JobState.READY
    assert bench.post(f"{at}/close", page=at).status_code == 303
    assert state(app, job_id) is JobState.CLOSED
    assert facts(app) == ["service_jobs.service_job_closed"]
    assert "handed it over" in bench.get(at).text


def test_the_second_open_job_is_refused_and_what_was_typed_kept(bench):
    first = take_in(bench)
    again = bench.post("/service-jobs/new", **INTAKE | {"problem": "Typed a second time"})
    assert again.status_code == 409
    assert "has an open job already: J-" in again.text
    assert f'href="/service-jobs/{first}"' in again.text
    assert "Typed a second time" in again.text


def test_an_unknown_serial_number_asks_for_the_proof(app, bench):
    asked = bench.post("/service-jobs/new", **INTAKE | {"serial": "NEW-1"})
    assert asked.status_code == 422
    assert "This serial number is not registered" in asked.text
    job_id = take_in(bench, serial="NEW-1", proof_of_purchase="Receipt 4711", sku="HX-900")
    assert "was not registered" in bench.get(f"/service-jobs/{job_id}").text


def test_a_form_is_carried_out_once(app, bench):
    page = bench.get("/service-jobs/new").text
    nonce = page.partition('name="form_nonce" type="hidden" value="')[2].partition('"')[0]
    assert nonce
    take_in(bench, form_nonce=nonce)
    again = bench.post("/service-jobs/new", **INTAKE | {"form_nonce": nonce, "serial": "Z-9"})
    assert "already sent" in again.text


def test_of_two_technicians_the_second_is_told(app, bench):
    job_id = take_in(bench)
    at = f"/service-jobs/{job_id}"
    bench.post(f"{at}/start-repair", page=at)
    late = bench.post(f"{at}/ready", repair_code="LAMP", repair_note="Done", version="1")
    assert late.status_code == 409
    assert "Somebody else changed this meanwhile" in late.text
    assert state(app, job_id) is JobState.REPAIRING
    pressed = bench.post(f"{at}/start-repair", page=at)
    assert pressed.status_code == 303
    assert "Somebody else changed this meanwhile" in bench.get(at).text


def test_a_note_is_kept(bench):
    at = f"/service-jobs/{take_in(bench)}"
    assert bench.post(f"{at}/notes", page=at, body="Waits for the <lamp>").status_code == 303
    text = bench.get(at).text
    assert "Waits for the &lt;lamp&gt;" in text
    assert bench.post(f"{at}/notes", page=at, body="").status_code == 422


@pytest.mark.parametrize(
    ("step", "end"),
    [("decline", "declined"), ("unrepairable", "unrepairable"), ("cancel", "cancelled")],
)
def test_other_ends_ask_for_a_reason(app, bench, step, end):
    job_id = take_in(bench)
    at = f"/service-jobs/{job_id}/{step}"
    assert bench.post(at, reason="").status_code == 422
    assert bench.post(at, reason="Board burnt through").status_code == 303
    assert state(app, job_id).value == end
    assert "Board burnt through" in bench.get(f"/service-jobs/{job_id}").text
    assert facts(app) == []


def test_service_staff_see_the_network_and_reopen(app, bench):
    job_id = take_in(bench)
    at = f"/service-jobs/{job_id}"
    bench.post(f"{at}/start-repair", page=at)
    bench.post(f"{at}/ready", repair_code="LAMP", repair_note="Done")
    bench.post(f"{at}/close", page=at)
    with app.app_context():
        manager = factory.service_manager()
    desk = browser(app, manager)
    assert "Fix-It" in desk.get("/service-jobs").text
    assert desk.get("/service-jobs/board").status_code == 200
    assert desk.post(f"{at}/reopen", page=at).status_code == 303
    assert state(app, job_id) is JobState.REPAIRING
    assert facts(app)[-1] == "service_jobs.service_job_reopened"
    assert bench.post(f"{at}/reopen", page=at).status_code == 403
    assert "HX9-2231-00847" in desk.get("/devices").text
    device = desk.get("/devices/HX9223100847").text
    assert "Marta Lind" in device


def test_the_job_sheet_is_a_pdf_in_the_readers_language(bench):
    at = f"/service-jobs/{take_in(bench)}/sheet.pdf"
    sheet = bench.get(at, headers={"Accept-Language": "zh-CN"})
    assert sheet.status_code == 200
    assert sheet.mimetype == "application/pdf"
    assert sheet.data.startswith(b"%PDF")
    assert "no-store" in sheet.headers["Cache-Control"]


def test_a_rival_station_finds_nothing(app, bench):
    job_id = take_in(bench, problem="Ask for Ola Nordmann")
    with app.app_context():
        rival = browser(app, factory.pacific())
    at = f"/service-jobs/{job_id}"
    for path in (at, f"{at}/sheet.pdf", f"{at}/ready", f"{at}/decline", f"{at}/cancel"):
        assert rival.get(path).status_code == 404, path
    for path in (*(f"{at}/{step}" for step in STEPS), f"{at}/notes"):
        sent = rival.post(path, page="/service-jobs/new", version="1", reason="X", body="X")
        assert sent.status_code == 404, path
    secrets = ("Marta", "Ola Nordmann", "marta@club.example")
    for path in (
        "/bench",
        "/service-jobs",
        "/service-jobs?format=csv",
        "/service-jobs?words=Ola",
        "/service-jobs/board",
        f"/service-jobs/device?serial={SERIAL}",
        f"/devices/{SERIAL}",
    ):
        page = rival.get(path)
        assert page.status_code == 200, path
        for secret in secrets:
            assert secret not in page.text, path
    assert rival.get("/devices").status_code == 403
    assert state(app, job_id) is JobState.RECEIVED


def test_other_roles_and_strangers_are_kept_out(app, bench):
    at = f"/service-jobs/{take_in(bench)}"
    with app.app_context():
        member = browser(app, factory.person("lin@club.example", Role.MEMBER))
        channel = browser(app, factory.person("channel@vendor.example", Role.CHANNEL_MANAGER))
    stranger = app.test_client()
    paths = ("/bench", "/service-jobs", "/service-jobs/board", "/service-jobs/new", at)
    for path in (*paths, f"{at}/sheet.pdf", f"{at}/ready", "/service-jobs/device?serial=A"):
        assert member.get(path).status_code == 403, path
        assert channel.get(path).status_code == 403, path
        answer = stranger.get(path)
        assert answer.status_code == 303, path
        assert "/login" in answer.headers["Location"]
    assert member.get(f"/devices/{SERIAL}").status_code == 403
    for step in STEPS:
        assert stranger.post(f"{at}/{step}").status_code in {303, 400}


def test_reading_changes_nothing(app, bench):
    job_id = take_in(bench)
    with app.app_context():
        before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    at = f"/service-jobs/{job_id}"
    for path in (
        at,
        f"{at}/sheet.pdf",
        f"{at}/ready",
        "/bench",
        f"/service-jobs/new?serial={SERIAL}",
    ):
        assert bench.get(path).status_code == 200
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == before


def test_pages_ask_the_database_as_often_for_many_jobs_as_for_few(app, bench):
    with app.app_context():
        actor = actor_of(1)
        assert actor is not None
        for number in range(2):
            factory.job(actor, serial=f"F-{number}")
    few = _reads(app, bench)
    with app.app_context():
        for number in range(12):
            factory.closed_job(actor, serial="HX9-2231-00847")
            factory.job(actor, serial=f"M-{number}")
    assert _reads(app, bench) == few


def _reads(app, bench: Browser) -> dict[str, int]:
    found = {}
    for path in ("/bench", "/service-jobs", "/service-jobs/board", f"/devices/{SERIAL}"):
        with app.app_context(), counted_reads() as reads:
            assert bench.get(path).status_code == 200
        found[path] = len(reads)
    return found
