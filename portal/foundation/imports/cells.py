"""Cells of files that a spreadsheet might take for formulas."""

import re

_runs = re.compile(r"'*[=+\-@\t\r]")


def defuse(text: str) -> str:
    """Return `text` with an apostrophe before what a spreadsheet would run.

    A text that looks guarded already gets one more, so that `undefuse` always gives it back.
    """
    return "'" + text if _runs.match(text) else text


def undefuse(text: str) -> str:
    """Return `text` without the apostrophe that `defuse` put there."""
    return text[1:] if text.startswith("'") and _runs.match(text) else text
