"""`flask serve`: web and jobs start together, end together, and leave nothing behind."""

import signal
import subprocess
import sys
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
