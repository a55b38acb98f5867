"""One's own account over HTTP: profile, password, devices, tokens."""

import pytest
import sqlalchemy as sa

from portal.accounts import queries
from portal.accounts.models import ApiToken, User, UserSession
from portal.foundation.database import db, transaction
from tests.factories.accounts import code_now, enrol, make_user
from tests.pages import PASSWORD, parsed, part, post, sign_in

ADA = "admin@vendor.example"
LIN = "lin@club.example"


@pytest.fixture
def ada(app):
    with app.app_context():
        return make_user()


@pytest.fixture
def signed_in(client, ada):
    sign_in(client, ADA)
    return client


def test_the_profile(app, signed_in):
    data = {"name": "Ada Byron", "language": "zh_Hans_CN", "zone": "Asia/Shanghai"}
    assert post(signed_in, "/profile", data).status_code == 303
    page = signed_in.get("/profile")
    assert 'lang="zh-Hans"' in page.text
    assert "Ada Byron" in page.text
    assert post(signed_in, "/profile", data | {"zone": "Nowhere/City"}).status_code == 422
    assert post(signed_in, "/profile", data | {"name": "a\x07b"}).status_code == 422
    with app.app_context():
        user = db.session.scalars(sa.select(User)).one()
        assert (user.name, user.zone) == ("Ada Byron", "Asia/Shanghai")


def test_what_the_form_does_not_have_is_not_set(app, signed_in, ada):
    data = {"name": "Ada", "language": "", "zone": "UTC", "roles": "member", "is_active": ""}
    post(signed_in, "/profile", data | {"email": "x@x.example", "partner_id": "1"})
    with app.app_context():
        user = db.session.get_one(User, ada.id)
        assert (user.email, user.is_active, user.partner_id) == (ADA, True, None)
        assert user.role_names == {"administrator"}


def test_a_new_password_needs_the_old_and_ends_other_devices(app, signed_in):
    other = app.test_client()
    sign_in(other, ADA)
    before = signed_in.get_cookie("guildhall").value
    wrong = post(signed_in, "/profile/password", {"present": "x", "password": "a better one 4"})
    assert wrong.status_code == 422
    assert "This is not your present password." in wrong.text
    data = {"present": PASSWORD, "password": "a better one 4"}
    assert post(signed_in, "/profile/password", data).status_code == 303
    assert signed_in.get("/profile").status_code == 200
    assert other.get("/profile").status_code == 303
    other.set_cookie("guildhall", before)
    assert other.get("/profile").status_code == 303, "the cookie of before opens nothing"
    assert sign_in(app.test_client(), ADA, "a better one 4").status_code == 303


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/profile/e-mail", {"new-email": "ada@new.example", "new-present": "wrong"}),
        ("/profile/second-factor/start", {"present": "wrong"}),
        ("/profile/second-factor/codes", {"renew-present": "wrong"}),
        ("/profile/second-factor/off", {"off-present": "wrong"}),
        ("/profile/tokens", {"name": "x", "expires_in": "30", "present": "wrong"}),
    ],
)
def test_what_matters_needs_the_present_password(app, signed_in, ada, path, data):
    with app.app_context():
        if path.endswith(("codes", "off")):
            enrol(db.session.get_one(User, ada.id))
    answer = post(signed_in, path, data)
    assert answer.status_code == 422
    assert "This is not your present password." in answer.text


def test_the_second_factor_on_and_off(app, signed_in, clock):
    clock.set("2026-03-01T09:00Z")
    sign_in(signed_in, ADA)
    other = app.test_client()
    sign_in(other, ADA)
    post(signed_in, "/profile/second-factor/start", {"present": PASSWORD})
    page = signed_in.get("/profile/second-factor")
    assert "<svg" in page.text
    secret = part(page, ".copy code").text
    assert post(signed_in, "/profile/second-factor/confirm", {"code": "1"}).status_code == 422
    done = post(signed_in, "/profile/second-factor/confirm", {"code": code_now(secret)})
    assert done.status_code == 200
    first = part(done, "pre").text.split()
    assert other.get("/profile").status_code == 303, "other devices are signed out"
    assert secret not in signed_in.get("/profile/second-factor").text
    renewed = post(signed_in, "/profile/second-factor/codes", {"renew-present": PASSWORD})
    assert not set(first) & set(part(renewed, "pre").text.split())
    off = post(signed_in, "/profile/second-factor/off", {"off-present": PASSWORD})
    assert off.status_code == 303
    assert sign_in(app.test_client(), ADA).headers["Location"] != "/login/code"


def test_devices_are_signed_out_from_afar(app, signed_in):
    others = [app.test_client() for _ in range(3)]
    for other in others:
        sign_in(other, ADA)
    page = parsed(signed_in.get("/profile/devices"))
    forms = page.select('form[action$="/end"]')
    assert len(forms) == 3
    for form in forms[:1]:
        assert post(signed_in, str(form["action"])).status_code == 303
    assert [other.get("/profile").status_code for other in others].count(303) == 1
    post(signed_in, "/profile/devices/end-others")
    assert [other.get("/profile").status_code for other in others] == [303] * 3
    assert signed_in.get("/profile").status_code == 200


def test_nobody_ends_another_users_devices_or_tokens(app, signed_in, ada):
    post(signed_in, "/profile/tokens", {"name": "x", "expires_in": "30", "present": PASSWORD})
    with app.app_context():
        make_user(LIN)
        session_id = db.session.scalar(sa.select(UserSession.id))
        token_id = db.session.scalar(sa.select(ApiToken.id))
    rival = app.test_client()
    sign_in(rival, LIN)
    assert post(rival, f"/profile/devices/{session_id}/end").status_code == 404
    assert post(rival, f"/profile/tokens/{token_id}/revoke").status_code == 404
    assert signed_in.get("/profile").status_code == 200


def test_a_token_is_shown_once_and_revoked(app, signed_in):
    data = {"name": "the shop", "expires_in": "90", "present": PASSWORD}
    made = post(signed_in, "/profile/tokens", data)
    token = part(made, ".copy code").text
    assert token.startswith("gh_")
    page = signed_in.get("/profile/tokens")
    assert token not in page.text
    with app.app_context():
        actor = queries.actor_for_token(token)
        assert actor is not None
        assert actor.email == ADA
    form = part(page, 'form[action$="/revoke"]')
    assert post(signed_in, str(form["action"])).status_code == 303
    with app.app_context():
        assert queries.actor_for_token(token) is None


@pytest.mark.both_databases
def test_a_form_sent_twice_is_carried_out_once(app, signed_in):
    page = parsed(signed_in.get("/profile/tokens"))
    data = {
        field["name"]: field.get("value", "")
        for field in page.select("main form[action='/profile/tokens'] input")
    } | {"name": "twice", "expires_in": "30", "present": PASSWORD}
    assert signed_in.post("/profile/tokens", data=data).status_code == 200
    assert signed_in.post("/profile/tokens", data=data).status_code == 422
    with app.app_context():
        assert len(db.session.scalars(sa.select(ApiToken)).all()) == 1


def test_deactivation_ends_the_session_at_once(app, signed_in, ada):
    with app.app_context(), transaction():
        db.session.get_one(User, ada.id).is_active = False
    assert signed_in.get("/profile").status_code == 303
