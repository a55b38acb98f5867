"""27,858 real repairs of 202 groups become service jobs, to the unit."""

import csv
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from flask import Flask

from portal.foundation.database import alembic, db
from portal.service_jobs.models import ServiceJob
from tests.acceptance.checks import Finding, check
from tests.making import environment_for, make_app

MAP = Path(__file__).parent / "maps" / "service_jobs.yaml"
FILE = "service/repairs_open.csv.gz"
STATES = {"closed": 14_414, "received": 8_039, "unrepairable": 5_405}
OUTCOMES = {"Fixed": 14_414, "Repairable": 7_575, "End of life": 5_405, "Unknown": 464}


@check("service-jobs", needs=FILE)
def service_jobs(data: Path) -> Iterator[Finding]:
    """Import the repairs twice and compare what is in the database with the file."""
    with gzip.open(data / FILE, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(environment_for(Path(folder), f"sqlite:///{folder}/accept.sqlite"))
        with app.app_context():
            alembic.upgrade()
        stations = _write_stations(rows, Path(folder) / "stations.csv")
        made = _run(app, "import", "partners", str(stations))
        yield Finding("stations made of groups", 202, made["created"])
        first = _run(app, "import", "service-jobs", str(data / FILE), "--map", str(MAP))
        yield Finding("rows read", 27_858, first["read"])
        yield Finding("jobs created", 27_858, first["created"])
        yield Finding("rows rejected", 0, first["rejected"])
        silent = sum(not row["problem"].strip() for row in rows)
        yield Finding("rows without a problem, kept with a warning", silent, first["warned"])
        with app.app_context():
            yield from _stored(rows)
            db.engine.dispose()
        again = _run(app, "import", "service-jobs", str(data / FILE), "--map", str(MAP))
        yield Finding("unchanged the second time", 27_858, again["unchanged"])


def _run(app: Flask, *arguments: str) -> dict[str, Any]:
    """Run a command and return what its last line says."""
    result = app.test_cli_runner().invoke(args=arguments)
    if result.exit_code:
        raise SystemExit(f"{' '.join(arguments)}: {result.output[-500:]}")
    last = result.stdout.strip().rpartition("\n")[2]
    answer: dict[str, Any] = json.loads(last) if last.startswith("{") else {}
    return answer


def _write_stations(rows: list[dict[str, str]], path: Path) -> Path:
    """Write the groups as a file of partners, under the names that the mapping gives them."""
    renamed = yaml.safe_load(MAP.read_text("utf-8"))["values"]["station"]
    groups = {row["group_identifier"].strip(): row["country"] for row in reversed(rows)}
    places = {row["country"] for row in rows}
    codes = _two_letters(places)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reference", "name", "kind", "country"])
        for name, country in groups.items():
            reference = renamed.get(name, name)
            writer.writerow([reference, name, "repair_station", codes[country]])
    return path


def _two_letters(places: set[str]) -> dict[str, str]:
    """Return ISO 3166 alpha-2 for the file's alpha-3."""
    odd = {
        "BEN": "BJ", "CHE": "CH", "DEU": "DE", "ESP": "ES", "IRL": "IE", "SWE": "SE",
        "TUN": "TN", "JEY": "JE", "ISL": "IS",
    }  # fmt: skip
    return {place: odd.get(place, place[:2]) for place in places}


def _stored(rows: list[dict[str, str]]) -> Iterator[Finding]:
    """Compare the stored jobs with the rows."""
    columns = (ServiceJob.status, ServiceJob.repair_code, ServiceJob.category)
    states: Counter[str] = Counter()
    outcomes: Counter[str | None] = Counter()
    categories: Counter[str | None] = Counter()
    for row in db.session.execute(sa.select(*columns, sa.func.count()).group_by(*columns)):
        states[row[0].value] += row[3]
        outcomes[row[1]] += row[3]
        categories[row[2]] += row[3]
    for state, expected in STATES.items():
        yield Finding(f"jobs {state}", expected, states[state])
    for outcome, expected in OUTCOMES.items():
        yield Finding(f"outcome {outcome}", expected, outcomes[outcome])
    for category, expected in sorted(Counter(row["product_category"] for row in rows).items()):
        yield Finding(f"category {category}", expected, categories[category])
    yield Finding("categories in all", 40, len(categories))
    counted = db.session.execute(
        sa.select(
            sa.func.count(ServiceJob.station_id.distinct()),
            sa.func.count().filter(ServiceJob.brand.is_(None)),
            sa.func.max(sa.func.length(ServiceJob.problem)),
            sa.func.count().filter(ServiceJob.problem.contains("ü")),
        )
    ).one()
    unknown = sum(row["brand"] == "Unknown" for row in rows)
    longest = max(len(row["problem"].strip()) for row in rows)
    umlauts = sum("ü" in row["problem"] for row in rows)
    yield Finding("stations with jobs", 202, counted[0])
    yield Finding("jobs without a brand", unknown, counted[1])
    yield Finding("characters of the longest problem", longest, counted[2])
    yield Finding("problems with an umlaut", umlauts, counted[3])
