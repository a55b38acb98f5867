"""Changes of users, sign-ins, links and tokens."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.accounts import jobs, links, operations, queries
from portal.accounts.models import (
    ApiToken,
    OneTimeToken,
    Purpose,
    Role,
    SignInBackOff,
    User,
    UserSession,
)
from portal.accounts.throttle import count_failure
from portal.foundation.actors import ANONYMOUS, SYSTEM
from portal.foundation.audit import AuditEntry, timeline
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from portal.foundation.jobs.registry import Run
from portal.foundation.mail.models import MailMessage
from tests.factories.accounts import actor_of, make_token, make_user
from tests.pages import PASSWORD
from tests.portal.accounts.test_throttle import at_once


def mails():
    return db.session.scalars(sa.select(MailMessage).order_by(MailMessage.id)).all()


def open_session(user):
    with transaction():
        return operations.open_session(SYSTEM, user=user, device="Firefox")


def ada():
    return make_user()


def test_an_address_is_taken_whatever_its_case(context):
    ada()
    with pytest.raises(Refused) as refused:
        make_user("ADMIN@Vendor.Example", name="Ada", roles=[Role.MEMBER])
    assert refused.value.field == "email"


@pytest.mark.both_databases
def test_of_two_users_with_one_address_at_once_one_is_made(app):
    found = at_once(app, 2, make_user)
    assert sum(isinstance(one, User) for one in found) == 1
    assert sum(isinstance(one, Refused) for one in found) == 1


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@vendor.example", "a@b@c.example"])
def test_what_is_no_address_is_refused(context, email):
    with pytest.raises(Refused):
        make_user(email, name="Ada", roles=[Role.MEMBER])


@pytest.mark.parametrize(
    ("roles", "partner_id", "field"),
    [
        ([], None, "roles"),
        ([Role.ADMINISTRATOR, Role.TECHNICIAN], 1, "roles"),
        ([Role.MARKETING], 1, "roles"),
        ([Role.PARTNER_SALES], None, "partner"),
        ([Role.MEMBER], 1, "roles"),
    ],
)
def test_roles_that_do_not_go_together_are_refused(context, roles, partner_id, field):
    with pytest.raises(Refused) as refused:
        operations.check_roles(roles, partner_id)
    assert refused.value.field == field


def test_roles_are_changed_with_before_and_after(context):
    admin, user = ada(), make_user("service@vendor.example")
    with transaction():
        operations.change_user(
            actor_of(admin),
            user=user,
            name="Per Lund",
            roles=[Role.SERVICE_MANAGER, Role.MARKETING],
            partner_id=None,
        )
    assert user.role_names == {"service_manager", "marketing"}
    assert user.version == 2
    entry = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.name == "accounts.user.changed")
    ).one()
    assert entry.changes["roles"] == ["service_manager", "marketing, service_manager"]


def test_somebody_stays_administrator(context):
    admin = ada()
    with pytest.raises(Refused), transaction():
        operations.change_user(SYSTEM, user=admin, name="Ada", roles=[Role.MEMBER], partner_id=None)
    with pytest.raises(Refused), transaction():
        operations.deactivate_user(SYSTEM, user=admin)


def test_deactivation_ends_everything(context):
    ada()
    user = make_user("sales@north.example")
    cookie, token = open_session(user), make_token(user)
    with transaction():
        link = links.make(user, Purpose.RESET)
        operations.deactivate_user(SYSTEM, user=user)
    assert queries.actor_for_session(cookie) is None
    assert queries.actor_for_token(token) is None
    assert queries.open_link(link, Purpose.RESET) is None
    with pytest.raises(WrongState), transaction():
        operations.deactivate_user(SYSTEM, user=user)
    with transaction():
        operations.reactivate_user(SYSTEM, user=user)
    assert queries.actor_for_session(cookie) is None
    assert queries.actor_for_token(token) is None


def test_a_new_password_ends_sessions_and_links_and_tells_the_user(context):
    user = ada()
    cookie = open_session(user)
    with transaction():
        link = links.make(user, Purpose.RESET)
        operations.set_password(actor_of(user), user=user, password="a better one 4 Ada")
    assert queries.live_session(cookie) is None
    assert queries.open_link(link, Purpose.RESET) is None
    assert "password of your account was changed" in mails()[-1].text


def test_an_easy_password_leaves_the_old_one(context):
    user = ada()
    before = user.password_hash
    with pytest.raises(Refused), transaction():
        operations.set_password(SYSTEM, user=user, password="password1")
    assert db.session.get_one(User, user.id).password_hash == before


def test_links_are_stored_as_hashes_and_end_after_an_hour(context, clock):
    clock.set("2026-03-01T09:00Z")
    user = ada()
    with transaction():
        token = links.make(user, Purpose.RESET)
    assert len(token) >= 43
    assert token not in db.session.scalars(sa.select(OneTimeToken.token_hash)).all()
    assert queries.open_link(token, Purpose.INVITATION) is None
    clock.advance(minutes=59)
    assert queries.open_link(token, Purpose.RESET) is not None
    clock.advance(minutes=1)
    assert queries.open_link(token, Purpose.RESET) is None


@pytest.mark.both_databases
def test_of_two_uses_of_a_link_at_once_one_succeeds(app):
    with app.app_context():
        user = ada()
        with transaction():
            token = links.make(user, Purpose.RESET)

    def work():
        found = queries.open_link(token, Purpose.RESET)
        if found is None:
            return False
        with transaction():
            return links.use(found[0])

    assert sorted(at_once(app, 4, work)) == [False, False, False, True]


@pytest.mark.parametrize(
    ("password", "kind"), [(PASSWORD, "accounts/reset"), (None, "accounts/invitation")]
)
def test_the_job_mails_the_link_that_fits(context, password, kind):
    make_user("service@vendor.example", password=password, language="zh_Hans_CN")
    run = Run(at=None, args={"email": "service@vendor.example"})  # type: ignore[arg-type]
    jobs.send_link(run)
    assert run.done == 1
    assert mails()[-1].kind == kind
    assert "/password/" in mails()[-1].text


def test_the_job_mails_nobody_who_is_not_there_or_shut_out_or_asked_too_often(context):
    ada()
    user = make_user("service@vendor.example")
    with transaction():
        operations.deactivate_user(SYSTEM, user=user)
    for email, skipped in [("nobody@x.example", 1), ("service@vendor.example", 1)]:
        run = Run(at=None, args={"email": email})  # type: ignore[arg-type]
        jobs.send_link(run)
        assert run.skipped == skipped
    admin = make_user("marketing@vendor.example")
    with transaction():
        sent = [operations.send_link(SYSTEM, user=admin) for _ in range(6)]
    assert sent == [True] * 5 + [False]


def test_an_address_changes_when_its_reader_confirms(context):
    user = ada()
    with transaction():
        operations.ask_email(actor_of(user), user=user, email="ada@new.example")
    assert {mail.to_address for mail in mails()} == {"ada@new.example", "admin@vendor.example"}
    assert user.email == "admin@vendor.example"
    with transaction():
        operations.change_email(actor_of(user), user=user, email="ada@new.example")
    assert queries.user_by_email("ADA@new.example") is not None
    assert mails()[-1].to_address == "admin@vendor.example"


def test_an_address_that_somebody_has_is_not_taken(context):
    user = ada()
    make_user("service@vendor.example")
    with pytest.raises(Refused) as refused, transaction():
        operations.change_email(actor_of(user), user=user, email="Service@vendor.example")
    assert refused.value.field == "email"


def test_a_session_is_a_hash_of_256_bits_that_ends_in_time(context, clock):
    clock.set("2026-03-01T09:00Z")
    cookie = open_session(ada())
    assert len(cookie) >= 43
    assert db.session.scalars(sa.select(UserSession.token_hash)).one() != cookie
    clock.advance(days=13, hours=23)
    assert queries.actor_for_session(cookie) is not None
    clock.advance(hours=1)
    assert queries.actor_for_session(cookie) is None


def test_a_token_ends_when_told_or_revoked(context, clock):
    clock.set("2026-03-01T09:00Z")
    user = ada()
    with transaction():
        short = operations.create_token(
            SYSTEM, user=user, name="short", expires_in=timedelta(days=1)
        )
    long = make_token(user, "long")
    assert queries.actor_for_token(short) == queries.actor_for_token(long)
    clock.advance(days=1)
    assert queries.actor_for_token(short) is None
    row = db.session.scalars(sa.select(ApiToken).where(ApiToken.name == "long")).one()
    with transaction():
        operations.revoke_token(actor_of(user), token=row)
    assert queries.actor_for_token(long) is None
    assert queries.actor_for_token("gh_nothing") is None


def test_every_audit_entry_reads_as_a_sentence(context):
    user = ada()
    open_session(user)
    make_token(user, "the shop's")
    words = [str(entry.sentence) for entry in timeline(user)]
    assert words[0] == "<strong>Guildhall</strong> made the API token the shop&#39;s"
    assert words[1] == "<strong>Ada Halden</strong> signed in"


def test_cleaning_forgets_what_is_over(context, clock):
    clock.set("2026-03-01T09:00Z")
    user = ada()
    open_session(user)
    count_failure("nobody@x.example")
    with transaction():
        links.make(user, Purpose.RESET)
    for days in (89, 20):
        jobs.clean(Run(at=clock.advance(days=days)))
    for table in (UserSession, OneTimeToken, SignInBackOff):
        assert db.session.scalars(sa.select(table)).all() == []


def test_nobody_is_signed_in_as_anonymous(context):
    assert not ANONYMOUS.is_signed_in
    assert queries.actor_for_session("") is None
