"""Random histories of one member against a model that knows nothing of the ledger.

`HISTORIES=2000 pytest tests/loyalty/points/test_histories.py` plays more of them.
"""

import itertools
import math
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.clubs.models import Club, Member
from loyalty.points import jobs
from loyalty.points.awards import Share
from loyalty.points.models import AccountKind, PointTransfer
from loyalty.points.operations.earning import earn, reverse_award
from loyalty.points.queries import balances, movements
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.jobs.registry import Run
from tests.factories.clubs import make_club, make_member
from tests.factories.points import audited, make_purchase, make_redemption

HISTORIES = int(os.environ.get("HISTORIES", "60"))
START = datetime(2027, 12, 20, 9, tzinfo=UTC)  # a leap year is ahead
ZONE = ZoneInfo("Europe/Oslo")
BASE = {"name": "base", "phase": "base", "points_per": "1.00", "points": 1}
RULES = [
    {"expiry": {"mode": "never"}},
    {"expiry": {"mode": "after_days", "days": 20}, "pending_days": 14},
    {"expiry": {"mode": "after_days", "days": 3}, "pending_days": 7, "negative": "clamp"},
    {"expiry": {"mode": "end_of_month", "months": 0}},
]
BIRTHDAY = date(1996, 2, 29)
GIFT = 50
_names = itertools.count()


@dataclass
class ModelLot:
    """Points that came together, in the words of the model."""

    points: int
    earned: datetime
    usable: datetime
    last: date | None
    uses: list[tuple[datetime, int]] = field(default_factory=list)
    swept: int = 0

    @property
    def left(self) -> int:
        return self.points - self.swept - sum(points for _, points in self.uses)

    def at(self, instant: datetime) -> int:
        """What was left at an instant, if only its last day had not passed."""
        return self.points - sum(points for when, points in self.uses if when <= instant)

    def lasts(self, instant: datetime) -> bool:
        return self.last is None or instant.astimezone(ZONE).date() <= self.last


def last_day(index: int, earned: datetime) -> date | None:
    day = earned.astimezone(ZONE).date()
    if index == 0:
        return None
    if index == 3:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return day + timedelta(days=20 if index == 1 else 3)


