"""Partners: operations, pages, API, files."""

import json

import pytest
import sqlalchemy as sa

from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from portal.foundation.facts import StoredFact
from portal.partners import operations, queries
from portal.partners.models import Partner, PartnerState
from tests.factories import accounts, partners
from tests.factories.service_jobs import bearer, browser, counted_reads

HEAD = "reference,name,kind,country,domain,tax_id,tier,city,latitude,longitude,email,status\n"
FILE = (
    HEAD
    + "NORTH,North Systems,distributor,NO,north.example,NO1,Gold,Oslo,59.9,10.7,a@north.example,\n"
    + "FIXIT,Fix-It,repair_station,SE,,,,,,,,suspended\n"
)


@pytest.fixture
def load(runner, tmp_path):
    def run(text: str):
        file = tmp_path / "partners.csv"
        file.write_text(text, "utf-8")
        done = runner.invoke(args=["import", "partners", str(file)])
        return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])

    return run


@pytest.fixture
def cast(app):
    """Actors: seller and rival, channel and service manager, member; a technician of the seller."""
    with app.app_context():
        north = partners.north()
        return {
            "north": north,
            "harbour": partners.harbour(),
            "manager": partners.channel_manager(),
            "service": partners.person("service@vendor.example"),
            "member": accounts.actor_of(accounts.make_user("lin@club.example")),
            "technician": partners.technician_of_north(north),
        }


def test_a_partner_gets_a_reference_of_its_own(context):
    with transaction():
        partner = operations.add_partner(SYSTEM, name="New", kind="reseller", country="PL")
    assert partner.reference == f"P-{partner.id:05d}"
    assert partner.status is PartnerState.ONBOARDING


@pytest.mark.parametrize(
    ("field", "value"),
    [("country", "ZZ"), ("zone", "Mars"), ("domain", "no domain"), ("email", "nobody")],
)
def test_what_cannot_be_is_refused(context, field, value):
    values = {"name": "New", "kind": "reseller", "country": "PL"} | {field: value}
    with pytest.raises(Refused) as refusal, transaction():
        operations.add_partner(SYSTEM, **values)
    assert refusal.value.field == field


def test_a_reference_is_taken_once(context):
    partners.partner("North", "NORTH")
    with pytest.raises(Refused) as refusal:
        partners.partner("Other", "NORTH")
    assert refusal.value.field == "reference"


def test_the_steps_of_a_partnership(context):
    partner = partners.partner("North", "NORTH", status=PartnerState.ONBOARDING)
    with transaction():
        operations.activate_partner(SYSTEM, partner)
        operations.put_partner_on_notice(SYSTEM, partner, reason="No deals.")
        operations.suspend_partner(SYSTEM, partner, reason="Unpaid.")
    assert partner.status is PartnerState.SUSPENDED
    with pytest.raises(WrongState), transaction():
        operations.activate_partner(SYSTEM, partner)
    with transaction():
        operations.reinstate_partner(SYSTEM, partner)
    assert partner.status is PartnerState.ACTIVE
    facts = db.session.scalars(sa.select(StoredFact.name).order_by(StoredFact.id)).all()
    assert facts == ["partners.partner_suspended", "partners.partner_reinstated"]


def test_staff_add_edit_and_suspend(app, cast):
    manager = browser(app, cast["manager"])
    fields = {"name": "Fjord AS", "kind": "reseller", "country": "NO", "zone": "Europe/Oslo"}
    made = manager.post("/partners/new", **fields, domain="www.fjord.example")
    assert made.status_code == 303
    page = made.location
    assert "fjord.example" in manager.get(page).text
    wrong = manager.post(f"{page}/edit", **fields | {"country": ""})
    assert wrong.status_code == 422
    assert manager.post(f"{page}/edit", **fields, city="Bergen").status_code == 303
    stale = manager.post(f"{page}/edit", **fields | {"version": "1"}, city="Oslo")
    assert "Somebody else changed this" in stale.text
    assert manager.post(f"{page}/suspend", reason="").status_code == 422
    assert manager.post(f"{page}/suspend", reason="Unpaid.").status_code == 303
    shown = manager.get(page).text
    assert "Bergen" in shown
    assert "Unpaid." in shown
    assert manager.post(f"{page}/activate", page=page).status_code == 303
    assert "Suspended" in manager.get(page).text
    manager.post(f"{page}/reinstate", page=page)
    assert "Active" in manager.get(page).text


def test_a_suspended_partners_people_see_nothing_at_once(app, cast, client):
    seller = browser(app, cast["north"])
    headers = bearer(app, cast["north"])
    assert seller.get("/partners/1").status_code == 200
    with app.app_context():
        partners.suspend(db.session.get_one(Partner, cast["north"].tenant_id))
    assert seller.get("/partners/1").status_code == 403
    assert client.get("/api/v1/partners", headers=headers).status_code == 403


