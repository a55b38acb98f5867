"""Large sets of members and purchases, written in bulk by the rules that single ones follow."""

import random
import secrets
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa

from loyalty.clubs.imports import MemberImport
from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Line
from loyalty.points.models import PurchaseLine
from loyalty.points.operations.ledger import lock_members
from loyalty.points.operations.purchases import Told, record_purchases
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import Context, Row
from portal.foundation.money import from_scaled, to_scaled

BATCH = 1_000
SEED = 7481
YEARS = 2
LINES = cast(sa.Table, PurchaseLine.__table__)
FIRST = ("Anna", "Bo", "Carla", "Dag", "Edda", "Finn", "Greta", "晓雯", "Ida", "Jan", "Kaia", "Liv")
LAST = ("Aas", "Berg", "Costa", "Dahl", "Ek", "Falk", "Gran", "Holm", "Krag", "Lie", "林")


def add_many_members(club: Club, count: int) -> int:
    """Enrol members as a file would bring them; two of three agree to newsletters."""
    dice = random.Random(SEED)  # noqa: S311 - the same set each time
    first = (db.session.scalar(sa.select(sa.func.max(Member.id))) or 0) + 1
    today = clock.today(club.timezone)
    for start in range(first, first + count, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, first + count)):
            name = f"{FIRST[number % len(FIRST)]} {LAST[number // 7 % len(LAST)]}"
            values = {
                "external_id": f"S{number:08d}",
                "name": name,
                "email": f"s{number}@members.example",
                "birth_date": date(1950, 1, 1) + timedelta(days=dice.randint(0, 20_000)),
                "joined_on": today - timedelta(days=dice.randint(0, YEARS * 365)),
                "language": "en" if number % 4 else "zh_Hans_CN",
                "marketing_consent": number % 3 != 0,
                "country": "NO",
            }
            rows.append(Row(number, values, []))
        with transaction():
            MemberImport(SYSTEM, Context(club=club.code)).apply(rows)
    return count


def add_many_purchases(club: Club, count: int) -> int:
    """Let members buy over the last two years, the oldest purchase first."""
    members = list(db.session.scalars(sa.select(Member.id).where(Member.club_id == club.id)))
    dice, run = random.Random(SEED), secrets.token_hex(4)  # noqa: S311 - the same set each time
    now = clock.now()
    step = timedelta(days=YEARS * 365) / count
    for start in range(0, count, BATCH):
        told = [
            Told(
                purchase_id=f"S{run}-{number:08d}",
                member_id=members[dice.randrange(len(members))],
                happened_at=now - (count - number) * step,
                currency=club.currency,
                lines=_lines(dice),
            )
            for number in range(start, min(start + BATCH, count))
        ]
        with transaction():
            buy(club, told)
    return count


def _lines(dice: random.Random) -> list[Line]:
    one = to_scaled(Decimal(1))
    kinds = ("probe", "kit", "book", "delivery")
    return [
        Line(str(place), dice.randint(900, 24_000) * 100, one, None, dice.choice(kinds))
        for place in range(1, dice.randint(2, 4))
    ]


def buy(club: Club, told: Iterable[Told]) -> None:
    """Record purchases that are known to be new, with their lines, in the present transaction."""
    purchases = list(told)
    lock_members(SYSTEM, member_ids=[one.member_id for one in purchases])
    keys = record_purchases(SYSTEM, club=club, told=purchases)
    rows: list[dict[str, Any]] = [
        {
            "purchase_id": keys[one.purchase_id],
            "line": line.line,
            "sku": line.sku,
            "category": line.category,
            "quantity": from_scaled(line.quantity),
            "amount": from_scaled(line.amount),
        }
        for one in purchases
        for line in one.lines
    ]
    if rows:
        db.session.connection().execute(sa.insert(LINES), rows)