class Histories(RuleBasedStateMachine):
    """One member's life: buying, spending, gifts, mistakes taken back, time passing, jobs."""

    clubs: list[int]

    @initialize(index=st.integers(0, 3))
    def begin(self, index):
        self.stack = ExitStack()
        self.index = index
        self.now = START
        self.stack.enter_context(clock.at(self.now))
        club = db.session.get_one(Club, self.clubs[index])
        self.member = make_member(club, f"Member {next(_names)}", birth_date=BIRTHDAY)
        self.club = club
        self.lots: list[ModelLot] = []
        self.awards: list[tuple[int, ModelLot | None, int]] = []
        self.debts: list[tuple[datetime, int]] = []
        self.gifts: set[int] = set()

    @property
    def debt(self) -> int:
        return sum(points for _, points in self.debts)

    def come_in(self, points: int, *, at_once: bool = False, at: datetime | None = None):
        """Model points that are earned: a debt first, the rest as a lot."""
        at = at or self.now
        repaid = min(points, self.debt)
        if repaid:
            self.debts.append((at, -repaid))
        if points == repaid:
            return None
        wait = 0 if at_once else RULES[self.index].get("pending_days", 0)
        lot = ModelLot(points - repaid, at, at + timedelta(days=wait), last_day(self.index, at))
        self.lots.append(lot)
        return lot

    def spendable(self) -> list[ModelLot]:
        usable = [
            lot for lot in self.lots if lot.left and lot.usable <= self.now and lot.lasts(self.now)
        ]
        return sorted(usable, key=lambda lot: (lot.last or date.max, lot.earned))

    @rule(cents=st.integers(0, 30_000))
    def buy(self, cents):
        make_purchase(self.member, f"{cents / 100:.2f}")
        if cents >= 100:
            self.come_in(cents // 100)

    @rule(points=st.integers(1, 200))
    def repair(self, points):
        name = next(_names)
        with transaction():
            transfer = earn(
                SYSTEM,
                member=self.member,
                club=self.club,
                source=f"job:{name}",
                shares=(Share("repair", points, {}),),
                reason="",
            )
        self.awards.append((transfer.id, self.come_in(points), points))

    @precondition(lambda self: self.awards)
    @rule(data=st.data())
    def take_back(self, data):
        which = data.draw(st.integers(0, len(self.awards) - 1))
        key, own, points = self.awards.pop(which)
        with transaction():
            reverse_award(
                SYSTEM,
                transfer=db.session.get_one(PointTransfer, key),
                club=self.club,
                source=f"undo:{key}",
                reason="",
            )
        if own and not own.lasts(self.now):
            own.swept += own.left  # what ended is gone, whether or not the job has said so
        owed = points - (own.swept if own else 0)
        first = [own] if own and own.left else []
        for lot in first + [lot for lot in self.spendable() if lot is not own]:
            taken = min(owed, lot.left)
            if taken:
                lot.uses.append((self.now, taken))
                owed -= taken
        if owed and RULES[self.index].get("negative") != "clamp":
            self.debts.append((self.now, owed))

    @rule(share=st.sampled_from([0.01, 0.3, 0.5, 1]))
    def redeem(self, share):
        available = sum(lot.left for lot in self.spendable())
        points = math.ceil(available * share)
        if not points:
            return
        make_redemption(self.member, points)
        for lot in self.spendable():
            taken = min(points, lot.left)
            if taken:
                lot.uses.append((self.now, taken))
                points -= taken

    @rule(more=st.integers(1, 1_000))
    def redeem_too_much(self, more):
        available = sum(lot.left for lot in self.spendable())
        with pytest.raises(Refused):
            make_redemption(self.member, available + more)

    @rule(hours=st.one_of(st.integers(1, 30), st.integers(24, 24 * 40)))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        self.stack.enter_context(clock.at(self.now))

    @rule()
    def mature(self):
        jobs.mature(Run(at=self.now))

    @rule()
    def expire(self):
        jobs.expire(Run(at=self.now))
        for lot in self.lots:
            if not lot.lasts(self.now):
                lot.swept += lot.left

    @rule()
    def birthday(self):
        jobs.give_gifts(Run(at=self.now))
        today = self.now.astimezone(ZONE).date()
        for ago in range(7, -1, -1):
            day = today - timedelta(days=ago)
            leap = day.year % 4 == 0
            if (day.month, day.day) != (2, 29 if leap else 28) or day.year in self.gifts:
                continue
            end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZONE)
            self.gifts.add(day.year)
            self.come_in(GIFT, at_once=True, at=min(self.now, end.astimezone(UTC)))

    @invariant()
    def the_balance_is_the_models(self):
        if not hasattr(self, "lots"):
            return
        db.session.expire_all()
        now = balances.balance(self.member, self.club)
        assert now.available == sum(lot.left for lot in self.spendable())
        waiting = [lot for lot in self.lots if lot.usable > self.now and lot.lasts(self.now)]
        assert now.pending == sum(lot.left for lot in waiting)
        assert now.debt == self.debt

    def teardown(self):
        if not hasattr(self, "lots"):
            return
        jobs.expire(Run(at=self.now))
        db.session.expire_all()
        entries = [
            (one.at, one.points)
            for one in movements.statement(db.session.get_one(Member, self.member.id))
            if one.account is AccountKind.AVAILABLE
        ]
        turns = {lot.usable for lot in self.lots} | {
            datetime(day.year, day.month, day.day, 23, 30, tzinfo=ZONE).astimezone(UTC) + beside
            for day in {lot.last for lot in self.lots if lot.last}
            for beside in (timedelta(), timedelta(hours=1))
        }
        turns |= {at for at, _ in entries} | {START, self.now}
        for instant in sorted(turn for turn in turns if turn <= self.now):
            replayed = sum(points for at, points in entries if at <= instant)
            usable = [lot for lot in self.lots if lot.usable <= instant and lot.earned <= instant]
            modelled = sum(lot.at(instant) for lot in usable if lot.lasts(instant))
            found = balances.balance(self.member, self.club, instant).available
            assert replayed == modelled == found, instant
            assert replayed >= 0
        self.stack.close()


@pytest.fixture
def clubs(context):
    with clock.at(START):
        return [
            make_club(
                f"club{index}",
                programme={
                    "effective_from": "2020-01-01",
                    "earning": [BASE],
                    "gifts": [{"job": "birthday", "points": GIFT, "window_days": 7}],
                    **rules,
                },
            ).id
            for index, rules in enumerate(RULES)
        ]


def test_random_histories_agree_with_the_model(clubs):
    Histories.clubs = clubs
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=14,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    with clock.at(START + timedelta(days=10_000)):
        found = audited()
    assert (found.unbalanced, found.drifted, found.findings) == (0, 0, [])
