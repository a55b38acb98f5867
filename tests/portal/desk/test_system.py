"""Settings, jobs, deliveries, audit and the styleguide: who sees them and what they do."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from portal.foundation import clock as foundation_clock
from portal.foundation import facts
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry, record
from portal.foundation.database import db, transaction
from portal.foundation.facts import FACTS, LISTENERS, DeliveryState, Fact, FactDelivery
from portal.foundation.jobs.models import Heartbeat
from portal.foundation.settings import DEFINITIONS, setting
from tests.factories.accounts import CAST, make_user
from tests.pages import parsed, part, post, sign_in

FOR_ADMINISTRATORS = ("/desk/settings", "/desk/jobs", "/desk/jobs/deals.expire", "/desk/facts")
STAFF = {name for name in CAST if name.endswith("@vendor.example")}


def window(app, email):
    with app.app_context():
        make_user(email)
    client = app.test_client()
    assert sign_in(client, email).status_code == 303
    return client


@pytest.fixture
def admin(app):
    return window(app, "admin@vendor.example")


@pytest.mark.parametrize("email", sorted(CAST.keys() - {"admin@vendor.example"}))
def test_others_do_not_see_the_machinery(app, email):
    client = window(app, email)
    for path in (*FOR_ADMINISTRATORS, "/desk/audit"):
        assert client.get(path).status_code == 403, path
    for path in ("/desk/settings", "/desk/facts/retry"):
        assert post(client, path, {"deals.protection_days": "1"}).status_code == 403, path
    status = 200 if email in STAFF else 403
    assert client.get("/desk/styleguide").status_code == status
    with app.app_context():
        assert setting("deals.protection_days") == 90


def test_nobody_signed_in_is_asked_to(client):
    for path in (*FOR_ADMINISTRATORS, "/desk/audit", "/desk/styleguide"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login")
    assert post(client, "/desk/settings", {"deals.protection_days": "1"}).status_code == 303
    assert post(client, "/desk/facts/retry").status_code == 303


def sent_by(client) -> dict[str, str]:
    """Return what a browser would send of the settings as they are shown."""
    form = parsed(client.get("/desk/settings")).select_one("main form")
    boxes = form.select("input[type=checkbox]")
    sent = {
        one["name"]: one.get("value", "") for one in form.select("input[name]") if one not in boxes
    }
    return sent | {one["name"]: "on" for one in boxes if one.has_attr("checked")}


def test_every_setting_is_shown_and_saving_them_changes_nothing(app, admin):
    sent = sent_by(admin)
    texts = {name for name, one in DEFINITIONS.items() if not isinstance(one.default, bool)}
    assert texts <= sent.keys()
    assert admin.post("/desk/settings", data=sent).status_code == 303
    with app.app_context():
        changed = sa.select(sa.func.count()).where(AuditEntry.name == "settings.setting.changed")
        assert db.session.scalar(changed) == 0


def test_a_change_holds_and_is_in_the_audit(app, admin):
    sent = sent_by(admin) | {"deals.protection_days": "120", "deals.evidence_required": "on"}
    sent["vendor.name"] = "Halden <Instruments>"
    assert admin.post("/desk/settings", data=sent).status_code == 303
    with app.app_context():
        assert setting("deals.protection_days") == 120
        assert setting("deals.evidence_required") is True
    page = admin.get("/desk/settings")
    assert "Settings saved." in page.text
    assert "Halden &lt;Instruments&gt;" in page.text
    assert "Halden <Instruments>" not in page.text
    audit = admin.get("/desk/audit").text
    assert "deals.protection_days" in audit
    assert "120" in audit
    sent = sent_by(admin)
    del sent["deals.evidence_required"]
    assert admin.post("/desk/settings", data=sent).status_code == 303
    with app.app_context():
        assert setting("deals.evidence_required") is False


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("deals.protection_days", "0", "Write a number from 1 to 1000."),
        ("deals.protection_days", "1e3", "Write a whole number."),
        ("deals.protection_days", "9" * 5_000, "Write"),
        ("deals.protection_days", "", "Write a whole number."),
        ("vendor.zone", "Europe/Nowhere", "This is not a time zone"),
        ("vendor.currency", "XXQ", "currency"),
        ("vendor.name", "", "Fill this in"),
        ("vendor.name", "a\x07b", "Fill this in"),
    ],
)
def test_a_wrong_value_saves_nothing_and_is_kept_to_be_mended(app, admin, name, value, said):
    before = sent_by(admin)
    answer = admin.post("/desk/settings", data=before | {"deals.decision_days": "5", name: value})
    assert answer.status_code == 422
    field = part(answer, f"[name='{name}']")
    assert field["aria-invalid"] == "true"
    assert said in part(answer, f"#{field['aria-describedby']}").text
    assert part(answer, "[name='deals.decision_days']")["value"] == "5"
    assert {k: v for k, v in sent_by(admin).items() if "." in k} == {
        k: v for k, v in before.items() if "." in k
    }


def test_the_same_form_sent_twice_is_carried_out_once(admin):
    sent = sent_by(admin) | {"deals.decision_days": "5"}
    assert admin.post("/desk/settings", data=sent).status_code == 303
    again = admin.post("/desk/settings", data=sent)
    assert again.status_code == 422
    assert "already sent" in again.text


def test_a_stopped_clock_is_said(app, admin):
    assert "The clock has stopped" in admin.get("/desk/jobs").text
    now = foundation_clock.machine_now()
    with app.app_context(), transaction():
        db.session.add(Heartbeat(worker="here:1", started_at=now, beat_at=now, leads=True))
    page = admin.get("/desk/jobs")
    assert "The clock runs" in page.text
    assert "Schedules and works" in page.text


def test_runs_of_each_job_are_shown(app, admin, runner):
    assert runner.invoke(args=["jobs", "once", "deals.expire"]).exit_code == 0
    page = admin.get("/desk/jobs")
    assert parsed(page).select_one("a[href='/desk/jobs/deals.expire']")
    assert len(parsed(admin.get("/desk/jobs/deals.expire")).select("tbody tr")) == 1
    assert "It has not run yet" in admin.get("/desk/jobs/points.expire").text
    assert admin.get("/desk/jobs/none").headers["Location"] == "/desk/jobs"


@dataclass(frozen=True)
class Broken(Fact):
    """A fact that its listener cannot bear.

    number: which.
    """

    number: int


Broken.name = "tests.broken"


def test_a_failed_delivery_is_shown_and_tried_again(app, admin, monkeypatch):
    mended = []

    def listener(broken: Broken) -> None:
        if not mended:
            raise ValueError("<b>cannot bear it</b>")
        record(SYSTEM, "settings.setting.changed", setting="heard", value=broken.number)

    monkeypatch.setitem(FACTS, Broken.name, Broken)
    monkeypatch.setitem(LISTENERS, "tests.listener", (Broken.name, listener))
    assert "Nothing was given up" in admin.get("/desk/facts").text
    with app.app_context():
        with transaction():
            facts.announce(Broken(7))
        assert [facts.deliver(one) for one in facts.waiting_deliveries()] == [False]
        with transaction() as session:
            session.execute(sa.update(FactDelivery).values(state=DeliveryState.FAILED))
    page = admin.get("/desk/facts")
    assert "tests.broken" in page.text
    assert "&lt;b&gt;cannot bear it" in page.text
    assert "<b>cannot bear it" not in page.text
    mended.append(True)
    assert post(admin, "/desk/facts/retry").status_code == 303
    assert "1 deliveries queued again." in admin.get("/desk/facts").text
    with app.app_context():
        assert [facts.deliver(one) for one in facts.waiting_deliveries()] == [True]
    assert "Nothing was given up" in admin.get("/desk/facts").text


def test_the_audit_is_filtered_and_given_as_a_file(app, admin):
    with app.app_context(), transaction():
        record(SYSTEM, "settings.setting.changed", setting="=1+1", value=1)
    page = admin.get("/desk/audit")
    assert len(parsed(page).select("tbody tr")) > 1
    table = admin.get("/desk/audit?format=csv")
    assert table.status_code == 200
    assert table.content_type.startswith("text/csv")
    assert not any(
        cell.startswith("=") for line in table.text.splitlines() for cell in line.split(",")
    )
    assert admin.get("/desk/audit?after=nonsense").status_code in {200, 404}


def test_the_styleguide_shows_components_in_both_languages(app, admin):
    assert admin.get("/desk/styleguide").status_code == 200
    chinese = admin.get("/desk/styleguide", headers={"Accept-Language": "zh-CN"})
    assert chinese.status_code == 200
