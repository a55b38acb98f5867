"""`flask points audit` and the nightly job of the same."""

import json

import sqlalchemy as sa

from loyalty.points.models import LedgerAudit
from portal.foundation.database import db, transaction
from tests.factories.clubs import make_club, make_lin
from tests.factories.points import make_purchase


def test_the_audit_prints_counts_and_its_exit_code_judges(context, runner):
    make_purchase(make_lin(make_club()), "10")
    done = runner.invoke(args=["points", "audit"])
    expected = {"accounts": 2, "transfers": 1, "entries": 2, "unbalanced": 0, "drifted": 0}
    assert (done.exit_code, json.loads(done.output)) == (0, expected)
    with transaction() as session:
        session.execute(sa.text("UPDATE point_lots SET remaining = 3"))
    done = runner.invoke(args=["points", "audit"])
    assert done.exit_code == 1
    assert json.loads(done.output)["drifted"] == 2
    job = runner.invoke(args=["jobs", "once", "points.audit"])
    assert job.exit_code == 3
    assert json.loads(job.output.strip().splitlines()[-1])["failed"] == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerAudit)) == 3


def test_the_jobs_run_by_name_as_of_an_instant(context, runner):
    make_purchase(make_lin(make_club()), "10")
    for name, done in (("points.mature", 0), ("points.expire", 1), ("clubs.birthday_gifts", 0)):
        ran = runner.invoke(args=["jobs", "once", name, "--at", "2199-01-01T12:00Z"])
        assert ran.exit_code == 0
        assert json.loads(ran.output.strip().splitlines()[-1])["done"] == done
