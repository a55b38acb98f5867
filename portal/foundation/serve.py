"""`flask serve`: web and scheduled jobs in the foreground, ended together and cleanly."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from types import FrameType

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.foundation import clock
from portal.foundation.config import ROOT
from portal.foundation.database import is_postgresql
from portal.foundation.migrations import upgrade_database

GRACE_SECONDS = 20
HINTS: list[str] = []
SEEDERS = []


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


class Processes:
    """The web and the jobs process; either one's end ends both."""

    def __init__(self, commands: list[list[str]], environment: dict[str, str]) -> None:
        self.stopping = threading.Event()
        self.children = [
            subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)
            for command in commands
        ]

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Begin to end."""
        self.stopping.set()

    def wait(self) -> int:
        """Wait for a signal or for a child that ends by itself; return the exit code."""
        while not self.stopping.wait(0.2):
            ended = [child.returncode for child in self.children if child.poll() is not None]
            if ended:
                return self._end(1)
        return self._end(0)

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


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Migrate, load the demo into an empty database, then serve pages and run jobs.

    Example: PORT=8080 flask --app wsgi serve
    """
    config = current_app.config
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    upgrade_database()
    for seed in SEEDERS:
        seed()
    metrics = tempfile.mkdtemp(prefix="guildhall-metrics-")
    environment = os.environ | {
        clock.OFFSET_VARIABLE: str(clock.offset_seconds()),
        "PROMETHEUS_MULTIPROC_DIR": metrics,
    }
    workers = int(os.environ.get("WEB_WORKERS", "2" if is_postgresql() else "1"))
    threads = int(os.environ.get("WEB_THREADS", "8"))
    web = gunicorn_command(config["HOST"], config["PORT"], workers=workers, threads=threads)
    jobs = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "run"]
    processes = Processes([web, jobs], environment)
    signal.signal(signal.SIGTERM, processes.stop)
    signal.signal(signal.SIGINT, processes.stop)
    click.echo(f"Guildhall serves {config['BASE_URL']} (Ctrl-C ends it)")
    for hint in HINTS:
        click.echo(hint)
    sys.stdout.flush()
    code = processes.wait()
    shutil.rmtree(metrics, ignore_errors=True)
    raise SystemExit(code)
