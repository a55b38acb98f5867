"""541,909 real lines of a shop become purchases and points, each member's to the point."""

import csv
import json
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from loyalty.clubs.models import Member
from loyalty.clubs.operations import create_club, send_programme
from loyalty.points.models import PointLot, PointTransfer, Purchase, PurchaseLine
from portal.foundation.actors import SYSTEM
from portal.foundation.database import alembic, db, transaction
from tests.acceptance.checks import Finding, check
from tests.making import environment_for, make_app

MAPS = Path(__file__).parent / "maps"
LINES = "loyalty/online_retail_lines.csv.gz"
EXPECTED = "loyalty/online_retail_rfm_expected.csv"
PROGRAMME = {
    "effective_from": "2010-01-01",
    "earning": [{"name": "base", "phase": "base", "points_per": "1.00", "points": 1}],
    "rounding": "floor",
}


@check("online-retail", needs=LINES)
def online_retail(data: Path) -> Iterator[Finding]:
    """Import members and purchases, the latter twice, and compare member by member."""
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(environment_for(Path(folder), f"sqlite:///{folder}/accept.sqlite"))
        with app.app_context():
            alembic.upgrade()
            _make_club()
        members = _import(app, "members", data / EXPECTED, "online_retail_members.yaml")
        yield Finding("members created", 4_338, members["created"])
        begun = time.monotonic()
        first = _import(app, "purchases", data / LINES, "online_retail_purchases.yaml")
        seconds = round(time.monotonic() - begun)
        yield Finding("lines read", 541_909, first["read"])
        yield Finding("lines that qualify", 397_884, first["created"])
        yield Finding("lines rejected", 0, first["rejected"])
        with app.app_context():
            yield from _stored()
            yield from _by_member(data / EXPECTED)
            db.engine.dispose()
        yield Finding("ledger audit", (0, 0), _audit(app))
        again = _import(app, "purchases", data / LINES, "online_retail_purchases.yaml")
        yield Finding("lines unchanged the second time", 397_884, again["unchanged"])
        yield Finding("lines created the second time", 0, again["created"])
        with app.app_context():
            yield Finding("points after the second time", 8_902_670, _points())
            db.engine.dispose()
        print(f"         online-retail: the first import took {seconds} s")


def _make_club() -> None:
    with transaction():
        club = create_club(
            SYSTEM,
            code="retail",
            name="Online Retail",
            currency="GBP",
            timezone="Europe/London",
            points_name="points",
            programme_approval=False,
        )
        send_programme(SYSTEM, club=club, document=PROGRAMME)


def _run(app: Flask, *arguments: str) -> dict[str, Any]:
    result = app.test_cli_runner().invoke(args=arguments)
    if result.exit_code:
        raise SystemExit(f"{' '.join(arguments)}: {result.output[-500:]}")
    answer: dict[str, Any] = json.loads(result.stdout.strip().rpartition("\n")[2])
    return answer


def _import(app: Flask, kind: str, file: Path, mapping: str) -> dict[str, Any]:
    return _run(app, "import", kind, str(file), "--club", "retail", "--map", str(MAPS / mapping))


def _audit(app: Flask) -> tuple[int, int]:
    found = _run(app, "points", "audit")
    return found["unbalanced"], found["drifted"]


def _points() -> int:
    return int(db.session.scalar(sa.select(sa.func.sum(PointTransfer.points))) or 0)


def _stored() -> Iterator[Finding]:
    scalar = db.session.scalar
    count = sa.func.count()
    yield Finding("purchases", 18_532, scalar(sa.select(count).select_from(Purchase)))
    yield Finding("lines", 397_884, scalar(sa.select(count).select_from(PurchaseLine)))
    money = scalar(sa.select(sa.func.sum(PurchaseLine.amount, type_=PurchaseLine.amount.type)))
    yield Finding("GBP", Decimal("8911407.904"), money)
    yield Finding("points", 8_902_670, _points())
    lots = scalar(sa.select(sa.func.sum(PointLot.remaining)))
    yield Finding("points left in lots", 8_902_670, int(lots or 0))


def _by_member(file: Path) -> Iterator[Finding]:
    """Count the members whose invoices, money and points are as in the file."""
    select = (
        sa.select(
            Member.external_id,
            sa.func.count(Purchase.id),
            sa.func.sum(Purchase.amount, type_=Purchase.amount.type),
            sa.func.sum(Purchase.points),
        )
        .join(Purchase, Purchase.member_id == Member.id)
        .group_by(Member.external_id)
    )
    found = {row[0]: tuple(row[1:]) for row in db.session.execute(select)}
    agree = points = 0
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            invoices, money, earned = found.get(row["customer_id"], (0, Decimal(0), 0))
            same_money = money == Decimal(row["monetary"])
            agree += invoices == int(row["frequency"]) and same_money
            points += earned == int(row["points"])
    yield Finding("members with the expected invoices and money", 4_338, agree)
    yield Finding("members with the expected points", 4_338, points)
