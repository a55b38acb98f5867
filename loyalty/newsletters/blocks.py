"""Blocks of a newsletter: what each holds, and what must be there before it is approved."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from loyalty.newsletters.models import BlockKind
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l

MOST_BLOCKS = 40
MOST_TEXT = 10_000
FIELDS: dict[BlockKind, tuple[str, ...]] = {
    BlockKind.HEADING: ("text",),
    BlockKind.TEXT: ("text",),
    BlockKind.PICTURE: ("file_id", "alt"),
    BlockKind.BUTTON: ("text", "url"),
    BlockKind.BALANCE: ("text",),
}
PLACEHOLDERS = ("{name}", "{points}")


def checked_blocks(blocks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return blocks with only the fields that their kind has.

    Refuses an unknown kind, more than 40 blocks, text over 10,000 characters, and an address that
    is not https or http. Empty fields are kept: a draft may be unfinished.
    """
    checked = []
    for block in blocks:
        try:
            kind = BlockKind(block.get("kind", ""))
        except ValueError:
            raise Refused(_l("There is no such kind of block."), field="blocks") from None
        kept = {name: block[name] for name in FIELDS[kind] if block.get(name) not in (None, "")}
        for value in kept.values():
            if isinstance(value, str) and (len(value) > MOST_TEXT or "\x00" in value):
                raise Refused(_l("A block holds at most 10,000 characters."), field="blocks")
        if "url" in kept and urlsplit(str(kept["url"])).scheme not in {"http", "https"}:
            raise Refused(_l("A button leads to an http or https address."), field="blocks")
        checked.append({"kind": kind.value, **kept})
    if len(checked) > MOST_BLOCKS:
        raise Refused(_l("A newsletter has at most 40 blocks."), field="blocks")
    return checked


def what_is_missing(blocks: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing without which the newsletter cannot go out."""
    missing = []
    if not blocks:
        missing.append(str(_l("It has no blocks.")))
    for number, block in enumerate(blocks, start=1):
        kind = BlockKind(block["kind"])
        needed = [name for name in FIELDS[kind] if kind is not BlockKind.BALANCE]
        if any(not block.get(name) for name in needed):
            missing.append(str(_l("Block %(number)s is not filled in.", number=number)))
    return missing


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text: an empty line parts them."""
    return [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
