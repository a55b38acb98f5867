"""Users at the desk: inviting, changing, shutting out, looking as another."""

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from portal.accounts import queries
from portal.accounts.models import Role, User
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db
from tests.factories.accounts import CAST, enrol, make_token, make_user
from tests.journeys.test_signing_in import newest_link
from tests.pages import parsed, part, post, sign_in

ADA = "admin@vendor.example"
LIN = "lin@club.example"
SERVICE = "service@vendor.example"


@pytest.fixture
def people(app):
    with app.app_context():
        return {email: make_user(email).id for email in (ADA, LIN, SERVICE, "owner@north.example")}


@pytest.fixture
def desk(client, people):
    sign_in(client, ADA)
    return client


def names(client, **query):
    page = parsed(client.get("/desk/users", query_string=query))
    return [cell.text for cell in page.select("td.name")]


@pytest.mark.both_databases
def test_the_list_is_sorted_filtered_and_exported(desk):
    assert names(desk) == ["Ada Halden", "Nora North", "Per Lund", "林晓雯"]
    assert names(desk, kind="staff") == ["Ada Halden", "Per Lund"]
    assert names(desk, kind="partner") == ["Nora North"]
    assert names(desk, role="member") == ["林晓雯"]
    assert names(desk, email="OWNER@") == ["Nora North"]
    assert names(desk, state="invited") == []
    assert names(desk, order="-name")[0] == "林晓雯"
    csv = desk.get("/desk/users?format=csv").text
    assert "Service manager" in csv
    assert "guildhall" not in csv


def test_the_list_asks_as_much_for_many_as_for_few(app, desk):
    def statements():
        counted = []
        with app.app_context():
            engine = db.engine

        def count(*_):
            counted.append(1)

        event.listen(engine, "before_cursor_execute", count)
        desk.get("/desk/users")
        event.remove(engine, "before_cursor_execute", count)
        return len(counted)

    desk.get("/desk/users")
    few = statements()
    with app.app_context():
        for number in range(12):
            make_user(f"m{number}@club.example", name=f"M {number}", roles=[Role.MEMBER])
    assert statements() == few


@pytest.mark.parametrize("email", sorted(set(CAST) - {ADA}))
def test_only_administrators_come_in(app, people, email):
    with app.app_context():
        if queries.user_by_email(email) is None:
            make_user(email)
    client = app.test_client()
    sign_in(client, email)
    other = people[LIN]
    for path in ("/desk/users", "/desk/users/new", f"/desk/users/{other}"):
        assert client.get(path).status_code == 403
    assert client.get(f"/desk/users/{other}/edit").status_code == 403
    for step in (
        "edit", "deactivate", "reactivate", "send-link", "reset-second-factor", "end-sessions",
        "view-as",
    ):  # fmt: skip
        assert post(client, f"/desk/users/{other}/{step}").status_code == 403
    with app.app_context():
        assert db.session.get_one(User, other).is_active


def test_an_invitation_becomes_a_user(app, desk):
    data = {"email": "ella@vendor.example", "name": "Ella", "roles": "marketing", "language": "en"}
    made = post(desk, "/desk/users/new", data)
    assert made.status_code == 303
    assert "Invited" in desk.get(made.headers["Location"]).text
    first = newest_link(app, "invitation")
    again = post(desk, made.headers["Location"] + "/send-link")
    assert again.status_code == 303
    path = newest_link(app, "invitation")
    assert path != first
    ella = app.test_client()
    assert "Welcome" in ella.get(path).text
    assert post(ella, path, {"password": "a good one for Ella"}).status_code == 303
    assert ella.get(first).status_code == 410, "the other invitation is useless now"
    assert sign_in(ella, "ella@vendor.example", "a good one for Ella").status_code == 303


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"email": LIN.upper()}, "There is a user with this address already."),
        ({"email": "no address"}, "This is not an e-mail address."),
        ({"roles": []}, "Choose at least one role."),
        ({"roles": "emperor"}, "Invalid choice"),
        ({"roles": "technician"}, "This role needs a partner."),
        ({"roles": "technician", "partner": "NO-1"}, "No partner has this reference."),
        ({"roles": ["marketing", "technician"]}, "Staff of the vendor cannot work for a partner"),
    ],
)
def test_an_invitation_that_cannot_be_says_why(app, desk, data, sentence):
    given = {"email": "ella@vendor.example", "name": "Ella", "roles": "member", "language": "en"}
    answer = post(desk, "/desk/users/new", given | data)
    assert answer.status_code == 422
    assert sentence in answer.text
    with app.app_context():
        assert queries.user_by_email("ella@vendor.example") is None


