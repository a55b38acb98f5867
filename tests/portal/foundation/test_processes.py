"""Several web and job processes on one PostgreSQL; the leader is killed under way."""

import http.client
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.browser.chromium import free_port
from tests.databases import ROOT
from tests.waiting import wait_until

JOBS = [sys.executable, "-m", "flask", "--app", "tests.ticking", "jobs", "run"]


class Fleet:
    """Programs of one test, all ended with it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a program of the repository."""
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        self.processes.append(process)
        return process

    def web(self, port: int) -> subprocess.Popen[bytes]:
        """Start a web process."""
        program = [sys.executable, "-m", "gunicorn", "tests.ticking:create_app()"]
        options = [f"--bind=127.0.0.1:{port}", "--threads=4", "--no-control-socket"]
        return self.start([*program, *options, "--worker-class=gthread"])

    def end(self) -> None:
        """End everything that still runs."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(30)


@pytest.fixture
def fleet(process_environment: dict[str, str]) -> Iterator[Fleet]:
    Path(process_environment["DATA_DIR"]).mkdir(exist_ok=True)
    fleet = Fleet(process_environment)
    yield fleet
    fleet.end()


@pytest.mark.postgresql
def test_killing_the_leader_loses_and_doubles_nothing(fleet: Fleet, database_url: str):
    engine = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
    ports = [free_port(), free_port()]
    for port in ports:
        fleet.web(port)
    workers = {process.pid: process for process in (fleet.start(JOBS), fleet.start(JOBS))}

    def leader() -> int | None:
        query = "SELECT worker FROM heartbeats WHERE leads AND beat_at > now() - interval '3 s'"
        with engine.connect() as connection:
            name = connection.execute(sa.text(query)).scalar()
        return int(name.rsplit(":")[-1]) if name else None

    def ticks() -> int:
        with engine.connect() as connection:
            query = "SELECT count(*) FROM audit_entries WHERE name = 'tests.tick.heard'"
            return connection.execute(sa.text(query)).scalar() or 0

    first = wait_until(leader, "a process leads", seconds=60) or 0
    wait_until(lambda: ticks() >= 3, "three ticks are heard", seconds=60)
    wait_until(lambda: all(map(answers, ports)), "the web processes answer", seconds=60)
    words = [f"word-{number}" for number in range(20)]
    for number, word in enumerate(words):
        assert asked(ports[number % 2], "POST", f"/tests/announce/{word}") == 201
    workers[first].kill()
    workers.pop(first)
    before = ticks()
    (second,) = workers
    wait_until(lambda: leader() == second, "the other process leads", seconds=30)
    wait_until(lambda: ticks() >= before + 12, "ticks go on", seconds=60)
    wait_until(lambda: waiting(engine) == 0, "everything is done", seconds=60)

    with engine.connect() as connection:
        runs = connection.execute(
            sa.text("SELECT due_at, state FROM job_runs WHERE job = 'tests.tick' ORDER BY due_at")
        ).all()
    dues = [row.due_at for row in runs]
    assert dues == every_second(dues[0], dues[-1])
    settled = [row for row in runs if row.due_at < dues[-1] - timedelta(seconds=8)]
    done = {row.due_at.isoformat() for row in settled}
    assert {row.state for row in settled} == {"done"}
    wait_until(lambda: done <= heard(engine).keys(), "all ticks are heard", seconds=60)
    wait_until(lambda: done <= set(mailed(engine)), "all ticks are mailed", seconds=60)
    counts, sources = heard(engine), mailed(engine)
    engine.dispose()
    assert {counts[due] for due in done} == {1}
    assert {counts[word] for word in words} == {1}
    assert len(set(sources)) == len(sources)
    outbox = list((Path(fleet.environment["DATA_DIR"]) / "outbox").glob("*.eml"))
    assert len(outbox) >= len(sources)


def heard(engine: sa.Engine) -> Counter[str]:
    """Return how often each tick or word was heard."""
    query = "SELECT changes ->> 'tick' FROM audit_entries WHERE name = 'tests.tick.heard'"
    with engine.connect() as connection:
        return Counter(connection.execute(sa.text(query)).scalars())


def mailed(engine: sa.Engine) -> list[str]:
    """Return what the mails that were handed over are about."""
    query = "SELECT source FROM mail_messages WHERE state = 'handed_over'"
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)).scalars())


def every_second(first: datetime, last: datetime) -> list[datetime]:
    """Return every due instant from the first to the last."""
    seconds = int((last - first).total_seconds())
    return [first + timedelta(seconds=number) for number in range(seconds + 1)]


def asked(port: int, method: str, path: str) -> int | None:
    """Return the status of a web process's answer, None when it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def answers(port: int) -> bool:
    """Return whether a web process on `port` serves."""
    return asked(port, "GET", "/healthz") == 200


def waiting(engine: sa.Engine) -> int:
    """Return how much of what is older than three seconds is not done yet."""
    query = """SELECT
        (SELECT count(*) FROM job_runs WHERE state IN ('queued', 'running')
           AND due_at < now() - interval '3 s')
      + (SELECT count(*) FROM fact_deliveries WHERE state = 'pending')
      + (SELECT count(*) FROM mail_messages WHERE state IN ('queued', 'leased')
           AND created_at < now() - interval '3 s')"""
    with engine.connect() as connection:
        return connection.execute(sa.text(query)).scalar() or 0
