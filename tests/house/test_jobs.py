"""The jobs that the interface promises are there, documented, and of known slices."""

import re

from portal.foundation.jobs.registry import JOBS
from tests.house.source import ROOT

PROMISED = {
    "mail.send", "facts.deliver", "deals.expire", "clubs.birthday_gifts", "points.expire",
    "points.audit", "newsletters.send",
}  # fmt: skip


def misnamed(names: set[str]) -> set[str]:
    """Return the job names that are not slice.what_is_done."""
    rooms = {path.stem for wing in ("portal", "loyalty") for path in (ROOT / wing).iterdir()}
    rooms |= {path.stem for path in (ROOT / "portal" / "foundation").iterdir()}
    return {
        name
        for name in names
        if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name) or name.split(".")[0] not in rooms
    }


def test_a_misnamed_job_is_found():
    assert misnamed({"facts.deliver", "Facts.Deliver", "kitchen.cook", "deliver"}) == {
        "Facts.Deliver",
        "kitchen.cook",
        "deliver",
    }


def test_jobs_are_named_and_described(app):
    assert misnamed(set(JOBS)) == set()
    assert [name for name, job in JOBS.items() if not job.doc] == []


def test_promised_jobs_are_listed_first_on_their_line(app, runner):
    printed = runner.invoke(args=["jobs", "list"])
    assert printed.exit_code == 0
    assert {line.split()[0] for line in printed.output.splitlines()} >= PROMISED
