"""The demo of the clubs: a club, 400 members with two years of purchases, a newsletter."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from loyalty.clubs import operations as clubs
from loyalty.clubs.models import Club, Member, ProgrammeVersion
from loyalty.newsletters import operations as newsletters
from loyalty.newsletters.demo_many import add_many_members, add_many_purchases, buy
from loyalty.points import jobs as points_jobs
from loyalty.points.awards import Line
from loyalty.points.operations.purchases import Told
from loyalty.points.operations.redeeming import redeem
from portal.accounts.queries import actor_of, user_by_email
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.jobs.registry import Run
from portal.foundation.money import to_scaled
from portal.foundation.seeding import Sizes

MEMBERS = 400
SEED = 6201
ONE = to_scaled(Decimal(1))
FIRST = ("Anna", "Bo", "Carla", "Dag", "Edda", "Finn", "Greta", "Hugo", "Ida", "Jan", "Kaia", "Liv")
LAST = ("Aas", "Berg", "Costa", "Dahl", "Ek", "Falk", "Gran", "Holm", "Krag", "Lie", "Meyer")
PROGRAMME: dict[str, Any] = {
    "earning": [
        {"name": "base", "phase": "base", "points_per": "1.00", "points": 1},
        {
            "name": "repair",
            "phase": "bonus",
            "points": 150,
            "where": {"source": ["service_job"]},
        },
    ],
    "excluded": {"category": ["gift_card", "delivery"]},
    "rounding": "floor",
    "pending_days": 14,
    "expiry": {"mode": "after_months", "months": 12},
    "negative": "debt",
    "redemption": {"minimum": 100, "step": 50},
    "gifts": [{"job": "birthday", "points": 200, "window_days": 7}],
}
BLOCKS = [
    {"kind": "heading", "text": "A quiet season for your instruments"},
    {
        "kind": "text",
        "text": "Dear {name},\n\nwinter is the time to have probes checked: stations are less busy "
        "and a repair in December is back before the field season.\n\nWhoever brings a device in "
        "before 31 January earns 150 points when the job is closed.",
    },
    {"kind": "balance", "text": "points are waiting for you"},
    {"kind": "heading", "text": "冬季保养"},
    {"kind": "text", "text": "冬天是检修探头的好时机：维修站不忙，来年开春即可使用。"},
    {"kind": "button", "text": "See your points", "url": "https://vendor.example/club"},
]


def load_many(sizes: Sizes) -> dict[str, int]:
    """Add a large set of members and purchases to the first club; return how many of each."""
    if not sizes.members and not sizes.purchases:
        return {}
    club = db.session.scalar(sa.select(Club).order_by(Club.id).limit(1))
    if club is None:
        with transaction():
            club, _version = _found(clock.now() - timedelta(days=735), approval=False)
    members = sizes.members
    is_empty = db.session.scalar(sa.select(Member.id).where(Member.club_id == club.id)) is None
    if not members and is_empty:
        members = sizes.purchases // 10 + 1  # somebody has to buy
    made: dict[str, int] = {}
    if members:
        made["members"] = add_many_members(club, members)
    if sizes.purchases:
        made["purchases"] = add_many_purchases(club, sizes.purchases)
    return made


def _found(start: datetime, *, approval: bool) -> tuple[Club, ProgrammeVersion]:
    """Make the club and send its programme, which holds from `start` on."""
    club = clubs.create_club(
        SYSTEM,
        code="circle",
        name="Halden Circle",
        currency="EUR",
        timezone="Europe/Oslo",
        points_name="points",
        programme_approval=approval,
    )
    begins = clock.local_date(start, club.timezone).isoformat()
    document = {"effective_from": begins, **PROGRAMME}
    return club, clubs.send_programme(SYSTEM, club=club, document=document)


def load(now: datetime) -> None:
    """Load the clubs' part of the demo, as it grew until `now`."""
    dice = random.Random(SEED)  # noqa: S311 - the same demo each time
    start = now - timedelta(days=735)
    with clock.at(start), transaction():
        club, version = _found(start, approval=True)
    marketing = user_by_email("marketing@vendor.example")
    approver = actor_of(marketing.id) if marketing else None
    if approver is not None and version.published_at is None:
        with clock.at(start + timedelta(hours=2)), transaction():
            clubs.approve_programme(approver, club=club, version=version)
    members = _enrol(dice, club, start)
    _buy(dice, club, members, start, now)
    _write(club, now)


