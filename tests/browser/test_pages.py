"""Every page, as each of the cast: nothing overflows, complains, or keeps anybody out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import NARROW, WIDE, Visitor, Windows

CAST = [
    "admin@vendor.example",
    "channel@vendor.example",
    "service@vendor.example",
    "marketing@vendor.example",
    "owner@north.example",
    "sales@north.example",
    "owner@harbour.example",
    "bench@fixit.example",
    "bench@pacific.example",
    "lin@club.example",
    "marta@club.example",
]
# Not pages of ours to look at: files, and the vendored reader of the API's description.
NOT_PAGES = re.compile(r"format=|\.pdf|\.csv|\.xlsx|/api/|/static/|/download|/rejects")
MOST_PAGES = 60
LOOKS = [(WIDE, "light"), (NARROW, "dark"), (WIDE, "dark"), (NARROW, "light")]
_examined: set[tuple[str, str]] = set()


def shape_of(path: str) -> str:
    """Return what pages of one kind have in common: an address without numbers and references."""
    bare = path.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]
    return re.sub(r"/[A-Z]{1,4}-?\d[\w-]*|/\d+|/[\w-]*\d{4,}[\w-]*", "/N", bare)


def links(page: Page, home: str) -> list[str]:
    """Return the paths of this site that the page links to."""
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    return [link.removeprefix(home) for link in found if link.startswith(home + "/")]


def walk(visitor: Visitor, start: str) -> Iterator[str]:
    """Open pages from `start` on, one of each shape, and yield each once it is open."""
    waiting = [start]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0).split("#")[0]
        shape = shape_of(path)
        if shape in seen or NOT_PAGES.search(path):
            continue
        seen.add(shape)
        answer = visitor.page.goto(visitor.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        yield path
        waiting.extend(links(visitor.page, visitor.url))


def examine(visitor: Visitor, path: str) -> list[str]:
    """Return what is wrong with the open page, wide and narrow, light and dark."""
    wrong = []
    face = visitor.page.get_attribute("body", "class") or ""
    is_new = (face, shape_of(path)) not in _examined
    _examined.add((face, shape_of(path)))
    for window, scheme in LOOKS:
        visitor.page.set_viewport_size(window)  # type: ignore[arg-type]
        visitor.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        where = f"{path} at {window['width']} {scheme}"
        if visitor.overflow() > 0:
            wrong.append(f"{where}: {visitor.overflow()} px too wide")
        if is_new:
            wrong.extend(f"{where}: {finding}" for finding in visitor.axe())
    return wrong


@pytest.mark.parametrize("email", CAST)
def test_each_of_the_cast_can_read_every_page(windows: Windows, email: str):
    visitor = windows.open()
    visitor.sign_in(email)
    wrong = [fault for path in walk(visitor, "/") for fault in examine(visitor, path)]
    assert wrong + visitor.complaints == []


def test_a_visitor_who_is_not_signed_in_can_read_the_open_pages(visitor: Visitor):
    wrong = [fault for path in walk(visitor, "/login") for fault in examine(visitor, path)]
    assert wrong + visitor.complaints == []


def test_the_pages_are_in_chinese_for_those_who_read_it(windows: Windows):
    visitor = windows.open(language="zh-CN", narrow=True)
    visitor.goto("/login")
    assert visitor.page.get_attribute("html", "lang") == "zh-Hans"
    assert visitor.page.locator("h1").inner_text() == "登录"
    assert examine(visitor, "/login") == []


def test_the_description_of_the_api_can_be_read(visitor: Visitor):
    visitor.goto("/api/v1/docs")
    visitor.page.wait_for_selector(".opblock")
    assert visitor.complaints == []


def test_the_product_is_useful_without_scripts(windows: Windows, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    home = windows.open().url
    page.goto(f"{home}/login")
    page.fill("[name=email]", "channel@vendor.example")
    page.fill("[name=password]", "guildhall-demo")
    page.click("button[type=submit] >> nth=0")
    page.goto(f"{home}/deals")
    page.click("th a >> nth=0")
    assert page.locator("tbody tr").count() == 50
    context.close()
