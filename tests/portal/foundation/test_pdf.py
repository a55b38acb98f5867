"""PDFs: what they show, what they never read, and what happens when drawing goes wrong."""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from jinja2 import ChoiceLoader, DictLoader
from PIL import Image

from portal.foundation import pdf
from portal.foundation.actors import SYSTEM
from portal.foundation.codes import qr_svg
from portal.foundation.database import transaction
from portal.foundation.files.operations import store_document
from portal.foundation.pdf import PdfFailed, PdfUnavailable, html_to_pdf, render_pdf
from tests.waiting import wait_until

FONTS = Path(__file__).parents[3] / "static" / "fonts"
TEMPLATES = {
    "pdf/tests/sheet.html": (
        '{% extends "layouts/pdf.html" %}'
        '{% from "components/document.html" import facts, lines, code, sign %}'
        "{% block reference %}J-1{% endblock %}"
        "{% block body %}{{ code(qr, 'Scan') }}<h1>{{ title }}</h1>"
        "{{ facts([('Customer', name)]) }}"
        "{{ lines([('Part', false), ('Amount', true)], [['Head', '1.00']], ['Total', '1.00']) }}"
        "{{ sign('Signature') }}<p class='break'>Second page {{ long_day_text(day) }}</p>"
        "{% endblock %}"
    )
}


@pytest.fixture(autouse=True)
def _templates(app, monkeypatch):
    loader = ChoiceLoader([DictLoader(TEMPLATES), app.jinja_env.loader])
    monkeypatch.setattr(app.jinja_env, "loader", loader)


@pytest.fixture
def sheet(context, clock):
    now = clock.set("2026-03-01T09:00Z")

    def draw(**more: Any) -> bytes:
        context = {"name": "Göteborgs Hamn", "qr": qr_svg("x", label="Code"), "day": now.date()}
        options = {"language": "en", "title": "Job sheet", **context, **more}
        return render_pdf("pdf/tests/sheet.html", **options)

    return draw


def page(body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><title>T</title>'
        f'<link rel="stylesheet" href="static/css/pdf.css">{head}</head><body>{body}</body></html>'
    )


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content))


def fonts_of(document: pikepdf.Pdf) -> dict[str, TTFont]:
    """Return the fonts in the document by their names."""
    found = {}
    for one in document.objects:
        if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor":
            name = str(one.FontName).partition("+")[2]
            found[name] = TTFont(io.BytesIO(one.FontFile2.read_bytes()))
    return found


def images_in(content: bytes) -> int:
    with opened(content) as document:
        return sum(
            isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"
            for one in document.objects
        )


def text_of(content: bytes) -> str:
    done = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode()


def outline(font: TTFont, name: str) -> tuple[Any, ...]:
    glyph = font["glyf"][name]
    points, ends, _ = glyph.getCoordinates(font["glyf"])
    return tuple(points), tuple(ends)


def test_a_document_says_what_it_is(sheet):
    with opened(sheet()) as document:
        assert str(document.Root.Lang) == "en"
        assert document.Root.MarkInfo.Marked
        assert str(document.docinfo["/Title"]) == "Job sheet"
        assert str(document.docinfo["/Author"]) == "Halden Instruments"
        assert str(document.docinfo["/CreationDate"]).startswith("D:20260301090000")
        assert len(document.pages) == 2
        width, height = (float(edge) for edge in document.pages[0].mediabox[2:])
        assert (round(width), round(height)) == (595, 842)


def test_the_same_document_at_the_same_instant_is_the_same_bytes(sheet):
    assert sheet() == sheet()
    assert sheet() != sheet(name="Another")


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh_Hans_CN", "zh-Hans")])
def test_a_document_is_in_the_readers_language(sheet, language, tag):
    with opened(sheet(language=language)) as document:
        assert str(document.Root.Lang) == tag


def painted(document: pikepdf.Pdf) -> dict[str, list[int]]:
    """Return the glyph numbers that the pages paint with each font, in order."""
    numbers: dict[str, list[int]] = {}
    for one in document.pages:
        names = {
            key: str(font.BaseFont).partition("+")[2]
            for key, font in one.resources.get("/Font", {}).items()
        }
        current = ""
        for instruction in pikepdf.parse_content_stream(one):
            operands, operator = instruction.operands, instruction.operator
            if str(operator) == "Tf":
                current = names[str(operands[0])]
            elif str(operator) in {"Tj", "TJ"}:
                parts = operands[0] if str(operator) == "TJ" else operands
                for part in parts:
                    if isinstance(part, pikepdf.String):
                        raw = bytes(part)
                        pairs = zip(raw[::2], raw[1::2], strict=True)
                        numbers.setdefault(current, []).extend(a << 8 | b for a, b in pairs)
    return numbers


