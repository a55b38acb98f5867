"""5,803 real opportunities of one year become deals, to the unit."""

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

from portal.deals.models import Deal, DealLine, DealState
from portal.foundation.database import alembic, db
from portal.partners.models import Partner
from tests.acceptance.checks import Finding, check
from tests.making import environment_for, make_app

MAPS = Path(__file__).parent / "maps"
STATES = {"won": 2_800, "lost": 1_662, "submitted": 841, "draft": 500}
WON_WORTH = Decimal(6436887)
UNKNOWN_PRODUCT = "GTXPro"
SECONDS = 10


@check("pipeline", needs="pipeline")
def pipeline(data: Path) -> Iterator[Finding]:
    """Import the pipeline twice and with both ways of writing dates; compare with the file."""
    folder = data / "pipeline"
    file = folder / "sales_pipeline_iso.csv"
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        app = _prepared(Path(first), folder)
        started = time.monotonic()
        counts = _import(app, "deals", file, "pipeline_deals.yaml", Path(first) / "rejects.csv")
        seconds = time.monotonic() - started
        yield Finding("rows read", 5_803, counts["read"])
        yield Finding("deals created", 5_803, counts["created"])
        yield Finding("rows rejected", 0, counts["rejected"])
        yield Finding("rows warned about", 1_001, counts["warned"])
        yield Finding(f"within {SECONDS} s", True, seconds < SECONDS)
        yield from _rejects(Path(first) / "rejects.csv")
        with app.app_context():
            yield from _stored()
            yield Finding("partners with deals", len(_managers(folder, file)), len(_partners()))
            iso = _snapshot()
            db.engine.dispose()
        again = _import(app, "deals", file, "pipeline_deals.yaml")
        yield Finding("unchanged the second time", 5_803, again["unchanged"])
        american = _prepared(Path(second), folder)
        us_file = folder / "sales_pipeline_us_dates.csv"
        _import(american, "deals", us_file, "pipeline_deals_us.yaml")
        with american.app_context():
            yield Finding("deals that differ with US dates", 0, _differing(iso, _snapshot()))
            db.engine.dispose()
        refused = american.test_cli_runner().invoke(
            args=["import", "deals", str(us_file), "--map", str(MAPS / "pipeline_deals.yaml")]
        )
        yield Finding("exit code where US dates have no format", 2, refused.exit_code)


def _prepared(folder: Path, data: Path) -> Flask:
    """Return an application with the offices' managers as partners and the price list."""
    app = make_app(environment_for(folder, f"sqlite:///{folder}/accept.sqlite"))
    with app.app_context():
        alembic.upgrade()
        db.engine.dispose()
    with (data / "sales_teams.csv").open(encoding="utf-8", newline="") as file:
        managers = sorted({row["manager"] for row in csv.DictReader(file)})
    partners = folder / "partners.csv"
    with partners.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reference", "name", "kind", "country"])
        writer.writerows([name, name, "distributor", "US"] for name in managers)
    _import(app, "partners", partners)
    _import(app, "products", data / "products.csv", "pipeline_products.yaml")
    return app


def _import(
    app: Flask, kind: str, file: Path, mapping: str | None = None, rejects: Path | None = None
) -> dict[str, Any]:
    """Run the import and return what its last line says."""
    arguments = ["import", kind, str(file)]
    arguments += ["--map", str(MAPS / mapping)] if mapping else []
    arguments += ["--rejects", str(rejects)] if rejects else []
    result = app.test_cli_runner().invoke(args=arguments)
    if result.exit_code:
        raise SystemExit(f"{' '.join(arguments)}: {result.output[-500:]}")
    answer: dict[str, Any] = json.loads(result.stdout.strip().rpartition("\n")[2])
    return answer


def _rejects(path: Path) -> Iterator[Finding]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        told = [" ".join(row.values()) for row in csv.DictReader(file)]
    named = sum(UNKNOWN_PRODUCT in text for text in told)
    yield Finding(f"warnings that name {UNKNOWN_PRODUCT}", 1_001, named)


def _stored() -> Iterator[Finding]:
    counted = dict(
        db.session.execute(sa.select(Deal.status, sa.func.count()).group_by(Deal.status)).all()
    )
    for state, expected in STATES.items():
        yield Finding(f"deals {state}", expected, counted[DealState(state)])
    worth = db.session.scalar(
        sa.select(sa.func.sum(Deal.amount)).where(Deal.status == DealState.WON)
    )
    yield Finding("worth of those won", WON_WORTH, Decimal(str(worth)))
    won, lost = counted[DealState.WON], counted[DealState.LOST]
    yield Finding("win rate", "0.627521", f"{won / (won + lost):.6f}")
    kept = db.session.execute(
        sa.select(sa.func.count(), sa.func.count(DealLine.product_id)).where(
            DealLine.sku == UNKNOWN_PRODUCT
        )
    ).one()
    yield Finding(f"{UNKNOWN_PRODUCT} kept as written", 1_001, kept[0])
    yield Finding(f"{UNKNOWN_PRODUCT} linked to a product", 0, kept[1])


def _partners() -> set[str]:
    references = sa.select(Partner.reference).where(Partner.id.in_(sa.select(Deal.partner_id)))
    return set(db.session.scalars(references))


def _managers(folder: Path, pipeline_file: Path) -> set[str]:
    """Return the managers of the agents that the pipeline names."""
    with (folder / "sales_teams.csv").open(encoding="utf-8", newline="") as file:
        manager_of = {row["sales_agent"]: row["manager"] for row in csv.DictReader(file)}
    with pipeline_file.open(encoding="utf-8", newline="") as file:
        return {manager_of[row["sales_agent"]] for row in csv.DictReader(file)}


def _snapshot() -> dict[str, tuple[object, ...]]:
    """Return what the file says of each deal, by reference."""
    columns = (
        Deal.reference,
        Partner.reference,
        Deal.customer_name,
        Deal.amount,
        Deal.status,
        Deal.registered_on,
        Deal.closed_on,
        DealLine.sku,
    )
    # Where a file has no day of registration, it is the day of the import.
    rows = db.session.execute(sa.select(*columns).join(Partner).join(DealLine))
    return {row[0]: tuple(row[1:]) for row in rows}


def _differing(one: dict[str, tuple[object, ...]], other: dict[str, tuple[object, ...]]) -> int:
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())
