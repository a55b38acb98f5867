"""The demo loads into an empty database once; large sets keep the rules."""

import json

import pytest
import sqlalchemy as sa

from loyalty.clubs.models import Member
from loyalty.clubs.numbers import is_number
from loyalty.newsletters.models import Newsletter, NewsletterState
from loyalty.points.models import Purchase, PurchaseLine
from loyalty.points.operations.auditing import audit_ledger
from portal.accounts.models import User
from portal.deals.models import Deal, DealLine, DealState
from portal.foundation import clock as foundation_clock
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction
from portal.foundation.facts import DeliveryState, FactDelivery
from portal.partners.models import Partner
from portal.service_jobs.models import ServiceJob


def how_many(kind, *conditions) -> int:
    return db.session.scalar(sa.select(sa.func.count(kind.id)).where(*conditions)) or 0


def test_the_demo_loads_once_and_its_books_agree(app, runner, tmp_path):
    done = runner.invoke(args=["seed"])
    assert done.exit_code == 0, done.output
    again = runner.invoke(args=["seed"])
    assert again.exit_code == 1
    assert "not empty" in again.output
    audit = runner.invoke(args=["points", "audit"])
    assert audit.exit_code == 0
    found = json.loads(audit.stdout.splitlines()[-1])
    assert (found["unbalanced"], found["drifted"]) == (0, 0)
    assert found["entries"] > 1_000
    out = tmp_path / "demo.pdf"
    with app.app_context():
        lin = db.session.scalars(sa.select(Member).where(Member.email == "lin@club.example")).one()
        assert lin.user_id is not None
        _as_promised()
    pdf = runner.invoke(
        args=["newsletters", "pdf", "demo", "--out", str(out), "--member", lin.number]
    )
    assert pdf.exit_code == 0, pdf.output
    assert out.read_bytes().startswith(b"%PDF-")


def _as_promised() -> None:
    now = foundation_clock.now()
    counts = {kind: how_many(kind) for kind in (Partner, Deal, ServiceJob, Member, User)}
    assert counts == {Partner: 6, Deal: 60, ServiceJob: 120, Member: 400, User: 11}
    newsletter = db.session.scalars(sa.select(Newsletter)).one()
    assert (newsletter.reference, newsletter.state) == ("demo", NewsletterState.DRAFT)
    assert how_many(FactDelivery, FactDelivery.state != DeliveryState.DONE) == 0
    assert how_many(AuditEntry, AuditEntry.at > now) == 0
    without_lines = ~sa.exists().where(PurchaseLine.purchase_id == Purchase.id)
    assert how_many(Purchase, without_lines) == 0
    late = (Deal.status == DealState.APPROVED, Deal.protection_ends_at <= now)
    assert how_many(Deal, *late) == 0
    assert all(is_number(number) for number in db.session.scalars(sa.select(Member.number)))


@pytest.mark.both_databases
def test_large_sets_keep_the_rules(app, runner):
    given = ["--partners", "30", "--deals", "2500", "--members", "300", "--purchases", "400"]
    for times in (1, 2):
        done = runner.invoke(args=["seed", *given])
        assert done.exit_code == 0, done.output
        assert done.stdout.split("\n")[:4] == [
            "partners: 30",
            "deals: 2500",
            "members: 300",
            "purchases: 400",
        ]
        with app.app_context():
            counts = [how_many(kind) for kind in (Partner, Deal, DealLine, Member, Purchase)]
            assert counts == [n * times for n in (30, 2500, 2500, 300, 400)]
    with app.app_context():
        _deals_keep_the_rules()
        assert all(is_number(number) for number in db.session.scalars(sa.select(Member.number)))
        assert how_many(Purchase, ~sa.exists().where(PurchaseLine.purchase_id == Purchase.id)) == 0
        with transaction():
            audit = audit_ledger(SYSTEM)
        assert (audit.unbalanced, audit.drifted) == (0, 0)


def _deals_keep_the_rules() -> None:
    now = foundation_clock.now()
    standing = sa.select(Deal.status).distinct()
    assert set(db.session.scalars(standing)) == set(DealState)
    approved = Deal.status == DealState.APPROVED
    assert how_many(Deal, approved, Deal.protection_ends_at <= now) == 0
    expired = Deal.status == DealState.EXPIRED
    assert how_many(Deal, expired, Deal.protection_ends_at > now) == 0
    assert how_many(Deal, Deal.status != DealState.DRAFT, Deal.customer_id.is_(None)) == 0
    assert how_many(Deal, Deal.created_at > now) == 0
    assert how_many(Deal, Deal.submitted_at > Deal.approved_at) == 0
    twice = (
        sa.select(Deal.customer_id)
        .join(DealLine, DealLine.deal_id == Deal.id)
        .where(approved)
        .group_by(Deal.customer_id, DealLine.family_key)
        .having(sa.func.count() > 1)
    )
    assert db.session.scalars(twice).all() == []
    sums = (
        sa.select(Deal.id)
        .join(DealLine, DealLine.deal_id == Deal.id)
        .group_by(Deal.id, Deal.amount)
        .having(sa.func.sum(DealLine.amount) != Deal.amount)
    )
    assert db.session.scalars(sums).all() == []


def test_buyers_are_enrolled_where_there_are_none(app, runner):
    done = runner.invoke(args=["seed", "--purchases", "50"])
    assert done.stdout.split() == ["members:", "6", "purchases:", "50"]


def test_sizes_that_make_no_sense_are_bad_usage(runner):
    assert runner.invoke(args=["seed", "--deals", "-1"]).exit_code == 2
    assert runner.invoke(args=["seed", "--deals", "many"]).exit_code == 2