@pytest.mark.parametrize(
    ("tag", "font", "file"),
    [("p", "Guildhall-Hans", "NotoSansSC-Regular.ttf"),
     ("h1", "Guildhall-Hans-Semi-Bold", "NotoSansSC-SemiBold.ttf")],
)  # fmt: skip
def test_chinese_is_painted_with_the_right_shapes(context, tag, font, file):
    # Text extraction is not enough: it was right while other characters stood on paper.
    words = "维修站完成了对诊断装置的修理客户满意"
    with opened(
        html_to_pdf(page(f"<{tag}>{words}</{tag}>")),
    ) as document:
        kept, numbers = fonts_of(document)[font], painted(document)[font]
    bundled = TTFont(FONTS / file)
    names = bundled.getBestCmap()
    assert [outline(kept, kept.getGlyphName(number)) for number in numbers] == [
        outline(bundled, names[ord(character)]) for character in words
    ]


def test_latin_is_painted_from_the_bundled_fonts(context):
    words = "Åsöß"
    with opened(html_to_pdf(page(f"<p>{words}</p>"))) as document:
        kept, numbers = fonts_of(document)["Guildhall-Sans"], painted(document)["Guildhall-Sans"]
    bundled = TTFont(FONTS / "NotoSans-Regular.ttf")
    widths = [bundled["hmtx"][bundled.getBestCmap()[ord(c)]] for c in words]
    assert [kept["hmtx"][kept.getGlyphName(number)] for number in numbers] == widths


def test_chinese_fonts_are_read_only_where_they_are_needed(context):
    with opened(html_to_pdf(page("<p>plain</p>"))) as document:
        assert set(fonts_of(document)) == {"Guildhall-Sans"}


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(out, "PNG")
    return out.getvalue()


def test_stored_pictures_static_files_and_small_data_are_shown(context):
    with transaction():
        file = store_document(
            SYSTEM, picture("red"), name="a.png", media_type="image/png", purpose="tests"
        )
    data = base64.b64encode(picture("blue")).decode()
    html = page(
        f'<img src="{file.document_path}" alt="a"><img src="data:image/png;base64,{data}" alt="b">'
    )
    assert images_in(html_to_pdf(html)) == 2


@pytest.fixture
def secrets(app, tmp_path):
    """Pictures where no document may read, one of them behind a link from where it may."""
    root = Path(app.config["DATA_DIR"])
    (root / "files").mkdir(exist_ok=True)
    (root / "secret.png").write_bytes(picture("black"))
    (root / "files" / "link.png").symlink_to(root / "secret.png")
    (root / "files" / "folder").symlink_to(root)
    (root / "filesystem.png").write_bytes(picture("black"))
    return root


@pytest.mark.parametrize(
    "address",
    [
        "file://{root}/secret.png",
        "{root}/secret.png",
        "files/../secret.png",
        "files/%2e%2e/secret.png",
        "files/..%2fsecret.png",
        "files/%252e%252e/secret.png",
        "files/link.png",
        "files/folder/secret.png",
        "static/../../../../../../..{root}/secret.png",
        "files//{root}/secret.png",
        "filesystem.png",
        "files",
        "files/",
        "file://localhost{root}/files/../secret.png",
        "http://127.0.0.1:{port}/x.png",
        "https://127.0.0.1:{port}/x.png",
        "//127.0.0.1:{port}/x.png",
        "ftp://127.0.0.1:{port}/x.png",
        "gopher://127.0.0.1:{port}/x",
        "data:image/svg+xml;base64,{svg}",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "data:text/html,<p>x</p>",
        "data:image/png;base64,{large}",
        "data:image/png;base64,!!!!",
        "FILE:///etc/passwd",
    ],
)
def test_nothing_else_is_read_or_asked_for(context, secrets, listener, address):
    svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"/>').decode()
    source = address.format(root=secrets, port=listener.port, svg=svg, large="A" * 2_100_000)
    quoted = source.replace('"', "&quot;").replace("<", "&lt;")
    html = page(
        f'<p>Kept</p><img src="{quoted}" alt="">'
        f'<div style="background: url(&quot;{quoted}&quot;); height: 1cm"></div>'
        f'<object data="{quoted}"></object><embed src="{quoted}">',
        head=f'<link rel="stylesheet" href="{quoted}"><link rel="attachment" href="{quoted}">'
        f'<style>@import url("{quoted}");'
        f'@font-face {{ font-family: x; src: url("{quoted}") }}</style>',
    )
    drawn = html_to_pdf(html)
    assert images_in(drawn) == 0
    with opened(drawn) as document:
        assert len(document.attachments) == 0
    assert "Kept" in text_of(drawn)
    assert listener.asked == 0


