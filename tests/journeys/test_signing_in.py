"""Signing in and out over HTTP, and what guessers and forgers meet."""

import re

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from portal.accounts import credentials, queries
from portal.accounts.jobs import send_link
from portal.accounts.models import OneTimeToken, SignInBackOff, User, UserSession
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.jobs.models import JobRun
from portal.foundation.jobs.registry import Run
from portal.foundation.mail.models import MailMessage
from portal.foundation.settings import change_setting
from tests.factories.accounts import code_now, enrol, make_token, make_user
from tests.pages import PASSWORD, csrf_token, part, post, sign_in

ADA = "admin@vendor.example"
LIN = "lin@club.example"


@pytest.fixture
def ada(app):
    with app.app_context():
        return make_user()


def is_in(client):
    return client.get("/profile").status_code == 200


def newest_link(app, kind):
    """Run the queued work and return the path of the newest mailed link."""
    with app.app_context():
        for queued in db.session.scalars(sa.select(JobRun).where(JobRun.job.like("accounts.%"))):
            send_link(Run(at=queued.due_at, args=queued.args))
        mails = sa.select(MailMessage).where(MailMessage.kind == f"accounts/{kind}")
        mail = db.session.scalars(mails.order_by(MailMessage.id.desc())).first()
        assert mail is not None
        base = app.config["BASE_URL"]
        found = re.search(re.escape(base) + r"(/(?:password|e-mail)/\S+)", mail.text)
        assert found is not None
        return found.group(1)


def test_in_and_out(client, ada):
    answer = sign_in(client, " Admin@Vendor.example ")
    assert answer.status_code == 303
    assert is_in(client)
    cookie = client.get_cookie("guildhall")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert post(client, "/logout").headers["Location"] == "/login"
    assert not is_in(client)
    client.set_cookie("guildhall", cookie.value)
    assert not is_in(client), "the old cookie opens nothing"


def test_each_sign_in_is_a_session_of_its_own(app, client, ada):
    sign_in(client, ADA)
    first = client.get_cookie("guildhall").value
    client.get("/logout")
    other = app.test_client()
    other.set_cookie("guildhall", first)
    answer = other.post(
        "/login",
        data={"csrf_token": csrf_token(other, "/profile"), "email": ADA, "password": PASSWORD},
    )
    assert answer.status_code == 303
    assert not is_in(client), "signing in again ends the former session of this cookie"


def test_https_cookies_have_the_host_prefix(applications):
    app = applications.make("sqlite", "https", {"BASE_URL": "https://guildhall.example"}).app
    answer = app.test_client().get("/login", base_url="https://guildhall.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-guildhall=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize("email", [ADA, "nobody@vendor.example"])
def test_a_wrong_password_and_an_unknown_address_look_alike(client, ada, email):
    answer = sign_in(client, email, "wrong")
    assert answer.status_code == 422
    assert "Address and password do not fit." in answer.text
    assert email in answer.text, "what was typed is still there"
    assert "wrong" not in answer.text


def test_the_deactivated_and_the_invited_look_like_strangers(app, client):
    with app.app_context():
        make_user("service@vendor.example", password=None)
        user = make_user(LIN)
        with transaction():
            user.is_active = False
    for email in ("service@vendor.example", LIN):
        answer = sign_in(client, email)
        assert answer.status_code == 422
        assert "Address and password do not fit." in answer.text


@pytest.mark.parametrize("email", [ADA, "nobody@vendor.example"])
def test_after_ten_failures_one_waits_whatever_one_tries(app, ada, clock, email):
    clock.set("2026-03-01T09:00Z")
    for number in range(10):
        address = email.upper() if number % 2 else email
        client = app.test_client()
        data = {"csrf_token": csrf_token(client), "email": address, "password": "wrong"}
        forged = {"X-Forwarded-For": f"192.0.2.{number}"}
        assert client.post("/login", data=data, headers=forged).status_code == 422
    client = app.test_client()
    post(client, "/password", {"email": email})
    answer = sign_in(client, email)
    assert answer.status_code == 429
    assert "Too many tries. Wait 30 seconds" in answer.text
    clock.advance(seconds=31)
    assert sign_in(client, email).status_code == (303 if email == ADA else 429)


def test_one_address_may_not_fail_for_ever(client, ada):
    answers = [sign_in(client, f"user{n}@x.example", "wrong").status_code for n in range(61)]
    assert answers == [422] * 60 + [429]


def test_forms_without_a_token_or_from_elsewhere_do_nothing(app, client, ada):
    data = {"email": ADA, "password": PASSWORD}
    assert client.post("/login", data=data).status_code == 400
    forged = data | {"csrf_token": csrf_token(client)}
    answer = client.post("/login", data=forged, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    sign_in(client, ADA)
    for path in ("/logout", "/language", "/profile/devices/end-others", "/view-as/stop"):
        assert client.post(path).status_code == 400
    assert is_in(client)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/%09/evil.example", "/\t/evil.example", "/\\evil.example",
        "\\\\evil.example", "https://evil.example", "http:evil.example", "javascript:alert(1)",
        "/%2f/evil.example", "/%5cevil.example", "///evil.example", "%0a//evil.example",
        "evil.example", "/\r\nSet-Cookie:a=b", "", "/" + "a" * 3000,
    ],
)  # fmt: skip
def test_next_leads_nowhere_else(client, ada, target):
    data = {"csrf_token": csrf_token(client), "email": ADA, "password": PASSWORD}
    answer = client.post("/login", query_string={"next": target}, data=data)
    assert answer.status_code == 303
    home = client.get("/").headers["Location"]
    assert answer.headers["Location"] == home
    assert client.get("/login", query_string={"next": target}).headers["Location"] == home


