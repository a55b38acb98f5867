"""Due instants, catching up, claims, leases, and runs by name."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

from portal.foundation import clock as foundation_clock
from portal.foundation.database import db, transaction
from portal.foundation.jobs import queries, worker
from portal.foundation.jobs.models import JobRun, RunState
from portal.foundation.jobs.registry import JOBS, CatchUp, Job, Run, due_instants
from portal.foundation.jobs.scheduler import enqueue, schedule_due

HOURLY = CronTrigger(minute=0, timezone=UTC)
START = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)


def a_job(catch_up: CatchUp, function=lambda run: None) -> Job:
    return Job("tests.sample", function, "A sample.", HOURLY, catch_up=catch_up)


@pytest.fixture
def sample(monkeypatch):
    """A job that counts how often it runs, and as of when."""
    seen: list[datetime] = []

    def function(run: Run) -> None:
        seen.append(foundation_clock.now())
        run.done += 1

    monkeypatch.setitem(JOBS, "tests.sample", a_job(CatchUp.ALL, function))
    return seen


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [(CatchUp.ALL, [23, 0, 1, 2]), (CatchUp.LATEST, [2]), (CatchUp.DROP, [])],
)
def test_what_was_missed_is_caught_up_as_declared(catch_up: CatchUp, expected: list[int]):
    until = START + timedelta(hours=4)
    found = due_instants(a_job(catch_up), START, until)
    assert [due.hour for due in found] == expected


def test_the_hour_that_summer_time_skips_or_doubles_is_due_once_each_in_utc():
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        found = due_instants(a_job(CatchUp.ALL), day, day + timedelta(days=1))
        assert len(found) == len(set(found)) == 24


@pytest.mark.both_databases
def test_each_due_instant_gets_one_run_however_often_the_leader_looks(context, clock, sample):
    clock.set(START)
    schedule_due()
    clock.advance(hours=3)
    schedule_due()
    schedule_due()
    runs = queries.runs("tests.sample")
    assert sorted(run.due_at.hour for run in runs) == [0, 1, 23]
    while worker.work_one("w"):
        pass
    assert [at.hour for at in sample] == [23, 0, 1]
    assert {run.state for run in queries.runs("tests.sample")} == {RunState.DONE}


@pytest.mark.both_databases
def test_queued_work_runs_once_and_a_second_of_its_key_is_ignored(context, sample):
    for _ in range(2):
        with transaction():
            enqueue("tests.sample", key="one", number=1)
    assert worker.work_one("w")
    assert not worker.work_one("w")
    assert len(sample) == 1


@pytest.mark.both_databases
def test_work_queued_in_a_transaction_that_fails_is_not_queued(context, sample):
    with pytest.raises(ZeroDivisionError), transaction():
        enqueue("tests.sample", key="one")
        _ = 1 / 0
    assert not worker.work_one("w")


@pytest.mark.both_databases
def test_a_run_whose_process_died_goes_back_and_is_parked_after_five_deaths(context, sample):
    with transaction():
        enqueue("tests.sample", key="one")
    for attempt in range(1, worker.MOST_ATTEMPTS + 1):
        run = worker.claim("dead")
        assert run is not None
        assert run.attempts == attempt
        with transaction() as session:
            past = foundation_clock.machine_now() - timedelta(seconds=1)
            session.execute(sa.update(JobRun).values(lease_until=past))
        assert worker.take_back_expired() == 1
    assert worker.claim("w") is None
    assert db.session.scalar(sa.select(JobRun.state)) == RunState.PARKED


@pytest.mark.both_databases
def test_a_run_that_raises_keeps_its_error_and_is_tried_again(context, monkeypatch):
    def broken(run: Run) -> None:
        raise ValueError("no such thing")

    monkeypatch.setitem(JOBS, "tests.sample", a_job(CatchUp.ALL, broken))
    with transaction():
        enqueue("tests.sample", key="one")
    assert worker.work_one("w")
    (run,) = queries.runs("tests.sample")
    assert run.state == RunState.QUEUED
    assert "no such thing" in (run.error or "")


def test_once_runs_a_job_as_if_it_were_another_instant(runner, app: Flask, sample):
    answer = runner.invoke(args=["jobs", "once", "tests.sample", "--at", "2028-02-29T12:00Z"])
    assert answer.exit_code == 0
    line = json.loads(answer.stdout)
    assert line | {"seconds": 0} == {
        "job": "tests.sample",
        "at": "2028-02-29T12:00:00Z",
        "done": 1,
        "skipped": 0,
        "failed": 0,
        "seconds": 0,
    }
    assert sample == [datetime(2028, 2, 29, 12, tzinfo=UTC)]


@pytest.mark.parametrize("args", [["none.such"], ["web.clean", "--at", "tomorrow"]])
def test_once_refuses_unknown_names_and_instants_in_one_line(runner, args: list[str]):
    answer = runner.invoke(args=["jobs", "once", *args])
    assert answer.exit_code == 2
    assert "Traceback" not in answer.stderr


def test_a_stopped_clock_is_seen(context):
    assert queries.clock_is_stopped()