def test_a_partner_sees_itself_and_changes_nothing(app, cast):
    seller = browser(app, cast["north"])
    own, rival = cast["north"].tenant_id, cast["harbour"].tenant_id
    page = seller.get(f"/partners/{own}")
    assert "North Systems" in page.text
    assert "Timeline" not in page.text
    assert seller.get(f"/partners/{rival}").status_code == 404
    assert seller.get("/partners").status_code == 403
    for path in ("/partners/new", f"/partners/{own}/edit", f"/partners/{own}/suspend"):
        assert seller.get(path).status_code == 403
    for step in ("activate", "reinstate", "suspend", "put_on_notice"):
        answer = seller.post(f"/partners/{own}/{step}", page=f"/partners/{own}", reason="x")
        assert answer.status_code == 403


@pytest.mark.parametrize("who", ["service", "member", "technician"])
def test_other_roles_change_nothing(app, cast, who):
    reader = browser(app, cast[who])
    for path in ("/partners/new", "/partners/1/edit", "/partners/1/suspend"):
        assert reader.get(path).status_code == 403
    for step in ("activate", "reinstate", "suspend", "put_on_notice"):
        answer = reader.post(f"/partners/1/{step}", page="/profile", reason="x")
        assert answer.status_code == 403
    seen = {"service": 200, "technician": 200, "member": 403}[who]
    assert reader.get("/partners/1").status_code == seen
    assert reader.get("/partners").status_code == (200 if who == "service" else 403)


def test_signed_out_leads_to_the_door(app, cast, client):
    for path in ("/partners", "/partners/1", "/partners/new", "/partners/1/edit"):
        assert client.get(path).status_code == 303
    assert client.get("/api/v1/partners").status_code == 401


def test_the_api_shows_what_the_pages_show(app, cast, client):
    seller, manager = bearer(app, cast["north"]), bearer(app, cast["manager"])
    assert [
        p["reference"] for p in client.get("/api/v1/partners", headers=seller).json["items"]
    ] == ["NORTH"]
    both = client.get("/api/v1/partners", headers=manager).json["items"]
    assert [partner["reference"] for partner in both] == ["HARBOUR", "NORTH"]
    assert client.get("/api/v1/partners/NORTH", headers=seller).json["status"] == "active"
    assert client.get("/api/v1/partners/HARBOUR", headers=seller).status_code == 404
    assert client.get("/api/v1/partners/NONE", headers=manager).status_code == 404


def test_the_list_asks_the_same_for_more_rows(app, cast):
    reader = browser(app, cast["manager"])

    def reads() -> int:
        with app.app_context(), counted_reads() as sent:
            assert reader.get("/partners").status_code == 200
        return len(sent)

    before = reads()
    with app.app_context():
        for number in range(5):
            partners.partner(f"More {number}", f"M-{number}")
    assert reads() == before
    assert "More 3" not in reader.get("/partners?name=nor").text


@pytest.mark.both_databases
def test_a_file_makes_and_changes_partners(app, load):
    assert load(FILE)[1]["created"] == 2
    assert load(FILE)[1]["unchanged"] == 2
    code, counts = load(HEAD + "NORTH,North Systems AS,distributor,NO,,,,,,,,on_notice\n")
    assert (code, counts["updated"]) == (0, 1)
    with app.app_context():
        partner = queries.partners_by_reference(["NORTH"])["NORTH"]
        assert (partner.name, partner.city, partner.latitude) == ("North Systems AS", "Oslo", 59.9)
        assert (partner.status, partner.version) == (PartnerState.ON_NOTICE, 2)
        names = db.session.scalars(sa.select(AuditEntry.name).order_by(AuditEntry.id)).all()
        assert names.count("partners.partner.imported") == 2
        assert names.count("partners.partner.changed") == 1


@pytest.mark.parametrize(
    "row", ["A,A,shop,NO,,,,,,,,", "A,A,reseller,ZZ,,,,,,,,", "A,A,reseller,NO,no domain,,,,,,,",
            "A,A,reseller,NO,,,,,91,,,", ",A,reseller,NO,,,,,,,,"]
)  # fmt: skip
def test_bad_rows_are_rejected(load, row):
    code, counts = load(HEAD + row + "\n")
    assert (code, counts["rejected"]) == (3, 1)


def test_what_is_exported_is_taken_as_unchanged(load, runner):
    load(FILE)
    exported = runner.invoke(args=["export", "partners"])
    assert load(exported.stdout.lstrip("\ufeff"))[1]["unchanged"] == 2