def test_next_leads_back_to_the_page_that_asked(client, ada):
    asked = client.get("/profile/devices?x=1")
    assert asked.status_code == 303
    data = {"csrf_token": csrf_token(client), "email": ADA, "password": PASSWORD}
    answer = client.post(asked.headers["Location"], data=data)
    assert answer.headers["Location"] == "/profile/devices?x=1"


def test_a_password_hashed_with_older_parameters_is_hashed_anew(app, client, ada):
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with app.app_context(), transaction():
        db.session.get_one(User, ada.id).password_hash = older.hash(PASSWORD)
    assert sign_in(client, ADA).status_code == 303
    with app.app_context():
        stored = db.session.get_one(User, ada.id).password_hash
    assert stored is not None
    assert not credentials.needs_rehash(stored)
    assert credentials.password_fits(stored, PASSWORD)


@pytest.mark.both_databases
def test_a_reset_by_mail(app, client, ada):
    other = app.test_client()
    sign_in(other, ADA)
    answer = post(client, "/password", {"email": ADA.upper()})
    assert answer.headers["Location"] == "/password?sent=1"
    path = newest_link(app, "reset")
    for _ in range(3):
        assert client.get(path).status_code == 200, "looking does not use it up"
    easy = post(client, path, {"password": "password1"})
    assert easy.status_code == 422
    assert "Many people use this one" in easy.text
    done = post(client, path, {"password": "a better one 4 Ada"})
    assert done.headers["Location"] == "/login"
    assert not is_in(other), "every sign-in ended"
    assert sign_in(client, ADA).status_code == 422
    assert sign_in(client, ADA, "a better one 4 Ada").status_code == 303
    assert client.get(path).status_code == 410
    assert post(client, path, {"password": "another one 4 Ada"}).status_code == 410


def test_asking_for_a_link_looks_alike_for_strangers(app, client, ada):
    answers = [post(client, "/password", {"email": email}) for email in (ADA, "x@x.example", "?")]
    assert len({(one.status_code, one.headers["Location"]) for one in answers}) == 1
    with app.app_context():
        assert db.session.scalars(sa.select(OneTimeToken)).all() == []
        assert len(db.session.scalars(sa.select(JobRun)).all()) == 3


def test_links_that_never_were_look_like_used_ones(client):
    for path in ("/password/never-was", "/e-mail/never-was"):
        assert client.get(path).status_code == 410
        assert "Send again" in client.get(path).text


def test_an_old_reset_does_not_open_the_new_address(app, client, ada):
    post(client, "/password", {"email": ADA})
    old = newest_link(app, "reset")
    sign_in(client, ADA)
    post(client, "/profile/e-mail", {"new-email": "ada@new.example", "new-present": PASSWORD})
    assert post(client, newest_link(app, "email_change")).status_code == 303
    assert client.get(old).status_code == 410
    assert sign_in(app.test_client(), "ada@new.example").status_code == 303
    assert sign_in(app.test_client(), ADA).status_code == 422


@pytest.mark.both_databases
def test_two_steps(app, client, ada, clock):
    clock.set("2026-03-01T09:00Z")
    with app.app_context():
        secret, codes = enrol(db.session.get_one(User, ada.id))
    clock.advance(seconds=30)
    answer = sign_in(client, ADA)
    assert answer.headers["Location"] == "/login/code"
    assert not is_in(client), "the password alone opens nothing"
    assert post(client, "/login/code", {"code": "123"}).status_code == 422
    code = code_now(secret)
    assert post(client, "/login/code", {"code": code}).status_code == 303
    assert is_in(client)
    other = app.test_client()
    sign_in(other, ADA)
    assert post(other, "/login/code", {"code": code}).status_code == 422, "each code once"
    assert post(other, "/login/code", {"code": codes[3]}).status_code == 303
    third = app.test_client()
    sign_in(third, ADA)
    assert post(third, "/login/code", {"code": codes[3]}).status_code == 422


