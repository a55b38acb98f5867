"""Templates hold no inline code, no inline style and nothing from elsewhere."""

import pytest

from tests.house.source import ROOT, files
from tests.house.templates import template_breaches

PAGE = "templates/portal/deals/list.html"


@pytest.mark.parametrize(
    "wrong",
    [
        '<p class="a"\n style="color: red">',
        "<style>p {}</style>",
        '<button type="button" onclick="go()">',
        '<button hx-on:click="go()">',
        "<script>go()</script>",
        '<script nonce="{{ nonce }}">go()</script>',
        '<a href="javascript:go()">',
        '<script src="https://elsewhere.example/x.js"></script>',
        '<img alt="" src="//elsewhere.example/x.png">',
        "{{ body | safe }}",
    ],
)
def test_a_breach_is_found(wrong):
    assert list(template_breaches(PAGE, wrong))


@pytest.mark.parametrize(
    "right",
    [
        '<p class="a" data-style="b">',
        '<script src="{{ asset("js/app.js") }}" defer></script>',
        '<script type="application/json" id="data">{}</script>',
        '<a href="https://standards.example/">',
        '{# style="…" is for mails #}<p>',
        "{{ person }} once = only",
    ],
)
def test_the_right_way_is_left_alone(right):
    assert not list(template_breaches(PAGE, right))


def test_mails_may_carry_their_style_but_no_foreign_pictures():
    assert not list(template_breaches("templates/mail/a.html", '<p style="color: red">'))
    assert list(template_breaches("templates/mail/a.html", '<img src="https://x.example/a.png">'))


def test_no_template_breaks_the_rules():
    found = [
        str(breach)
        for name in files("templates", ending="")
        if (ROOT / name).is_file()
        for breach in template_breaches(name, (ROOT / name).read_text("utf-8"))
    ]
    assert not found, "\n".join(found)
