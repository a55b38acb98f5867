"""`flask serve`: web and jobs start together, end together, and leave nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.chromium import free_port
from tests.databases import ROOT
from tests.portal.foundation.test_processes import answers
from tests.waiting import wait_until

SERVE = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]


def parents() -> dict[int, int]:
    """Return every process of this machine with its parent."""
    said = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="], text=True)
    pairs = (line.split() for line in said.splitlines())
    return {int(pid): int(parent) for pid, parent in pairs}


def descendants(pid: int) -> set[int]:
    """Return the children of a process, theirs, and so on."""
    table, found, fresh = parents(), set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in table.items() if parent in fresh} - found
        found |= fresh
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_with_success(process_environment, number: signal.Signals):
    port = free_port()
    Path(process_environment["DATA_DIR"]).mkdir(exist_ok=True)
    environment = process_environment | {"PORT": str(port)}
    serving = subprocess.Popen(SERVE, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: answers(port), "the site answers", seconds=90)
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith("Guildhall serves http://127.0.0.1:")
        family = descendants(serving.pid)
        assert len(family) >= 3  # web, its worker, jobs
        serving.send_signal(number)
        rest, _ = serving.communicate(timeout=60)
        assert (serving.returncode, rest) == (0, "")
        wait_until(lambda: not family & set(parents()), "every process ended", seconds=10)
    finally:
        if serving.poll() is None:
            serving.terminate()
            serving.wait(60)


def test_a_port_in_use_ends_it_with_a_failure(process_environment):
    Path(process_environment["DATA_DIR"]).mkdir(exist_ok=True)
    environment = process_environment | {"HOST": "192.0.2.1"}  # an address that is not ours
    done = subprocess.run(
        SERVE, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@contextmanager
def serving_at(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    """Serve in a group of its own until the test is over."""
    serving = subprocess.Popen(
        SERVE,
        cwd=ROOT,
        env=environment | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: answers(port), "the site answers", seconds=90)
        yield serving
    finally:
        family = descendants(serving.pid)
        if serving.poll() is None:
            serving.terminate()
            serving.wait(60)
        for left in family & set(parents()):
            os.kill(left, signal.SIGKILL)


def children_of(pid: int) -> dict[str, int]:
    """Return the two processes below the serving one, by what they do."""
    said = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,args="], text=True)
    lines = (line.split(None, 2) for line in said.splitlines())
    mine = [(int(key), words) for key, parent, words in lines if int(parent) == pid]
    return {"web" if "gunicorn" in words else "jobs": key for key, words in mine}


def test_what_was_killed_is_started_again(process_environment):
    Path(process_environment["DATA_DIR"]).mkdir(exist_ok=True)
    port = free_port()
    with serving_at(process_environment, port) as serving:
        for name in ("jobs", "web", "jobs"):
            before = children_of(serving.pid)
            os.kill(before[name], signal.SIGKILL)

            def is_back(name: str = name, before: dict[str, int] = before) -> bool:
                now = children_of(serving.pid)
                return set(now) == set(before) and now[name] != before[name] and answers(port)

            wait_until(is_back, f"{name} runs again", seconds=30)
            assert serving.poll() is None


def test_when_it_is_killed_itself_nothing_stays_behind_and_the_port_is_free(process_environment):
    Path(process_environment["DATA_DIR"]).mkdir(exist_ok=True)
    port = free_port()
    with serving_at(process_environment, port) as serving:
        family = descendants(serving.pid)
        os.killpg(serving.pid, signal.SIGKILL)
        serving.wait(10)
        wait_until(lambda: not family & set(parents()), "every process ended", seconds=30)
    with serving_at(process_environment, port):
        assert answers(port)
