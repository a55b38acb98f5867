"""The process that draws PDFs: WeasyPrint in one thread, nothing of the application beside it.

Started as a program by `pdf.py`, which sends a line of JSON and a page of HTML and gets a line of
JSON and a PDF back. It ends when its standard input closes, so it never outlives its parent, and
after ten idle minutes. It knows no secrets: neither configuration nor environment reach it.
"""

import base64
import binascii
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

MEMORY = 1024 * 1024 * 1024
IDLE_SECONDS = 600.0
BASE = "file:///"
MOST_FILE = 20 * 1024 * 1024
MOST_DATA = 2 * 1024 * 1024
MOST_PIXELS = 40_000_000
MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
_data_image = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,", re.IGNORECASE)
_chinese = re.compile(
    r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)

try:
    import PIL.Image
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse
except OSError as error:
    # The Python package is there but Pango or HarfBuzz of the operating system is not.
    sys.stdout.write(json.dumps({"unavailable": str(error).splitlines()[0]}) + "\n")
    sys.exit(0)


class Refused(Exception):  # noqa: N818
    """The document asked for something that is not read for it."""


class HouseFetcher(URLFetcher):
    """Reads `static/…` and `files/…` below their two folders, and small pictures as data: URLs."""

    def __init__(self, roots: dict[str, str]) -> None:
        super().__init__(allowed_protocols=())
        self.roots = {name: Path(path).resolve() for name, path in roots.items()}
        self.refused: list[str] = []

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Return what `url` names; refuses everything else, and says so in the answer."""
        try:
            return self._data(url) if url[:5].lower() == "data:" else self._file(url)
        except (Refused, OSError, ValueError) as problem:
            self.refused.append(url[:200])
            raise ValueError(f"not read for a document: {problem}") from None

    def _data(self, url: str) -> URLFetcherResponse:
        found = _data_image.match(url)
        if not found or len(url) > MOST_DATA:
            raise Refused("data that is no small picture")
        try:
            content = base64.b64decode(url[found.end() :], validate=True)
        except binascii.Error:
            raise Refused("data that is not base64") from None
        return URLFetcherResponse(url, content, {"Content-Type": found[1].lower()})

    def _file(self, url: str) -> URLFetcherResponse:
        parts = urlsplit(url)
        path = unquote(parts.path)
        _, name, *below = path.split("/")
        if parts.scheme != "file" or parts.netloc or name not in self.roots or not below:
            raise Refused("outside the folders of documents")
        if "\x00" in path or "\\" in path or any(part in {"", ".", ".."} for part in below):
            raise Refused("a path that leads elsewhere")
        root = self.roots[name]
        target = root.joinpath(*below).resolve()
        if not target.is_relative_to(root) or not target.is_file():
            raise Refused("no such file")
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(MOST_FILE + 1)
        if len(content) > MOST_FILE:
            raise Refused("too large")
        media_type = MEDIA_TYPES.get(target.suffix, "application/octet-stream")
        return URLFetcherResponse(url, content, {"Content-Type": media_type})


def draw(html: str, order: dict[str, Any]) -> tuple[bytes, list[str]]:
    """Return the PDF of `html` and the addresses that were not read for it."""
    fetcher = HouseFetcher(order["roots"])
    # One configuration for each document: a shared one has crashed whole processes.
    fonts = FontConfiguration()
    sheets = []
    if _chinese.search(html):
        hans = BASE + "static/css/pdf-hans.css"
        sheets.append(weasyprint.CSS(url=hans, url_fetcher=fetcher, font_config=fonts))
    document = weasyprint.HTML(string=html, base_url=BASE, url_fetcher=fetcher)
    drawn = document.write_pdf(
        font_config=fonts, stylesheets=sheets, pdf_variant=order["variant"], cache={}
    )
    return drawn, fetcher.refused


def answer(out: BinaryIO, head: dict[str, Any], content: bytes = b"") -> None:
    """Write a line of JSON, then as many bytes as it says."""
    out.write(json.dumps({**head, "size": len(content)}).encode() + b"\n" + content)
    out.flush()


def asked(source: BinaryIO) -> bytes:
    """Return the next line of the parent; empty when it is gone or silent for ten minutes."""
    parent, until = os.getppid(), time.monotonic() + IDLE_SECONDS
    while time.monotonic() < until and os.getppid() == parent:
        if select.select([source], [], [], 5.0)[0]:
            return source.readline()
    return b""


def serve(source: BinaryIO, out: BinaryIO) -> None:
    """Draw what is asked for, one document after the other."""
    answer(out, {"ready": True})
    while line := asked(source):
        order = json.loads(line)
        html = source.read(order["size"]).decode()
        # A parent that died cannot stop this process; the alarm does.
        signal.alarm(order["seconds"] + 5)
        try:
            drawn, refused = draw(html, order)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next document is drawn
            answer(out, {"failed": f"{type(problem).__name__}: {problem}"[:500]})
        else:
            answer(out, {"refused": refused}, drawn)
        signal.alarm(0)


def main() -> None:
    """Serve the parent on standard input and output; what libraries print goes to errors."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    PIL.Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    tempfile.tempdir = sys.argv[1]
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, out)
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
