"""Clubs, programmes by date, members found again, consents."""

from datetime import UTC, date, datetime

import pytest

from loyalty.clubs import queries
from loyalty.clubs.addresses import email_key
from loyalty.clubs.models import Channel, ProgrammeState, Purpose
from loyalty.clubs.operations import (
    approve_programme,
    change_member,
    create_club,
    enrol_member,
    give_consent,
    send_programme,
)
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, WrongState
from tests.factories.accounts import make_user
from tests.factories.clubs import PROGRAMME, make_club, make_lin, make_marta


@pytest.fixture
def club(context, clock):
    clock.set(datetime(2026, 3, 1, 9, tzinfo=UTC))
    return make_club()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "circle"}, "code"),
        ({"code": "No spaces"}, "code"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"currency": "XQX"}, "currency"),
    ],
)
def test_a_club_that_cannot_be_is_refused(club, change, field):
    values = {
        "code": "river",
        "name": "River",
        "currency": "EUR",
        "timezone": "Europe/Oslo",
        "points_name": "drops",
    }
    with pytest.raises(Refused) as refusal, transaction():
        create_club(SYSTEM, **values | change)
    assert refusal.value.field == field


def test_the_version_of_the_day_holds(club):
    for day, points in (("2026-03-01", 2), ("2026-04-01", 3), ("2026-04-01", 4)):
        base = PROGRAMME["earning"][0] | {"points": points}
        with transaction():
            send_programme(
                SYSTEM,
                club=club,
                document=PROGRAMME | {"effective_from": day, "earning": [base]},
            )
    rules = queries.rules_of(club)
    held = [
        rules.on(date.fromisoformat(day))[1]
        for day in ("2019-12-31", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")
    ]
    assert held[0].earning == []
    assert [one.earning[0].points for one in held[1:]] == [1, 2, 2, 4]


def test_the_same_document_again_makes_no_version(club):
    with transaction():
        version = send_programme(SYSTEM, club=club, document=PROGRAMME)
    assert version.version == 1


def test_a_version_waits_where_a_second_person_is_needed(club):
    careful = make_club("careful", programme_approval=True)
    assert queries.newest_version(careful).status is ProgrammeState.AWAITING
    assert queries.rules_of(careful).on(date(2026, 3, 1))[0] is None
    version = queries.newest_version(careful)
    with transaction():
        approve_programme(SYSTEM, club=careful, version=version)
    assert queries.rules_of(careful).on(date(2026, 3, 1))[0] == version.id
    with pytest.raises(WrongState), transaction():
        approve_programme(SYSTEM, club=careful, version=version)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (" Lin@Club.Example ", "lin@club.example"),
        ("lin+news@gmail.com", "lin@gmail.com"),
        ("lin+news@club.example", "lin+news@club.example"),
        ("+@gmail.com", "+@gmail.com"),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_the_same_persons(written, key):
    assert email_key(written) == key


def test_a_person_is_entered_once(club):
    lin = make_lin(club)
    for values in ({"external_id": "lin"}, {"email": "LIN@club.example"}):
        with transaction():
            again, is_new = enrol_member(SYSTEM, club=club, name="Other", **values)
        assert (again.id, is_new) == (lin.id, False)
    other = make_lin(make_club("river"))
    assert other.id != lin.id
    assert lin.joined_on == date(2026, 3, 1)


def test_a_member_with_the_users_address_is_linked(club):
    user = make_user("lin@club.example")
    make_user("marketing@vendor.example")
    assert make_lin(club).user_id == user.id
    assert make_marta(club, email="marketing@vendor.example").user_id is None


def test_particulars_change_and_an_address_stays_one_persons(club):
    lin, marta = make_lin(club), make_marta(club)
    with transaction():
        change_member(SYSTEM, member=lin, name="Lin X", birth_date=date(1990, 2, 28))
    assert (lin.name_key, lin.email_key, lin.birthday) == ("lin x", None, 228)
    with pytest.raises(Refused) as refusal, transaction():
        change_member(SYSTEM, member=lin, name="Lin", email=marta.email.upper())
    assert refusal.value.field == "email"


def said(member):
    db.session.expire_all()
    return [one.granted for one in queries.consents(member)]


def test_the_newest_word_holds_and_repeating_adds_nothing(club):
    lin = make_lin(club)
    assert not queries.agrees(lin, Purpose.MARKETING, Channel.EMAIL)
    for granted in (False, True, True, False, False, True):
        with transaction():
            give_consent(SYSTEM, member=lin, granted=granted, source="test")
    assert said(lin) == [True, False, True]
    assert queries.agrees(lin, Purpose.MARKETING, Channel.EMAIL)
