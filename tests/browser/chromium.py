"""Chromium, a served demo, and axe for the browser tests."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from portal.foundation.bootstrap import CHROMIUM_NAMES
from tests.databases import ROOT, Databases
from tests.making import environment_for
from tests.waiting import wait_until

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}


@dataclass
class Served:
    """A running product: its address, its folder of data, its process."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serve(folder: Path, url: str, **settings: str) -> Served:
    """Start the product as `make run` does, on a free port, and wait until it answers.

    `settings` are variables of the interface, such as DEMO="1".
    """
    port = str(free_port())
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | environment_for(folder, url, PORT=port, **settings)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [ROOT / ".venv/bin/flask", "--app", "wsgi", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        if process.poll() is not None:
            said = (folder / "serve.log").read_text(errors="replace")[-3000:]
            pytest.fail(f"the product ended while starting:\n{said}", pytrace=False)
        try:
            with urlopen(address + "/healthz", timeout=5) as answer:  # noqa: S310 - our own server
                return bool(answer.status == 200)
        except (URLError, TimeoutError, ConnectionError):
            return False

    wait_until(answers, f"{address} answers", seconds=120, every=0.1)
    return Served(address, folder, process)


def stop(served: Served) -> int:
    """End the product as Ctrl-C does; return its exit code."""
    served.process.send_signal(signal.SIGTERM)
    try:
        return served.process.wait(30)
    finally:
        if served.process.poll() is None:
            served.process.kill()


@pytest.fixture(scope="session")
def demo(databases: Databases) -> Iterator[Served]:
    """The product with its demo, served for all browser tests of this run."""
    folder = databases.folder / f"demo-{databases.worker}"
    served = serve(folder, databases.empty("sqlite", "demo"), DEMO="1")
    yield served
    stop(served)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all browser tests; skips with the reason where there is none."""
    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a browser window, and everything the page complained about meanwhile."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def goto(self, path: str) -> None:
        """Open `path` of the product and wait until the page is loaded."""
        self.page.goto(self.url + path)

    def sign_in(self, email: str, password: str = "guildhall-demo") -> None:
        """Sign in through the page."""
        self.goto("/login")
        self.page.fill("[name=email]", email)
        self.page.fill("[name=password]", password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def overflow(self) -> int:
        """Return how many pixels the page is wider than its window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def axe(self) -> list[str]:
        """Return the serious and critical findings of axe, WCAG 2.0 to 2.2 A and AA."""
        # Evaluated by the debugger, so the page's own content policy stays as it is.
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", WCAG
        )
        return [
            f"{finding['id']}: {node['html'][:120]}"
            for finding in found["violations"]
            if finding["impact"] in {"serious", "critical"}
            for node in finding["nodes"]
        ]

    def watch(self) -> None:
        """Collect console errors, script errors and requests to other hosts."""

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.complaints.append(f"console: {message.text}")

        def on_request(request: Request) -> None:
            if not request.url.startswith((self.url, "data:", "blob:", "about:")):
                self.complaints.append(f"request elsewhere: {request.url}")

        self.page.on("console", on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", on_request)


class Windows:
    """Opens browser windows, each with its own cookies, and closes them all."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []

    def open(self, *, narrow: bool = False, dark: bool = False, language: str = "en") -> Visitor:
        """Open a window of 1280 or, when narrow, 390 pixels; nobody is signed in."""
        context = self._browser.new_context(
            viewport=NARROW if narrow else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale=language,
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        visitor = Visitor(context.new_page(), self._url)
        visitor.watch()
        return visitor

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def windows(chromium: Browser, demo: Served) -> Iterator[Windows]:
    """Browser windows at the served demo: `visitor = windows.open(narrow=True)`."""
    windows = Windows(chromium, demo.url)
    yield windows
    windows.close()


@pytest.fixture
def visitor(windows: Windows) -> Visitor:
    """A person nobody knows yet, at a wide light window."""
    return windows.open()
