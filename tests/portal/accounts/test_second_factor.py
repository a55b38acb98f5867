"""The second factor: each code once, for thirty seconds."""

import pytest
import sqlalchemy as sa

from portal.accounts import queries, second_factor
from portal.accounts.models import RecoveryCode, User
from portal.foundation.actors import ANONYMOUS
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from portal.foundation.mail.models import MailMessage
from tests.factories.accounts import actor_of, code_now, enrol, make_user
from tests.portal.accounts.test_throttle import at_once


def use(user, code):
    with transaction():
        return second_factor.use_code(ANONYMOUS, user=user, code=code)


def test_a_code_works_once_and_for_its_thirty_seconds_only(context, clock):
    clock.set("2026-03-01T09:00:00Z")
    user = make_user()
    secret, _codes = enrol(user)
    assert not use(user, code_now(secret)), "used to turn it on"
    clock.advance(seconds=30)
    code = code_now(secret)
    assert not use(user, "000000" if code != "000000" else "000001")
    assert use(user, f"{code[:3]} {code[3:]}")
    assert not use(user, code)
    clock.advance(seconds=30)
    late = code_now(secret)
    clock.advance(seconds=30)
    assert not use(user, late)
    clock.advance(seconds=-60)
    assert not use(user, code_now(secret)), "an earlier step than the last used one"


def test_a_recovery_code_works_once_and_only_for_its_user(context):
    ada, per = make_user(), make_user("service@vendor.example")
    _secret, codes = enrol(ada)
    enrol(per)
    assert len(codes) == 10
    assert not use(per, codes[0])
    assert use(ada, codes[0].upper().replace("-", " "))
    assert not use(ada, codes[0])
    assert queries.recovery_codes_left(ada) == 9


def test_nothing_readable_is_stored(context):
    user = make_user()
    secret, codes = enrol(user)
    stored = db.session.execute(sa.text("SELECT totp_secret FROM users")).scalar_one()
    assert secret not in stored
    hashes = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not {code.replace("-", "") for code in codes} & set(hashes)


def test_another_secret_key_opens_nothing(context, monkeypatch):
    user = make_user()
    secret, codes = enrol(user)
    monkeypatch.setitem(context.config, "SECRET_KEY", "another key of more than 32 characters")
    assert second_factor.secret_of(user) is None
    assert not use(user, code_now(secret))
    assert not use(user, codes[0])


def test_a_wrong_code_does_not_turn_it_on(context):
    user = make_user()
    with transaction():
        second_factor.start_enrolment(user)
    with pytest.raises(Refused) as refused, transaction():
        second_factor.confirm_enrolment(actor_of(user), user=user, code="not it")
    assert refused.value.field == "code"
    assert db.session.get_one(User, user.id).totp_confirmed_at is None


def test_it_is_turned_on_once_and_off_with_its_codes(context):
    user = make_user()
    enrol(user)
    with pytest.raises(WrongState), transaction():
        second_factor.start_enrolment(user)
    with transaction():
        second_factor.turn_off(actor_of(user), user=user)
    assert queries.recovery_codes_left(user) == 0
    with pytest.raises(WrongState), transaction():
        second_factor.renew_codes(actor_of(user), user=user)
    subjects = db.session.scalars(sa.select(MailMessage.text).order_by(MailMessage.id)).all()
    assert "turned on" in subjects[0]
    assert "turned off" in subjects[1]


def test_new_recovery_codes_replace_the_old(context):
    user = make_user()
    _secret, old = enrol(user)
    with transaction():
        new = second_factor.renew_codes(actor_of(user), user=user)
    assert not use(user, old[0])
    assert use(user, new[0])


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_of_two_uses_at_once_one_succeeds(app, clock, kind):
    with app.app_context():
        user = make_user()
        secret, codes = enrol(user)
        key = user.id
        with transaction():
            db.session.get_one(User, key).totp_last_step = None
        code = code_now(secret) if kind == "totp" else codes[0]

    def work():
        with transaction():
            return second_factor.use_code(ANONYMOUS, user=db.session.get_one(User, key), code=code)

    assert sorted(at_once(app, 4, work)) == [False, False, False, True]