@pytest.mark.both_databases
def test_roles_are_changed_unless_somebody_else_did_meanwhile(app, desk, people):
    path = f"/desk/users/{people[SERVICE]}/edit"
    version = part(desk.get(path), "[name=version]")["value"]
    data = {"name": "Per Lund", "roles": ["service_manager", "marketing"], "version": version}
    assert post(desk, path, data).status_code == 303
    stale = post(desk, path, data | {"roles": ["service_manager"]})
    assert stale.status_code == 422
    assert "Somebody else changed this meanwhile." in stale.text
    with app.app_context():
        assert len(db.session.get_one(User, people[SERVICE]).role_names) == 2


def test_shutting_out_and_letting_in(app, desk, people):
    lin = app.test_client()
    sign_in(lin, LIN)
    path = f"/desk/users/{people[LIN]}"
    assert post(desk, path + "/deactivate").status_code == 303
    assert lin.get("/profile").status_code == 303
    assert sign_in(lin, LIN).status_code == 422
    assert post(desk, path + "/deactivate").status_code == 403
    assert post(desk, path + "/reactivate").status_code == 303
    assert sign_in(lin, LIN).status_code == 303
    assert post(desk, f"/desk/users/{people[ADA]}/deactivate").status_code == 403, "not oneself"


def test_a_lost_second_factor_is_turned_off(app, desk, people):
    with app.app_context():
        enrol(db.session.get_one(User, people[LIN]))
    assert post(desk, f"/desk/users/{people[LIN]}/reset-second-factor").status_code == 303
    assert sign_in(app.test_client(), LIN).headers["Location"] != "/login/code"


def test_users_that_are_not_there(desk):
    assert desk.get("/desk/users/999").status_code == 404
    assert post(desk, "/desk/users/999/deactivate").status_code == 404


@pytest.mark.both_databases
def test_looking_as_another_reads_and_writes_nothing(app, desk, people):
    assert post(desk, f"/desk/users/{people[LIN]}/view-as").status_code == 303
    page = desk.get("/profile")
    assert "You see what 林晓雯 sees." in page.text
    assert desk.get("/desk/users").status_code == 403, "with the other's rights only"
    for path in ("/profile/security", "/profile/second-factor", "/profile/devices"):
        assert desk.get(path).status_code == 403
    refused = post(desk, "/profile", {"name": "Changed", "language": "", "zone": "UTC"})
    assert refused.status_code == 403
    for path in ("/profile/password", "/language", "/profile/devices/end-others"):
        assert post(desk, path).status_code == 403
    with app.app_context():
        assert db.session.get_one(User, people[LIN]).name == "林晓雯"
        actor = queries.actor_for_token(make_token(db.session.get_one(User, people[ADA])))
        assert actor is not None
        assert actor.is_staff, "the API is not affected"
    stopped = post(desk, "/view-as/stop")
    assert stopped.headers["Location"] == f"/desk/users/{people[LIN]}"
    assert desk.get("/desk/users").status_code == 200
    with app.app_context():
        said = db.session.scalars(
            sa.select(AuditEntry.name).where(AuditEntry.name.like("accounts.viewing.%"))
        ).all()
        refusals = db.session.scalars(
            sa.select(AuditEntry).where(AuditEntry.name == "web.access.refused")
        ).all()
    assert said == ["accounts.viewing.started", "accounts.viewing.stopped"]
    assert {entry.viewed_by_id for entry in refusals} == {people[ADA]}


def test_nobody_looks_as_an_administrator_or_from_within(app, desk, people):
    with app.app_context():
        other = make_user("bo@vendor.example", name="Bo", roles=[Role.ADMINISTRATOR]).id
    assert post(desk, f"/desk/users/{other}/view-as").status_code == 403
    assert post(desk, f"/desk/users/{people[ADA]}/view-as").status_code == 403
    post(desk, f"/desk/users/{people[LIN]}/view-as")
    assert post(desk, f"/desk/users/{people[SERVICE]}/view-as").status_code == 403


def test_signing_out_while_looking_ends_the_administrators_session(desk, people):
    post(desk, f"/desk/users/{people[LIN]}/view-as")
    assert post(desk, "/logout").status_code == 303
    assert desk.get("/profile").status_code == 303
