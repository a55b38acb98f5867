"""Files of deals."""

import json
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.customers.models import Customer
from portal.deals.models import Deal, DealLine, DealState
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db
from tests.factories import deals, partners, products

pytestmark = pytest.mark.both_databases
HEAD = (
    "reference,partner,customer_name,amount,currency,customer_country,product,stage,registered_on"
)
ROWS = """
A-1,NORTH,Statkraft AS,1000.5,EUR,NO,HX-900,won,2026-01-15
A-2,NORTH,STATKRAFT,20,EUR,NO,GTXPro,approved,2026-11-01
A-3,HARBOUR,,,EUR,,,draft,
A-4,HARBOUR,Equinor ASA,7,EUR,NO,HX-900 spectrometer,submitted,2026-11-20
"""


@pytest.fixture(autouse=True)
def cast(app, clock):
    clock.set("2026-11-23T09:00Z")
    with app.app_context():
        products.price_list()
        partners.north()
        partners.harbour()


@pytest.fixture
def load(runner, tmp_path):
    """Import lines of a file; return the exit code, the counts, and what was told."""

    def run(rows: str, head: str = HEAD):
        file, rejects = tmp_path / "deals.csv", tmp_path / "rejects.csv"
        file.write_text(f"{head}\n{rows.strip()}\n", "utf-8")
        done = runner.invoke(args=["import", "deals", str(file), "--rejects", str(rejects)])
        assert done.exit_code in {0, 3}, done.output
        counts = json.loads(done.stdout.strip().splitlines()[-1])
        told = rejects.read_text("utf-8") if rejects.exists() else ""
        return done.exit_code, counts, told

    return run


def found(app, reference: str) -> Deal:
    with app.app_context():
        return db.session.scalars(sa.select(Deal).where(Deal.reference == reference)).one()


def test_rows_become_deals(app, load):
    code, counts, told = load(ROWS)
    assert code == 0
    assert (counts["created"], counts["warned"]) == (4, 1)
    assert "GTXPro" in told
    won, approved, draft, waiting = (found(app, f"A-{number}") for number in range(1, 5))
    assert (won.status, won.amount) == (DealState.WON, Decimal("1000.50"))
    assert won.registered_on == date(2026, 1, 15)
    assert approved.protected_until == date(2027, 1, 30)
    assert won.customer_id == approved.customer_id
    assert approved.lines[0].sku == "GTXPro"
    assert approved.lines[0].product_id is None
    assert (draft.customer_name, draft.registered_on) == ("", date(2026, 11, 23))
    assert waiting.lines[0].sku == "HX-900"
    assert waiting.decide_by_at is not None
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Customer.id))) == 2
        entries = sa.select(sa.func.count()).where(AuditEntry.name == "deals.deal.imported")
        assert db.session.scalar(entries) == 4


def test_the_same_file_twice_changes_nothing(load):
    load(ROWS)
    _code, counts, _told = load(ROWS)
    assert (counts["unchanged"], counts["updated"], counts["created"]) == (4, 0, 0)


def test_a_file_brings_a_deal_forward_but_never_back(app, load):
    load(ROWS)
    later = "A-1,NORTH,Statkraft AS,1000.5,EUR,NO,HX-900,draft,2026-01-15\n"
    later += "A-4,HARBOUR,Equinor ASA,9,EUR,NO,PT-40,won,2026-11-20"
    _code, counts, told = load(later)
    assert (counts["unchanged"], counts["updated"], counts["warned"]) == (1, 1, 1)
    assert "further than draft" in told
    moved = found(app, "A-4")
    assert (moved.status, moved.amount, moved.lines[0].sku) == (DealState.WON, 9, "PT-40")
    assert moved.lines[0].amount == 9
    assert found(app, "A-1").status is DealState.WON


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("B-1,NOBODY,Statkraft AS,1,EUR,NO,,draft,", "partner"),
        ("B-1,NORTH,Statkraft AS,-1,EUR,NO,,draft,", "amount"),
        ("B-1,NORTH,Statkraft AS,1,EURO,NO,,draft,", "currency"),
        ("B-1,NORTH,Statkraft AS,1,EUR,NO,,sold,", "stage"),
        ("B-1,NORTH,Statkraft AS,1,EUR,NO,,draft,2026-02-30", "registered_on"),
        ("B-1,NORTH,,1,EUR,NO,,won,2026-02-01", "customer_name"),
        ("B-1,NORTH,Statkraft AS,,EUR,NO,,won,2026-02-01", "amount"),
    ],
)
def test_a_bad_row_is_told_and_good_ones_are_kept(app, load, row, column):
    good = "B-2,NORTH,Statkraft AS,1,EUR,NO,,draft,2026-02-01"
    code, counts, told = load(f"{row}\n{good}")
    assert (code, counts["rejected"], counts["created"]) == (3, 1, 1)
    assert column in told
    assert found(app, "B-2").status is DealState.DRAFT


def test_what_is_exported_is_taken_as_unchanged(app, runner, load, tmp_path):
    load(ROWS)
    with app.app_context():
        seller = partners.actor_of(partners.make_user("owner@north.example", partner_id=1))
        manager = partners.channel_manager()
        deals.returned(seller, manager, lines=[{"family": "Probes", "quantity": 1, "amount": 5}])
        deals.draft(seller, lines=[*deals.LINES, {"sku": "PT-40", "quantity": 2, "amount": 1}])
    file = tmp_path / "export.csv"
    assert runner.invoke(args=["export", "deals", "--out", str(file)]).exit_code == 0
    done = runner.invoke(args=["import", "deals", str(file)])
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout.strip().splitlines()[-1])
    assert (counts["read"], counts["unchanged"]) == (6, 6)
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(DealLine.id))) == 6
