"""Purchases from files: in bulk, the same as one by one, and the same again when repeated."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loyalty.clubs.models import Club, Member
from loyalty.points.awards import Line, Share
from loyalty.points.imports import PurchaseImport
from loyalty.points.models import PointTransfer, Purchase, PurchaseLine, StagedLine
from loyalty.points.operations.earning import earn, reverse_award
from loyalty.points.operations.purchases import record_purchase
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import KINDS, Context, Row
from portal.foundation.money import from_scaled
from tests.factories.clubs import PROGRAMME, make_club, make_lin, make_marta
from tests.factories.points import audited, balance_of, make_redemption

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
HEAD = ["purchase_id", "member", "happened_at", "amount", "currency", "line", "sku", "category"]
SHOP = PROGRAMME | {
    "earning": [
        {"name": "base", "phase": "base", "points_per": "1.00", "points": 1},
        {
            "name": "lamps",
            "phase": "base",
            "points_per": "0.30",
            "points": 1,
            "where": {"category": ["lamp"], "min_amount": "5.00"},
        },
        {
            "name": "hx",
            "phase": "base",
            "points_per": "3.00",
            "points": 2,
            "where": {"sku": ["HX"]},
        },
    ],
    "excluded": {"category": ["gift_card"], "sku": ["BAG"]},
    "pending_days": 2,
}


@pytest.fixture
def lin(context, clock):
    clock.set(START)
    club = make_club(programme=SHOP)
    make_marta(club)
    return make_lin(club)


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def run(runner, path, *more):
    result = runner.invoke(args=["import", "purchases", str(path), "--club", "circle", *more])
    return result.exit_code, json.loads(result.stdout.strip().rpartition("\n")[2])


def row(purchase_id="A1", member="lin", amount="10", line="1", **more):
    values = {"happened_at": "2026-02-01T12:00:00Z", "currency": "EUR", "sku": "", "category": ""}
    values |= more
    cells = [purchase_id, member, values["happened_at"], amount, values["currency"], line]
    return [*cells, values["sku"], values["category"]]


def staged_row(number, **values):
    """Return a row as the framework hands it over."""
    empty = dict.fromkeys(KINDS["purchases"].by_name)
    return Row(number, empty | {"member": "lin", "currency": "EUR"} | values, [])


@pytest.mark.both_databases
def test_a_file_becomes_purchases_once(lin, runner, tmp_path):
    rows = [
        row(line="1", amount="10.50"),
        row("B1", "marta", amount="7"),
        row(line="2", amount="0.50", category="gift_card"),
        row("C1", lin.number, amount="0.40"),
    ]
    path = write(tmp_path / "p.csv", rows)
    assert run(runner, path) == (
        0,
        {"kind": "purchases", "read": 4, "created": 4, "updated": 0, "unchanged": 0}
        | {"rejected": 0, "warned": 0},
    )
    assert balance_of(lin).available == 10
    code, again = run(runner, path)
    assert (code, again["created"], again["unchanged"]) == (0, 0, 4)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StagedLine)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PurchaseLine)) == 4
    points = db.session.execute(sa.select(Purchase.purchase_id, Purchase.points))
    assert sorted(map(tuple, points)) == [("A1", 10), ("B1", 7), ("C1", 0)]
    found = audited()
    assert (found.unbalanced, found.drifted) == (0, 0)


def test_what_cannot_be_is_rejected_by_line_and_the_rest_kept(lin, runner, tmp_path):
    rows = [
        row("A1"),
        row("B1", "nobody"),
        row("C1", currency="USD"),
        row("D1", happened_at="2026-03-02T12:00:00Z"),
        row("E1", amount="-1"),
        row("F1"),
        row("F1", "marta", line="2"),
        row("G1", line="1", amount="3"),
        row("G1", line="1", amount="3"),
        row("G1", line="1", amount="4"),
        row("H1", amount="1.00001"),
    ]
    rejects = tmp_path / "bad.csv"
    code, counts = run(runner, write(tmp_path / "p.csv", rows), "--rejects", str(rejects))
    assert code == 3
    assert (counts["created"], counts["unchanged"], counts["rejected"]) == (2, 1, 8)
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    for word in ("There is no member nobody", "This club counts in EUR", "still to come"):
        assert word in text
    assert balance_of(lin).lifetime == 13


def test_a_known_purchase_with_other_content_is_rejected(lin, runner, tmp_path):
    run(runner, write(tmp_path / "p.csv", [row()]))
    code, counts = run(runner, write(tmp_path / "q.csv", [row(), row(line="2")]))
    assert (code, counts["rejected"]) == (3, 2)
    assert balance_of(lin).lifetime == 10


def test_a_dry_run_leaves_nothing(lin, runner, tmp_path):
    code, counts = run(runner, write(tmp_path / "p.csv", [row()]), "--dry-run")
    assert (code, counts["created"]) == (0, 1)
    assert balance_of(lin).lifetime == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Purchase)) == 0


def test_what_was_exported_is_unchanged(lin, runner, tmp_path):
    run(runner, write(tmp_path / "p.csv", [row(sku="HX"), row("B1", "marta", amount="1.2345")]))
    out = tmp_path / "out.csv"
    done = runner.invoke(args=["export", "purchases", "--club", "circle", "--out", str(out)])
    assert done.exit_code == 0
    code, counts = run(runner, out)
    assert (code, counts["unchanged"], counts["created"]) == (0, 2, 0)


def test_killed_half_way_and_repeated_it_ends_the_same(lin, runner, tmp_path, monkeypatch):
    rows = [row(f"P{number:03}", amount="2", line="7") for number in range(40)]
    path = write(tmp_path / "p.csv", rows)
    monkeypatch.setattr("loyalty.points.imports.BATCH", 10)
    settle = PurchaseImport._settle
    calls = []

    def dies(self, keys):
        calls.append(keys)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return settle(self, keys)

    with monkeypatch.context() as patched:
        patched.setattr(PurchaseImport, "_settle", dies)
        runner.invoke(args=["import", "purchases", str(path), "--club", "circle"])
    db.session.rollback()
    assert balance_of(lin).lifetime == 40  # two of four pieces were kept
    code, counts = run(runner, path)
    assert (code, counts["created"], counts["unchanged"]) == (0, 20, 20)
    assert balance_of(lin).lifetime == 80
    assert audited().drifted == 0


def test_what_a_killed_run_staged_is_forgotten_the_day_after_next(lin, clock):
    handler = PurchaseImport(SYSTEM, Context(club="circle", token="killed"))
    with transaction():
        handler.apply([staged_row(2, purchase_id="A1", happened_at=START, amount=Decimal(1))])
    clock.advance(days=2)
    other = PurchaseImport(SYSTEM, Context(club="circle", token="other"))
    with transaction():
        for _ in other.finish():
            pass
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StagedLine)) == 0


@pytest.mark.both_databases
def test_members_who_owe_repay_purchase_by_purchase(lin, runner, tmp_path):
    club = db.session.get_one(Club, lin.club_id)
    with transaction():
        transfer = earn(
            SYSTEM, member=lin, club=club, source="job:1", shares=(Share("repair", 25, {}),),
            reason="", at_once=True,
        )  # fmt: skip
    make_redemption(lin, 25)
    with transaction():
        reverse_award(SYSTEM, transfer=transfer, club=club, source="undo:1", reason="")
    rows = [row("A1"), row("B1"), row("C1"), row("D1", "marta")]
    assert run(runner, write(tmp_path / "p.csv", rows))[0] == 0
    now = balance_of(lin)
    assert (now.available, now.debt, now.lifetime) == (5, 0, 30)
    assert audited().drifted == 0


LINES = st.lists(
    st.tuples(
        st.integers(0, 200_000),
        st.sampled_from([None, "HX", "BAG", "ZZ"]),
        st.sampled_from([None, "lamp", "gift_card", "cable"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(purchases=st.lists(st.tuples(LINES, st.integers(0, 400)), min_size=1, max_size=6))
def test_in_bulk_gives_what_one_by_one_gives(lin, purchases):
    club = db.session.get_one(Club, lin.club_id)
    other = db.session.scalars(sa.select(Member).where(Member.external_id == "marta")).one()
    run_of = db.session.scalar(sa.select(sa.func.count()).select_from(Purchase))
    handler = PurchaseImport(SYSTEM, Context(club="circle", token=f"run{run_of}"))
    rows = []
    for number, (lines, hours) in enumerate(purchases):
        at = START - timedelta(hours=hours)
        told = [
            Line(str(place), amount, 10_000, sku, category)
            for place, (amount, sku, category) in enumerate(lines)
        ]
        with transaction():
            record_purchase(
                SYSTEM,
                club=club,
                member=lin,
                purchase_id=f"{run_of}-{number}-one",
                currency="EUR",
                lines=told,
                happened_at=at,
            )
        rows += [
            staged_row(
                len(rows) + place,
                purchase_id=f"{run_of}-{number}-bulk",
                member="marta",
                happened_at=at,
                amount=from_scaled(line.amount),
                line=line.line,
                sku=line.sku,
                category=line.category,
            )
            for place, line in enumerate(told)
        ]
    with transaction():
        handler.apply(rows)
        for _ in handler.finish():
            pass

    def transfers(member):
        found = db.session.execute(
            sa.select(PointTransfer.points, PointTransfer.happened_at, PointTransfer.explanation)
            .where(
                PointTransfer.member_id == member.id, PointTransfer.source.contains(f":{run_of}-")
            )
            .order_by(PointTransfer.source)
        )
        return [(points, at, explanation) for points, at, explanation in found]

    def kept(ending):
        found = db.session.execute(
            sa.select(Purchase.points, Purchase.amount, Purchase.happened_at)
            .where(Purchase.purchase_id.like(f"{run_of}-%-{ending}"))
            .order_by(Purchase.purchase_id)
        )
        return list(map(tuple, found))

    assert transfers(other) == transfers(lin)
    assert kept("bulk") == kept("one")