def test_a_base_address_of_the_page_leads_nowhere(context, secrets):
    html = page('<img src="secret.png" alt="">', head=f'<base href="file://{secrets}/">')
    assert images_in(html_to_pdf(html)) == 0


class Listener:
    """Counts who connects to a port of this machine."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    @property
    def asked(self) -> int:
        """Return 1 when anybody connected, else 0."""
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return 0
        return 1


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.socket.close()


def test_threads_may_draw_at_the_same_time(app, sheet):
    def draw(number: int) -> str:
        with app.app_context():
            return text_of(html_to_pdf(page(f"<p>Number {number}</p>")))

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(draw, range(12)))
    assert [f"Number {n}" in text for n, text in enumerate(texts)] == [True] * 12


def process_id() -> int:
    process = pdf._drawers[0].process
    assert process is not None
    return process.pid


def test_the_process_is_kept_and_replaced_when_it_died(context):
    html_to_pdf(page("<p>1</p>"))
    first = process_id()
    html_to_pdf(page("<p>2</p>"))
    assert process_id() == first
    os.kill(first, signal.SIGKILL)
    assert "3" in text_of(html_to_pdf(page("<p>3</p>")))
    assert process_id() != first


def test_a_process_that_crashes_while_drawing_is_replaced(context):
    html_to_pdf(page("<p>1</p>"))
    stop = threading.Timer(0.05, os.kill, (process_id(), signal.SIGSEGV))
    stop.start()
    drawn = html_to_pdf(page("<table>" + "<tr><td>a<td>b<td>c</tr>" * 300 + "</table>"))
    stop.join()
    assert drawn.startswith(b"%PDF")


def test_a_document_that_crashes_each_process_is_refused(context, monkeypatch, tmp_path):
    fragile = tmp_path / "fragile.py"
    fragile.write_text("print('{\"ready\": true}', flush=True); input()")
    pdf.close()
    monkeypatch.setattr(pdf, "PROGRAM", fragile)
    with pytest.raises(PdfFailed, match="ended"):
        html_to_pdf(page("<p>1</p>"))
    monkeypatch.undo()
    assert "2" in text_of(html_to_pdf(page("<p>2</p>")))


def test_a_document_that_takes_too_long_is_refused_and_the_next_is_drawn(context, monkeypatch):
    html_to_pdf(page("<p>1</p>"))
    first = process_id()
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 1)
    with pytest.raises(PdfFailed, match="longer than 1 s"):
        html_to_pdf(page("<table>" + "<tr><td>a<td>b<td>c</tr>" * 20_000 + "</table>"))
    monkeypatch.undo()
    assert "2" in text_of(html_to_pdf(page("<p>2</p>")))
    assert process_id() != first


def test_the_process_knows_no_secrets(context):
    os.environ["GUILDHALL_TEST_SECRET"] = "known"
    try:
        pdf.close()
        html_to_pdf(page("<p>1</p>"))
        environment = Path(f"/proc/{process_id()}/environ").read_bytes()
    finally:
        del os.environ["GUILDHALL_TEST_SECRET"]
    assert b"SECRET" not in environment
    assert b"DATABASE" not in environment


def test_the_process_ends_with_its_parent_and_takes_its_folder_along(app, tmp_path):
    program = (
        "import os, signal, sys\n"
        "from flask import Flask\n"
        "from portal.foundation import pdf\n"
        f"app = Flask('x', static_folder={app.static_folder!r})\n"
        f"app.config['DATA_DIR'] = {str(tmp_path)!r}\n"
        "with app.app_context():\n"
        "    pdf.html_to_pdf('<html lang=en><title>t</title><p>x')\n"
        "print(pdf._drawers[0].process.pid, pdf._drawers[0].folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        cwd=FONTS.parents[1],
    )  # fmt: skip
    child, folder = done.stdout.split()
    wait_until(lambda: not Path(f"/proc/{child}").exists(), "the drawing process has ended")
    assert not Path(folder).exists()


def test_a_machine_without_pango_is_told_what_to_install(context, monkeypatch, tmp_path):
    absent = tmp_path / "absent.py"
    absent.write_text('print(\'{"unavailable": "cannot load library libpango-1.0-0"}\')')
    pdf.close()
    monkeypatch.setattr(pdf, "PROGRAM", absent)
    for _ in range(2):
        with pytest.raises(PdfUnavailable, match=r"apt-get install libpango-1\.0-0"):
            html_to_pdf(page("<p>1</p>"))
    monkeypatch.undo()
    assert html_to_pdf(page("<p>1</p>"))
