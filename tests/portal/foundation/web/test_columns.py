"""How cells are drawn: each kind, with hostile text in every part."""

import pytest

from portal.foundation.i18n import _l
from portal.foundation.steps import Look
from portal.foundation.web.lists.columns import Cell

BAD = "<b>\"'&"
SAFE = "&lt;b&gt;&quot;&#x27;&amp;"


@pytest.mark.parametrize(
    ("cell", "drawn"),
    [
        (Cell("text", BAD, BAD), SAFE),
        (Cell("number", 7, "7"), "7"),
        (
            Cell("badge", 1, BAD, Look(_l("x"), "dot", "bad")),
            f'<span class="badge badge-bad shape-dot">{SAFE}</span>',
        ),
        (Cell("money", 1, "1.00", BAD), f'1.00 <span class="unit">{SAFE}</span>'),
        (Cell("money", 1, "1.00", None), "1.00"),
        (Cell("link", 1, BAD, BAD), f'<a href="{SAFE}">{SAFE}</a>'),
        (Cell("reference", 1, BAD, None), SAFE),
        (Cell("date", 1, "1 May", BAD), f'<time title="{SAFE}">1 May</time>'),
        (Cell("clock", None, "–", None), "–"),
    ],
)
def test_a_cell_draws_itself_escaped(cell: Cell, drawn: str):
    assert cell.drawn() == drawn


def test_a_clock_shows_how_much_is_left():
    drawn = Cell("clock", 1, "3 days", ("3 days", 0.256, "warn")).drawn()
    assert 'class="clock clock-warn"' in drawn
    assert 'width="25.6"' in drawn
