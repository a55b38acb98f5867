"""PDFs: a template to bytes, drawn by WeasyPrint in a process of its own.

Each web or jobs process keeps one such process, started at the first document. WeasyPrint has
crashed whole processes when two threads drew at once; here a crash costs one document.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from flask import current_app
from markupsafe import Markup

from portal.foundation import clock, i18n
from portal.foundation.files.storage import files_root
from portal.foundation.links import absolute_url
from portal.foundation.settings import setting

log = structlog.get_logger()
PROGRAM = Path(__file__).with_name("pdf_process.py")
TIMEOUT_SECONDS = 30
# All that the drawing process gets of the environment: no secret is among it.
ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "XDG_CACHE_HOME", "XDG_DATA_HOME"),
    *("FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
)
MISSING = (
    "PDFs cannot be made on this machine until Pango is installed: "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
)


class PdfFailed(Exception):  # noqa: N818
    """The document could not be drawn; the message says why."""


class PdfUnavailable(PdfFailed):
    """This machine lacks what PDFs need; the message says which packages to install."""


class _Drawer:
    """The drawing process that belongs to this process; one document at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = ""

    def draw(self, order: dict[str, Any], html: bytes) -> tuple[bytes, list[str]]:
        """Return the PDF and the addresses that were not read for it.

        Refuses (PdfFailed) what takes longer than 30 s, or waits as long for other documents.
        """
        if not self.lock.acquire(timeout=TIMEOUT_SECONDS):
            raise PdfFailed("other documents are being drawn; try again in a minute")
        try:
            while True:
                fresh = self.process is None or self.process.poll() is not None
                try:
                    return self._drawn(order, html, fresh=fresh)
                except (OSError, EOFError, json.JSONDecodeError) as problem:
                    self.close()
                    # One that was idle may have ended just before it was asked; a fresh one not.
                    if fresh:
                        raise PdfFailed("the drawing process ended") from problem
        finally:
            self.lock.release()

    def _drawn(self, order: dict[str, Any], html: bytes, *, fresh: bool) -> tuple[bytes, list[str]]:
        process = self._start() if fresh else self.process
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        with self._deadline(process):
            if fresh and "unavailable" in (greeting := _head(process)):
                log.error("pdf.unavailable", error=greeting["unavailable"])
                raise PdfUnavailable(MISSING)
            process.stdin.write(json.dumps({**order, "size": len(html)}).encode() + b"\n" + html)
            process.stdin.flush()
            head = _head(process)
            content = process.stdout.read(head["size"])
        if "failed" in head:
            raise PdfFailed(head["failed"])
        return content, head["refused"]

    @contextmanager
    def _deadline(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Kill `process` when the code inside takes longer than 30 s."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(TIMEOUT_SECONDS, stop)
        timer.start()
        try:
            yield
        except (OSError, EOFError, json.JSONDecodeError):
            if not late.is_set():
                raise
            self.close()
            raise PdfFailed(f"the document took longer than {TIMEOUT_SECONDS} s") from None
        finally:
            timer.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        self.folder = tempfile.mkdtemp(prefix="guildhall-pdf-")
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(PROGRAM), self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            cwd="/",
        )
        return self.process

    def close(self) -> None:
        """End the drawing process."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                try:
                    if pipe is not None:
                        pipe.close()
                except OSError:
                    log.debug("pdf.pipe_was_closed")
            process.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def disown(self) -> None:
        """Let the drawing process be, after a fork: it belongs to the parent."""
        if self.process is not None:
            self.process.returncode = 0
        self.folder = ""


def _head(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        raise EOFError
    head: dict[str, Any] = json.loads(line)
    return head


_drawers = [_Drawer()]


def _after_fork() -> None:
    _drawers[0].disown()
    _drawers[0] = _Drawer()


def close() -> None:
    """End the drawing process of this process; the next document starts another."""
    _drawers[0].close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(close)


def html_to_pdf(html: str, *, tagged: bool = True) -> bytes:
    """Return the PDF of a whole HTML page with a title and a language.

    Its pictures and styles may be `static/…`, the `document_path` of stored files, and PNG, JPEG,
    GIF and WebP as data: of at most 2 MB; of anything else nothing is read and nothing shown.
    tagged: as PDF/UA, for screen readers. Refuses (PdfFailed) what cannot be drawn in 30 s, and
    (PdfUnavailable) on a machine without Pango. Not inside `transaction()`: drawing takes a while.
    """
    order = {
        "roots": {"static": current_app.static_folder, "files": str(files_root())},
        "variant": "pdf/ua-1" if tagged else None,
        "seconds": TIMEOUT_SECONDS,
    }
    drawn, refused = _drawers[0].draw(order, html.encode())
    if refused:
        log.warning("pdf.addresses_refused", addresses=refused)
    return drawn


def render_pdf(
    template: str,
    *,
    language: str | None,
    title: str,
    zone: str = "UTC",
    tagged: bool = True,
    **context: Any,
) -> bytes:
    """Return the PDF of `template`, which extends `layouts/pdf.html`, in `language`.

    title: also the foot of each page. zone: of the reader, for times. tagged: see `html_to_pdf`.
    context: what the template reads, beside `absolute_url`, `vendor` and the texts of dates and
    numbers. Refuses what `html_to_pdf` refuses.
    """
    with i18n.in_language(language, zone):
        html = current_app.jinja_env.get_template(template).render(
            {
                "absolute_url": absolute_url,
                "language_tag": i18n.LANGUAGE_TAGS[i18n.language()],
                "title": title,
                "vendor": str(setting("vendor.name")),
                "made_at": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "page_number": Markup('<span class="page-number"></span>'),
                "page_count": Markup('<span class="page-count"></span>'),
                "day_text": i18n.day_text,
                "long_day_text": i18n.long_day_text,
                "instant_text": i18n.instant_text,
                "number_text": i18n.number_text,
                **context,
            }
        )
    return html_to_pdf(html, tagged=tagged)
