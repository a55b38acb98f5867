"""Web and scheduled jobs in the foreground, ended together and cleanly."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from types import FrameType

from portal.foundation import clock
from portal.foundation.config import DEMO_PASSWORD, ROOT, Config

GRACE_SECONDS = 20
# More kills than this within so many seconds are no accident.
MOST_KILLED, WITHIN_SECONDS = 20, 20
PR_SET_PDEATHSIG = 1


def gunicorn_command(host: str, port: int, *, workers: int, threads: int) -> list[str]:
    """Return the command of the web process: gthread workers, bounded requests."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:create_app()",
        f"--bind={host}:{port}",
        f"--workers={workers}",
        f"--threads={threads}",
        "--worker-class=gthread",
        "--config=python:portal.foundation.gunicorn_config",
        "--no-control-socket",
    ]


def end_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it is gone, killed or not.

    Only Linux does so; elsewhere a killed parent leaves its children to whoever killed it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


class Processes:
    """The web and the jobs process: a killed one is started again, any other end ends both."""

    def __init__(self, commands: list[list[str]], environment: dict[str, str]) -> None:
        self.commands, self.environment = commands, environment
        self.stopping = threading.Event()
        self.children: list[subprocess.Popen[bytes]] = []
        self.killed: deque[float] = deque(maxlen=MOST_KILLED)

    def start(self) -> None:
        """Start both; signals must lead to `stop` by now, so that none of them is left behind."""
        for command in self.commands:
            self.children.append(self._started(command))

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        # No thread runs beside this one, so that code between fork and exec is safe.
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Begin to end."""
        self.stopping.set()

    def wait(self) -> int:
        """Wait for a signal or for a child that ends by itself; return the exit code."""
        while not self.stopping.wait(0.2):
            for place, child in enumerate(self.children):
                code = child.poll()
                if code is None:
                    continue
                if code >= 0 or self._is_killed_too_often():
                    return self._end(1)
                with suppress(ProcessLookupError):  # workers of a killed web process hold its port
                    os.killpg(child.pid, signal.SIGKILL)
                self.children[place] = self._started(self.commands[place])
        return self._end(0)

    def _is_killed_too_often(self) -> bool:
        """Note that a child was killed; return whether that happens all the time."""
        now = time.monotonic()
        often = len(self.killed) == MOST_KILLED and now - self.killed[0] < WITHIN_SECONDS
        self.killed.append(now)
        return often

    def _end(self, code: int) -> int:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        return code


def run_site(config: Config) -> int:
    """Serve pages and run jobs until a signal ends both; return the exit code.

    The database is migrated already. WEB_WORKERS, WEB_THREADS: size of the web process.
    """
    metrics = tempfile.mkdtemp(prefix="guildhall-metrics-")
    environment = os.environ | {
        clock.OFFSET_VARIABLE: str(clock.offset_seconds()),
        "PROMETHEUS_MULTIPROC_DIR": metrics,
    }
    several = config.database_url.startswith("postgresql")
    workers = int(os.environ.get("WEB_WORKERS", "2" if several else "1"))
    threads = int(os.environ.get("WEB_THREADS", "8"))
    web = gunicorn_command(config.host, config.port, workers=workers, threads=threads)
    jobs = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "run"]
    processes = Processes([web, jobs], environment)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, processes.stop)
    processes.start()
    said = [f"Guildhall serves {config.base_url} (Ctrl-C ends it)"]
    if config.has_demo:
        who = f"admin@vendor.example, password {DEMO_PASSWORD}"
        said.append(f"Sign in as {who}; others in the README")
    sys.stdout.write("\n".join(said) + "\n")
    sys.stdout.flush()
    code = processes.wait()
    shutil.rmtree(metrics, ignore_errors=True)
    return code
