"""What benchmarks stand on: an application with data, servers of our own, a client that counts."""

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from portal.foundation.database import db
from portal.foundation.migrations import upgrade_database
from portal.foundation.processes import gunicorn_command
from tests.browser.chromium import free_port
from tests.databases import ROOT
from tests.making import environment_for, make_app
from tests.waiting import wait_until

SECONDS = 2
CONNECTIONS = 8


@contextlib.contextmanager
def application() -> Iterator[Flask]:
    """An application on a migrated SQLite database in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="guildhall-bench-"))
    app = make_app(environment_for(folder, url_in(folder)))
    try:
        with app.app_context():
            upgrade_database()
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)


def url_in(folder: Path) -> str:
    """Return the address of the SQLite database in a folder."""
    return f"sqlite:///{folder / 'guildhall.db'}"


def cookie_of(app: Flask, token: str) -> str:
    """Return the cookie header of a browser in which the sign-in of `token` is open."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = token
    cookie = client.get_cookie("guildhall")
    return f"guildhall={cookie.value if cookie else ''}"


@contextlib.contextmanager
def served(app: Flask, factory: str = "wsgi:create_app()") -> Iterator[str]:
    """Serve `factory` on the database of `app` with two workers; yield the address."""
    port = free_port()
    command = gunicorn_command("127.0.0.1", port, workers=2, threads=4)
    command[command.index("wsgi:create_app()")] = factory
    folder = Path(app.config["DATA_DIR"])
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment_for(folder, url_in(folder))
    )
    try:
        wait_until(lambda: _answers(port), "the server answers", seconds=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def requests_per_second(url: str, headers: dict[str, str]) -> float:
    """Return how many answers of 200 a second come over eight connections.

    Uses wrk where it is installed, else threads of our own. Fails on any other answer.
    """
    wrk = shutil.which("wrk")
    return _with_wrk(wrk, url, headers) if wrk else _with_threads(url, headers)


def _with_wrk(wrk: str, url: str, headers: dict[str, str]) -> float:
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"the server failed under load:\n{said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return float(found[1]) if found else 0.0


def _with_threads(url: str, headers: dict[str, str]) -> float:
    target, counts, until = urlsplit(url), [], time.monotonic() + SECONDS

    def ask() -> None:
        connection = http.client.HTTPConnection(target.netloc, timeout=10)
        count = 0
        while time.monotonic() < until:
            connection.request("GET", target.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            count += answer.status == 200
        connection.close()
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def insert_in_bulk(table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows in pieces, within the caller's transaction."""
    for start in range(0, len(rows), 10_000):
        db.session.execute(table.insert(), rows[start : start + 10_000])
