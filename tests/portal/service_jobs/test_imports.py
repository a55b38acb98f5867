import csv
import json

import pytest
import sqlalchemy as sa

from portal.foundation.database import db
from portal.foundation.facts import StoredFact
from portal.service_jobs.models import JobState, ServiceJob
from tests.factories import installed_base as devices
from tests.factories import service_jobs as factory

HEAD = (
    "reference,station,received_on,problem,serial,sku,brand,category,"
    "symptom_code,status,closed_on,repair_code"
)


@pytest.fixture
def load(context, runner, tmp_path):
    """Import lines of jobs and return the counts."""

    def run(*lines: str, head: str = HEAD) -> dict[str, object]:
        path = tmp_path / "jobs.csv"
        path.write_text("\n".join((head, *lines)) + "\n", "utf-8")
        rejects = tmp_path / "rejects.csv"
        arguments = ["import", "service-jobs", str(path), "--rejects", str(rejects)]
        result = runner.invoke(args=arguments)
        db.session.rollback()
        last = result.stdout.strip().splitlines()
        return json.loads(last[-1]) if last else {"exit": result.exit_code}

    return run


def only_job() -> ServiceJob:
    return db.session.scalars(sa.select(ServiceJob)).one()


def test_a_job_of_the_past_is_kept_and_announces_nothing(load):
    factory.station("Fix-It", "FIXIT")
    line = "old-1,FIXIT,2019-05-04,Rührt sich nicht,,,,Laptop,,closed,2019-05-06,Fixed"
    assert load(line)["created"] == 1
    assert load(line)["unchanged"] == 1
    job = only_job()
    assert (job.status, job.problem, job.repair_code) == (
        JobState.CLOSED,
        "Rührt sich nicht",
        "Fixed",
    )
    assert (job.brand, job.serial_key, job.closings) == (None, None, 1)
    assert job.received_at.isoformat() == "2019-05-04T00:00:00+00:00"
    assert job.ended_at is not None
    assert job.ended_at.isoformat() == "2019-05-06T00:00:00+00:00"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFact)) == 0


def test_long_problems_stay_whole_and_empty_ones_are_told(load):
    factory.station("Fix-It", "FIXIT")
    long = "ä" * 100_000
    counts = load(f"a,FIXIT,2019-05-04,{long},,,,,,,,", "b,FIXIT,2019-05-04,,,,,,,,,")
    assert (counts["created"], counts["warned"]) == (2, 1)
    lengths = db.session.scalars(sa.select(sa.func.length(ServiceJob.problem)))
    assert sorted(lengths) == [0, 100_000]
    assert load(f"c,FIXIT,2019-05-04,{long}x,,,,,,,,")["rejected"] == 1


def test_the_column_of_problems_is_needed(load):
    head = "reference,station,received_on"
    assert load("a,FIXIT,2019-05-04", head=head) == {"exit": 2}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("a,NOBODY,2019-05-04,X,,,,,,,,", "NOBODY"),
        ("a,FIXIT,2019-05-04,X,--,,,,,,,", "letters or digits"),
        ("a,FIXIT,2019-05-04,X,,,,,,open,2019-05-05,", "day of closing"),
        ("a,FIXIT,2019-05-04,X,,,,,,closed,2019-05-03,", "before"),
        ("a,FIXIT,2019-05-04,X,,,,,,mended,,", "not one of"),
        ("a,FIXIT,2019-15-04,X,,,,,,,,", "not a date"),
    ],
)
def test_bad_rows_say_why(load, tmp_path, line, word):
    factory.station("Fix-It", "FIXIT")
    assert load(line)["rejected"] == 1
    assert word in (tmp_path / "rejects.csv").read_text("utf-8")


def test_one_open_job_a_serial_number_holds_for_files_too(load):
    factory.job(factory.fixit(), serial="A-1")
    lines = (
        "x1,FIXIT,2019-05-04,X,a1,,,,,open,,",
        "x2,FIXIT,2019-05-04,X,B-2,,,,,,,",
        "x3,FIXIT,2019-05-04,X,b2,,,,,open,,",
        "x4,FIXIT,2019-05-04,X,b2,,,,,closed,,",
    )
    counts = load(*lines)
    assert (counts["created"], counts["rejected"]) == (2, 2)


def test_a_file_ends_jobs_but_reopens_none(load):
    actor = factory.fixit()
    done, going = factory.closed_job(actor, serial="A-1"), factory.job(actor, serial="B-1")
    day = done.received_at.date()
    counts = load(
        f"{done.reference},FIXIT,{day},X,A-1,,,,,open,,",
        f"{going.reference},FIXIT,{day},X,B-1,,,,,closed,{day},Cable",
    )
    assert counts["warned"] == 1
    db.session.expire_all()
    assert (done.status, going.status) == (JobState.CLOSED, JobState.CLOSED)
    assert (going.repair_code, going.closings) == ("Cable", 1)


def test_new_references_begin_above_those_of_a_file(load, clock):
    actor = factory.fixit()
    clock.set("2026-11-22T10:00Z")
    load("J-2026-00041,FIXIT,2026-05-04,X,,,,,,closed,,", "J-9-1,FIXIT,2026-05-04,X,,,,,,,,")
    assert factory.job(actor).reference == "J-2026-00042"


def test_a_registered_device_is_found_and_an_unknown_product_told(load):
    devices.spectrometer()
    device = devices.device("A-1")
    factory.station("Fix-It", "FIXIT")
    assert load("a,FIXIT,2019-05-04,X,a1,NONE-1,,,,closed,,")["warned"] == 1
    job = only_job()
    assert (job.device_id, job.is_unknown_serial, job.sku) == (device.id, False, "NONE-1")


def test_an_export_comes_back_unchanged(load, runner, tmp_path, clock):
    clock.set("2026-11-22T23:30Z")
    devices.spectrometer()
    actor = factory.fixit()
    factory.job(actor, serial="NEW-1", sku="HX-900")
    cancelled = factory.closed_job(actor, problem="=1+1\nand more")
    out = tmp_path / "out.csv"
    assert runner.invoke(args=["export", "service-jobs", "--out", str(out)]).exit_code == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines(keepends=True)))
    assert [row["status"] for row in rows] == ["open", "closed"]
    assert rows[1]["reference"] == cancelled.reference
    assert rows[1]["problem"].startswith("'=1+1")
    again = runner.invoke(args=["import", "service-jobs", str(out)])
    assert json.loads(again.stdout.strip().splitlines()[-1])["unchanged"] == 2
