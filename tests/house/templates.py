"""The rules of the house that a reader of one template can judge."""

import re
from collections.abc import Iterator

from tests.house.source import Breach

# Mail programs know no style sheets, and paper is no browser: there a style may stand inline.
NOT_BROWSED = (
    "templates/mail/",
    "templates/pdf/",
    "templates/layouts/mail",
    "templates/layouts/pdf",
)

COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)
FORBIDDEN_IN_PAGES = {
    "an inline style": re.compile(r"<[^<>]*?\sstyle\s*=", re.DOTALL),
    "a style element": re.compile(r"<style\b"),
    "an inline handler": re.compile(r"<[^<>]*?\son[a-z]+\s*=", re.DOTALL),
    "a handler that needs eval": re.compile(r"\shx-on[:-]|hx-vals=['\"]js:"),
    "an inline script": re.compile(
        r"<script\b(?![^>]*\ssrc=)(?![^>]*\stype=\"application/json\")[^>]*>"
    ),
}
FORBIDDEN = {
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "something from another host": re.compile(
        r"<(?:script|img|link|iframe|source|use|form)\b[^>]*\s(?:src|href|action)=[\"'](?:https?:)?//"
    ),
    "text without escaping": re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false"),
}


def template_breaches(name: str, text: str) -> Iterator[Breach]:
    """Yield what a template may not hold: inline code and style, foreign hosts, raw text."""
    # Blanked, not cut, so that line numbers stay.
    text = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    rules = dict(FORBIDDEN)
    if not name.startswith(NOT_BROWSED):
        rules |= FORBIDDEN_IN_PAGES
    for what, pattern in rules.items():
        for found in pattern.finditer(text):
            yield Breach(name, text.count("\n", 0, found.start()) + 1, what)