@pytest.mark.both_databases
def test_codes_are_guessed_as_slowly_as_passwords(app, client, ada, clock):
    clock.set("2026-03-01T09:00Z")
    with app.app_context():
        secret, _codes = enrol(db.session.get_one(User, ada.id))
    clock.advance(seconds=30)
    sign_in(client, ADA)
    answers = [post(client, "/login/code", {"code": "wrong"}).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert post(client, "/login/code", {"code": code_now(secret)}).status_code == 429
    with app.app_context():
        assert db.session.scalar(sa.select(SignInBackOff.failures)) == 10


def test_the_first_step_is_forgotten_after_ten_minutes(app, client, ada, clock):
    clock.set("2026-03-01T09:00Z")
    with app.app_context():
        secret, _codes = enrol(db.session.get_one(User, ada.id))
    sign_in(client, ADA)
    clock.advance(minutes=10)
    answer = post(client, "/login/code", {"code": code_now(secret)})
    assert answer.headers["Location"] == "/login"
    assert not is_in(client)


def test_staff_without_a_demanded_second_factor_set_it_up_first(app, client, ada, clock):
    clock.set("2026-03-01T09:00Z")
    with app.app_context():
        token = make_token(db.session.get_one(User, ada.id))
        make_user(LIN)
        with transaction():
            change_setting(SYSTEM, name="accounts.staff_second_factor", value=True)
        assert queries.actor_for_token(token) is None, "their tokens open nothing either"
    sign_in(client, ADA)
    for path in ("/profile", "/desk/users", "/profile/tokens", "/search"):
        assert client.get(path).headers["Location"] == "/profile/second-factor"
    assert post(client, "/profile/tokens", {"name": "x"}).status_code == 303
    assert post(client, "/profile/second-factor/start", {"present": PASSWORD}).status_code == 303
    secret = part(client.get("/profile/second-factor"), ".copy code").text
    shown = post(client, "/profile/second-factor/confirm", {"code": code_now(secret)})
    assert len(part(shown, "pre").text.split()) == 10
    assert is_in(client)
    with app.app_context():
        assert queries.actor_for_token(token) is not None
    member = app.test_client()
    sign_in(member, LIN)
    assert is_in(member), "members need none"


def test_the_language_is_chosen_before_signing_in(client):
    assert 'lang="en"' in client.get("/login").text
    answer = post(client, "/language", {"language": "zh_Hans_CN", "next": "/login?next=/profile"})
    assert answer.headers["Location"] == "/login?next=/profile"
    assert 'lang="zh-Hans"' in client.get("/login").text
    assert (
        post(client, "/language", {"language": "xx", "next": "//evil"}).headers["Location"] == "/"
    )
    assert 'lang="zh-Hans"' in client.get("/login").text


def test_pages_of_others_ask_to_sign_in(client):
    for path in (
        "/profile", "/profile/security", "/profile/second-factor", "/profile/devices",
        "/profile/tokens", "/desk/users", "/desk/users/new", "/desk/users/1",
    ):  # fmt: skip
        assert client.get(path).headers["Location"].startswith("/login?next=")
    for path in (
        "/logout", "/view-as/stop", "/profile/password", "/profile/e-mail",
        "/profile/second-factor/start", "/profile/second-factor/confirm",
        "/profile/second-factor/codes", "/profile/second-factor/off",
        "/profile/devices/1/end", "/profile/devices/end-others", "/profile/tokens/1/revoke",
        "/desk/users/1/deactivate", "/desk/users/1/reactivate", "/desk/users/1/send-link",
        "/desk/users/1/reset-second-factor", "/desk/users/1/end-sessions", "/desk/users/1/view-as",
    ):  # fmt: skip
        assert post(client, path).headers["Location"] == "/login"


def test_when_a_sign_in_was_last_used_is_kept_to_the_quarter(app, client, ada, clock):
    clock.set("2026-03-01T09:03Z")
    sign_in(client, ADA)

    def seen():
        with app.app_context():
            return db.session.scalars(sa.select(UserSession.last_seen_at)).one()

    clock.set("2026-03-01T09:14Z")
    client.get("/profile")
    assert seen().minute == 3
    clock.set("2026-03-01T09:20Z")
    client.get("/profile")
    assert seen().minute == 15
