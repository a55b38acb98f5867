"""The ledger's operations on small examples, on both databases."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.clubs.operations import send_programme
from loyalty.points import jobs
from loyalty.points.awards import Share
from loyalty.points.models import PointEntry, PointTransfer
from loyalty.points.operations.earning import earn, reverse_award
from loyalty.points.operations.purchases import record_purchase
from loyalty.points.queries import movements
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.jobs.registry import Run
from tests.factories.clubs import PROGRAMME, make_club, make_lin, make_marta
from tests.factories.points import audited, balance_of, line, make_purchase, make_redemption

pytestmark = pytest.mark.both_databases

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def club(context, clock):
    clock.set(START)
    return make_club()


@pytest.fixture
def lin(club):
    return make_lin(club)


def run(function, clock):
    result = Run(at=clock.now())
    function(result)
    return result.done


def clean():
    found = audited()
    return (found.unbalanced, found.drifted, found.findings) == (0, 0, [])


def test_a_purchase_gives_whole_points_once(lin, club):
    purchase = make_purchase(lin, "12.99", purchase_id="A1")
    assert purchase.points == 12
    again = make_purchase(lin, "12.99", purchase_id="A1")
    assert again.id == purchase.id
    assert balance_of(lin).available == 12
    assert clean()


def test_the_same_purchase_with_other_content_is_refused(lin):
    make_purchase(lin, "12.99", purchase_id="A1")
    with pytest.raises(Refused) as refusal:
        make_purchase(lin, "13.99", purchase_id="A1")
    assert refusal.value.code == "purchase_differs"
    assert balance_of(lin).available == 12


def test_a_purchase_in_another_currency_is_refused(lin, club):
    with pytest.raises(Refused) as refusal, transaction():
        record_purchase(
            SYSTEM, club=club, member=lin, purchase_id="A1", currency="USD", lines=[line("1")]
        )
    assert refusal.value.code == "currency_differs"


def test_a_purchase_still_to_come_is_refused(lin):
    with pytest.raises(Refused) as refusal:
        make_purchase(lin, happened_at=START + timedelta(seconds=1))
    assert refusal.value.field == "happened_at"


def test_what_ends_soonest_is_spent_first_and_what_never_ends_last(lin, club, clock):
    with transaction():
        send_programme(
            SYSTEM,
            club=club,
            document=PROGRAMME | {"effective_from": "2026-03-02", "expiry": {"mode": "never"}},
        )
        send_programme(
            SYSTEM,
            club=club,
            document=PROGRAMME
            | {"effective_from": "2026-03-03", "expiry": {"mode": "after_days", "days": 10}},
        )
    make_purchase(lin, "10")
    clock.set(START + timedelta(days=1))
    make_purchase(lin, "10")
    clock.set(START + timedelta(days=2))
    make_purchase(lin, "10")
    redemption = make_redemption(lin, 25)
    used = movements.used_lots([redemption.transfer_id])[redemption.transfer_id]
    ends = [on for _, on, _ in used]
    assert ends == [date(2026, 3, 13), date(2027, 3, 1), None]
    assert balance_of(lin).available == 5
    assert clean()


def test_more_than_there_is_cannot_be_spent(lin):
    make_purchase(lin, "10")
    with pytest.raises(Refused) as refusal:
        make_redemption(lin, 11)
    assert (refusal.value.code, refusal.value.extra) == ("insufficient_points", {"available": 10})
    assert balance_of(lin).available == 10


def test_minimum_and_step_hold(club, lin):
    with transaction():
        send_programme(
            SYSTEM, club=club, document=PROGRAMME | {"redemption": {"minimum": 20, "step": 10}}
        )
    make_purchase(lin, "100")
    codes = []
    for points in (10, 25):
        with pytest.raises(Refused) as refusal:
            make_redemption(lin, points)
        codes.append(refusal.value.code)
    assert codes == ["redemption_minimum", "redemption_step"]
    make_redemption(lin, 30)


def test_the_last_day_counts_to_its_end_in_the_clubs_zone_without_any_job(lin, clock):
    make_purchase(lin, "10")  # 1 March 2026, so through 1 March 2027 in Oslo
    clock.set("2027-03-01T22:59:59Z")
    assert balance_of(lin).available == 10
    clock.set("2027-03-01T23:00:00Z")
    assert balance_of(lin).available == 0
    with pytest.raises(Refused):
        make_redemption(lin, 1)
    assert run(jobs.expire, clock) == 1
    assert run(jobs.expire, clock) == 0
    assert balance_of(lin).available == 0
    assert balance_of(lin, datetime(2027, 3, 1, 22, tzinfo=UTC)).available == 10
    assert clean()


def test_pending_points_become_usable_whether_or_not_the_job_ran(club, lin, clock):
    with transaction():
        send_programme(SYSTEM, club=club, document=PROGRAMME | {"pending_days": 14})
    make_purchase(lin, "50")
    make_purchase(lin, "20")
    now = balance_of(lin)
    assert (now.available, now.pending) == (0, 70)
    with pytest.raises(Refused):
        make_redemption(lin, 1)
    clock.advance(days=14)
    now = balance_of(lin)
    assert (now.available, now.pending) == (70, 0)
    make_redemption(lin, 30)
    assert clean()
    assert run(jobs.mature, clock) == 1  # the lot that the redemption did not touch
    assert run(jobs.mature, clock) == 0
    assert balance_of(lin).available == 40
    assert clean()


def test_points_that_end_while_pending_go_without_becoming_usable(club, lin, clock):
    short = {"pending_days": 14, "expiry": {"mode": "after_days", "days": 3}}
    with transaction():
        send_programme(SYSTEM, club=club, document=PROGRAMME | short)
    make_purchase(lin, "50")
    clock.advance(days=5)
    assert run(jobs.expire, clock) == 1
    now = balance_of(lin)
    assert (now.available, now.pending, now.lifetime) == (0, 0, 50)
    assert clean()


def test_a_birthday_gives_once_a_year_also_when_the_date_is_edited(club, clock):
    lin = make_lin(club, birth_date=date(1990, 3, 5))
    clock.set("2026-03-04T22:59Z")
    assert run(jobs.give_gifts, clock) == 0
    clock.set("2026-03-04T23:00Z")  # 5 March in Oslo
    assert run(jobs.give_gifts, clock) == 1
    with transaction():
        lin.birth_date, lin.birthday = date(1990, 3, 7), 307
    clock.set("2026-03-07T12:00Z")
    assert run(jobs.give_gifts, clock) == 0
    clock.set("2027-03-07T12:00Z")
    assert run(jobs.give_gifts, clock) == 1
    assert balance_of(lin).lifetime == 400
    assert clean()


@pytest.mark.parametrize(
    ("day", "given"),
    [
        ("2027-02-27", 0),
        ("2027-02-28", 1),
        ("2028-02-28", 0),
        ("2028-02-29", 1),
    ],
)
def test_the_29th_of_february_is_kept_on_the_28th_where_there_is_none(club, clock, day, given):
    make_lin(club, birth_date=date(1992, 2, 29))
    make_marta(club, birth_date=date(1992, 6, 1))
    clock.set(f"{day}T12:00Z")
    assert run(jobs.give_gifts, clock) == given
    assert run(jobs.give_gifts, clock) == 0


def test_a_missed_birthday_is_made_good_within_the_window(club, clock):
    make_lin(club, birth_date=date(1990, 3, 5))
    clock.set("2026-03-13T12:00Z")
    assert run(jobs.give_gifts, clock) == 0
    clock.set("2026-03-12T12:00Z")
    assert run(jobs.give_gifts, clock) == 1


def earned(member, club, points, source="job:1"):
    with transaction():
        return earn(
            SYSTEM,
            member=member,
            club=club,
            source=source,
            shares=(Share("repair", points, {}),),
            reason="J-1",
        )


def reversed_(transfer, club, source="undo:1"):
    with transaction():
        return reverse_award(SYSTEM, transfer=transfer, club=club, source=source, reason="J-1")


def test_an_award_is_given_once_and_taken_back_once(club, lin):
    transfer = earned(lin, club, 150)
    assert earned(lin, club, 150).id == transfer.id
    assert balance_of(lin).available == 150
    undone = reversed_(transfer, club)
    assert reversed_(transfer, club).id == undone.id
    now = balance_of(lin)
    assert (now.available, now.lifetime, now.debt) == (0, 0, 0)
    assert clean()


def test_what_was_spent_becomes_a_debt_that_later_points_repay(club, lin):
    transfer = earned(lin, club, 150)
    make_redemption(lin, 100)
    reversed_(transfer, club)
    now = balance_of(lin)
    assert (now.available, now.debt, now.lifetime) == (0, 100, 0)
    make_purchase(lin, "30")
    assert (balance_of(lin).available, balance_of(lin).debt) == (0, 70)
    make_purchase(lin, "100")
    assert (balance_of(lin).available, balance_of(lin).debt) == (30, 0)
    assert clean()


def test_with_clamp_no_more_is_taken_than_there_is(club, lin):
    with transaction():
        send_programme(SYSTEM, club=club, document=PROGRAMME | {"negative": "clamp"})
    transfer = earned(lin, club, 150)
    make_redemption(lin, 100)
    reversed_(transfer, club)
    now = balance_of(lin)
    assert (now.available, now.debt, now.lifetime) == (0, 0, 100)
    assert clean()


def test_what_expired_is_not_taken_a_second_time(club, lin, clock):
    transfer = earned(lin, club, 150)
    clock.advance(days=400)
    make_purchase(lin, "40")
    run(jobs.expire, clock)
    assert reversed_(transfer, club) is None
    assert balance_of(lin).available == 40
    assert clean()


def test_the_ledger_refuses_change(lin):
    make_purchase(lin, "10")
    for table in (PointTransfer, PointEntry):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
            session.execute(sa.update(table).values(points=1))
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
            session.execute(sa.delete(table))


def test_a_lot_never_gives_more_than_it_has(lin):
    make_purchase(lin, "10")
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.text("UPDATE point_lots SET remaining = -1"))


def test_the_audit_finds_what_was_tampered_with(lin):
    make_purchase(lin, "10")
    with transaction() as session:
        session.execute(sa.text("UPDATE point_lots SET remaining = 9"))
    found = audited()
    assert found.unbalanced == 0
    assert found.drifted == 2  # the lot against its uses, the account against its lots
    db.session.rollback()


def test_a_future_instant_answers_as_if_nothing_more_happened(lin):
    make_purchase(lin, "10")
    soon = balance_of(lin, datetime(2027, 3, 1, 12, tzinfo=UTC))
    assert (soon.available, soon.next_expiry) == (10, (10, date(2027, 3, 1)))
    late = balance_of(lin, datetime(2027, 3, 2, 12, tzinfo=UTC))
    assert (late.available, late.next_expiry, late.lifetime) == (0, None, 10)
