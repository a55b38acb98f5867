"""Pages of deals as their readers use them."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.deals.models import Deal, DealState
from portal.foundation.database import db
from tests.factories import accounts, deals, partners, products
from tests.factories.service_jobs import browser, counted_reads


@pytest.fixture
def cast(app, clock):
    """Browsers of the seller, the rival, the reviewer and others; and a deal of the seller."""
    clock.set("2026-11-23T09:00Z")
    with app.app_context():
        products.price_list()
        north, harbour = partners.north(), partners.harbour()
        manager = partners.channel_manager()
        actors = {
            "north": north,
            "harbour": harbour,
            "manager": manager,
            "service": partners.person("service@vendor.example"),
            "technician": partners.technician_of_north(north),
            "member": accounts.actor_of(accounts.make_user("lin@club.example")),
        }
        draft = deals.draft(north)
        waiting = deals.submitted(north, customer_name="Kemira Oyj", customer_tax_id="FI1")
        back = deals.returned(
            north, manager, customer_name="Nordzucker AG", customer_tax_id="DE1",
            customer_domain=None,
        )  # fmt: skip
        ids = {"draft": draft.id, "waiting": waiting.id, "returned": back.id}
    return {name: browser(app, actor) for name, actor in actors.items()} | ids


def of(app, deal_id: int) -> Deal:
    with app.app_context():
        return db.session.get_one(Deal, deal_id)


FIELDS = {
    "customer_name": "Equinor ASA",
    "customer_country": "NO",
    "customer_tax_id": "",
    "customer_domain": "",
    "lines-0-sku": "HX-900",
    "lines-0-quantity": "2",
    "lines-0-amount": "1000.50",
    "currency": "EUR",
    "expected_close_on": "2027-03-31",
    "source": "own",
    "evidence": "",
}


def test_a_partner_registers_and_submits_at_once(app, cast):
    answer = cast["north"].post("/deals/new", **FIELDS, do="submit")
    assert answer.status_code == 303
    page = cast["north"].get(answer.location)
    assert "Equinor ASA" in page.text
    assert "Submitted" in page.text
    assert "1,000.50" in page.text


def test_a_draft_is_saved_with_anything(app, cast):
    answer = cast["north"].post(
        "/deals/new", **dict.fromkeys(FIELDS, "") | {"currency": "EUR", "source": "own"}, do="save"
    )
    assert answer.status_code == 303
    assert "No name yet" in cast["north"].get("/deals").text


def test_what_cannot_be_is_refused_and_kept_on_the_form(app, cast):
    wrong = FIELDS | {"expected_close_on": "2027-02-30", "lines-0-amount": "-5"}
    answer = cast["north"].post("/deals/new", **wrong, do="save")
    assert answer.status_code == 422
    assert "Equinor ASA" in answer.text
    assert "Line 1, Amount" in answer.text


def test_submitting_shows_everything_at_once_and_keeps_the_draft(app, cast):
    lacking = FIELDS | {"customer_name": "", "expected_close_on": "2026-01-31"}
    answer = cast["north"].post("/deals/new", **lacking, do="submit")
    assert answer.status_code == 422
    assert "Write the customer" in answer.text
    assert "31 January 2026 has passed" in answer.text
    with app.app_context():
        kept = db.session.scalars(sa.select(Deal).order_by(Deal.id.desc())).first()
        assert kept is not None
        assert (kept.status, kept.lines[0].sku) == (DealState.DRAFT, "HX-900")
    assert f"/deals/{kept.id}/edit" in answer.text


def test_another_line_is_added_without_saving(app, cast):
    answer = cast["north"].post("/deals/new", **FIELDS, do="line")
    assert answer.status_code == 200
    assert 'name="lines-1-sku"' in answer.text
    assert "Equinor ASA" in answer.text


def test_a_stale_form_is_refused(app, cast):
    path = f"/deals/{cast['draft']}/edit"
    first = cast["north"].post(path, **FIELDS, do="save")
    assert first.status_code == 303
    stale = cast["north"].post(path, **FIELDS | {"version": "1"}, do="save")
    assert stale.status_code == 422
    assert "Somebody else changed this" in stale.text


def test_a_returned_deal_is_answered(app, cast):
    path = f"/deals/{cast['returned']}/answer"
    assert "Which site is it for?" in cast["north"].get(path).text
    answer = cast["north"].post(path, evidence="For Oslo.", expected_close_on="2027-03-31")
    assert answer.status_code == 303
    assert of(app, cast["returned"]).status is DealState.IN_REVIEW


def test_only_a_draft_is_edited_and_deleted(app, cast):
    assert cast["north"].get(f"/deals/{cast['waiting']}/edit").status_code == 303
    refused = cast["north"].post(
        f"/deals/{cast['waiting']}/edit", page=f"/deals/{cast['draft']}/edit", **FIELDS, do="save"
    )
    assert refused.status_code == 422
    path = f"/deals/{cast['waiting']}/delete"
    assert cast["north"].post(path, page="/deals").status_code == 303
    assert of(app, cast["waiting"]).status is DealState.SUBMITTED
    cast["north"].post(f"/deals/{cast['draft']}/delete", page="/deals")
    assert cast["north"].get(f"/deals/{cast['draft']}").status_code == 404


def test_the_reviewer_decides_from_the_queue(app, cast):
    queue = cast["manager"].get("/desk/queue")
    assert "Kemira Oyj" in queue.text
    assert "Nordzucker" not in queue.text
    path = f"/deals/{cast['waiting']}"
    assert cast["manager"].post(f"{path}/review", page="/desk/queue", back="queue").location == (
        "/desk/queue"
    )
    empty = cast["manager"].post(f"{path}/return", reason="")
    assert empty.status_code == 422
    cast["manager"].post(f"{path}/approve", page="/desk/queue", back="queue")
    assert of(app, cast["waiting"]).status is DealState.APPROVED
    assert "Nothing to decide" in cast["manager"].get("/desk/queue").text
    late = cast["manager"].post(f"{path}/reject", page=path, reason="Too late.")
    assert late.status_code == 422
    assert of(app, cast["waiting"]).status is DealState.APPROVED


def test_conflicts_are_shown_to_staff_alone(app, cast):
    values = FIELDS | {"customer_name": "Kemira", "customer_tax_id": "FI1"}
    made = cast["harbour"].post("/deals/new", **values, do="submit")
    theirs = cast["harbour"].get(made.location).text
    assert "Possible conflict, under review" in theirs
    assert "North" not in theirs
    assert "D-2026-00002" not in theirs
    ours = cast["manager"].get(made.location).text
    assert "Another deal for this customer comes first" in ours
    assert "North Systems" in ours


PAGES = ["", "/edit", "/answer"]
STEPS = ["submit", "withdraw", "delete", "review", "approve", "return", "reject"]


@pytest.mark.parametrize("kind", ["draft", "waiting", "returned"])
def test_a_rival_finds_none_of_it(app, cast, kind):
    path = f"/deals/{cast[kind]}"
    before = of(app, cast[kind]).status
    for page in PAGES:
        assert cast["harbour"].get(path + page).status_code == 404
    for step in STEPS:
        answer = cast["harbour"].post(f"{path}/{step}", page="/deals", reason="Mine.")
        assert answer.status_code in {403, 404}, step
    listed = cast["harbour"].get("/deals").text
    assert "Kemira" not in listed
    assert "Kemira" not in cast["harbour"].get("/deals?format=csv").text
    assert of(app, cast[kind]).status is before


@pytest.mark.parametrize("who", ["service", "technician", "member"])
def test_other_roles_have_nothing_to_do_with_deals(app, cast, who):
    for path in ("/deals", "/deals/new", f"/deals/{cast['waiting']}", "/desk/queue"):
        assert cast[who].get(path).status_code == 403
    for step in STEPS:
        path = f"/deals/{cast['waiting']}/{step}"
        assert cast[who].post(path, page="/profile", reason="No.").status_code == 403


def test_a_partner_decides_nothing(app, cast):
    for step in ("review", "approve", "return", "reject"):
        path = f"/deals/{cast['waiting']}/{step}"
        assert cast["north"].post(path, page="/deals", reason="Yes.").status_code == 403
    assert cast["north"].get("/desk/queue").status_code == 403


def test_signed_out_leads_to_the_door(app, cast, client):
    for path in ("/deals", "/deals/new", f"/deals/{cast['draft']}", "/desk/queue"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/login")


def test_the_list_filters_and_is_exported(app, cast):
    assert "Kemira" in cast["north"].get("/deals?customer=kem").text
    assert "Kemira" not in cast["north"].get("/deals?status=draft").text
    assert "Kemira" in cast["manager"].get("/deals?partner=NORTH").text
    assert "Kemira" not in cast["manager"].get("/deals?partner=HARBOUR").text
    assert "Kemira" not in cast["manager"].get("/deals?ending=yes").text
    csv = cast["manager"].get("/deals?format=csv").text.splitlines()
    assert csv[0] == "customer,reference,partner,status,amount,closes,protected"
    assert len(csv) == 4


def test_reads_do_not_grow_with_the_rows(app, cast):
    def reads(who: str, path: str) -> int:
        with app.app_context(), counted_reads() as sent:
            assert cast[who].get(path).status_code == 200
        return len(sent)

    paths = [("north", "/deals"), ("manager", "/deals"), ("manager", "/desk/queue")]
    before = [reads(*path) for path in paths]
    with app.app_context():
        owner = partners.partner("More", "MORE")
        seller = partners.person("m@more.example", owner, name="M", roles=[Role.PARTNER_ADMIN])
        for number in range(8):
            deals.submitted(
                seller, customer_name=f"More {number}", customer_tax_id=None, customer_domain=None
            )
    assert [reads(*path) for path in paths] == before
    assert max(before) <= 14


def test_a_suspended_partners_people_see_nothing(app, cast):
    with app.app_context():
        owner = db.session.get_one(partners.Partner, of(app, cast["draft"]).partner_id)
        partners.suspend(owner)
    for path in ("/deals", f"/deals/{cast['draft']}", "/deals/new"):
        assert cast["north"].get(path).status_code == 403