def _enrol(dice: random.Random, club: Club, start: datetime) -> list[Member]:
    people: list[tuple[str, str, str]] = [
        ("林晓雯", "lin@club.example", "zh_Hans_CN"),
        ("Marta Nowak", "marta@club.example", "en"),
    ]
    for number in range(MEMBERS - len(people)):
        name = f"{FIRST[number % len(FIRST)]} {LAST[number * 7 % len(LAST)]}"
        people.append((name, f"member{number + 3}@club.example", "en"))
    members = []
    with clock.at(start + timedelta(hours=3)), transaction():
        for number, (name, email, language) in enumerate(people, start=1):
            born = date(1950 + dice.randint(0, 55), dice.randint(1, 12), dice.randint(1, 28))
            member, _is_new = clubs.enrol_member(
                SYSTEM,
                club=club,
                external_id=f"C{number:05d}",
                name=name,
                email=email,
                birth_date=born,
                language=language,
                country="NO",
            )
            members.append(member)
            if number % 3:
                clubs.give_consent(SYSTEM, member=member, granted=True, source="enrolment")
    return members


def _buy(
    dice: random.Random, club: Club, members: list[Member], start: datetime, now: datetime
) -> None:
    """Let two years of purchases happen month by month, with the club's jobs in between."""
    month = start + timedelta(days=5)
    number = turn = 0
    while month < now:
        turn += 1
        until = min(month + timedelta(days=30), now)
        told = list(_purchases(dice, members, month, until - timedelta(minutes=10), number))
        number += len(told)
        with clock.at(until), transaction():
            buy(club, told)
        with clock.at(until):
            if turn % 4 == 0 or until == now:
                points_jobs.expire(Run(at=until))
            _spend(dice, club, members)
        month = until


def _purchases(
    dice: random.Random, members: list[Member], since: datetime, until: datetime, first: int
) -> Iterator[Told]:
    seconds = int((until - since).total_seconds())
    for index, member in enumerate(members):
        if index > 1 and dice.random() > 0.3:
            continue
        first += 1
        lines = []
        for line in range(1, dice.randint(2, 4)):
            cents = dice.randint(900, 24_000)
            category = dice.choice(["probe", "kit", "book", "delivery"])
            lines.append(
                Line(
                    str(line),
                    to_scaled(Decimal(cents) / 100),
                    to_scaled(Decimal(1)),
                    None,
                    category,
                )
            )
        yield Told(
            purchase_id=f"S{first:06d}",
            member_id=member.id,
            happened_at=since + timedelta(seconds=dice.randint(0, max(1, seconds))),
            currency="EUR",
            lines=lines,
        )


def _spend(dice: random.Random, club: Club, members: list[Member]) -> None:
    """Let a few members spend some points; those who have too few are refused, as always."""
    for member in [*members[:1], *dice.sample(members, 6)]:
        try:
            with transaction():
                redeem(SYSTEM, member=member, club=club, points=100, reason="Coffee set")
        except Refused:
            continue


def _write(club: Club, now: datetime) -> None:
    author = user_by_email("marketing@vendor.example")
    actor = actor_of(author.id) if author else None
    with clock.at(now - timedelta(days=2)), transaction():
        newsletter = newsletters.create_newsletter(
            actor or SYSTEM,
            club=club,
            subject="Winter checks, and 150 points",
            language="en",
            blocks=BLOCKS,
        )
        newsletter.reference = "demo"
        db.session.flush()  # the demo's newsletter has a reference that people can type
