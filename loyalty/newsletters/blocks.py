"""Blocks of a newsletter: what each holds, and what must be there before it is approved."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from loyalty.newsletters.models import BlockKind
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l

MOST_BLOCKS = 40
# What a kind holds, and how many characters of it at most; a file's key has none.
FIELDS: dict[BlockKind, dict[str, int]] = {
    BlockKind.HEADING: {"text": 200},
    BlockKind.TEXT: {"text": 10_000},
    BlockKind.PICTURE: {"file_id": 0, "alt": 300},
    BlockKind.BUTTON: {"text": 100, "url": 500},
    BlockKind.BALANCE: {"text": 200},
}
_PLACEHOLDER = re.compile(r"\{(name|points)\}")


def checked_blocks(blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return blocks with only the fields that their kind has.

    Refuses an unknown kind, more than 40 blocks, text that is too long or cannot be printed, and
    an address that is not https or http. Empty fields are left out: a draft may be unfinished.
    """
    checked = []
    for number, block in enumerate(blocks, start=1):
        if number > MOST_BLOCKS:
            raise Refused(_l("A newsletter has at most 40 blocks."), field="blocks")
        try:
            kind = BlockKind(block.get("kind", ""))
        except ValueError:
            raise Refused(_l("There is no such kind of block."), field="blocks") from None
        kept = {name: block[name] for name in FIELDS[kind] if block.get(name) not in (None, "")}
        for name, value in kept.items():
            _check(number, name, value, FIELDS[kind][name])
        checked.append({"kind": kind.value, **kept})
    return checked


def _check(number: int, name: str, value: Any, most: int) -> None:
    if name == "file_id":
        return
    if len(value) > most:
        sentence = _l(
            "Block %(number)s holds at most %(most)s characters.", number=number, most=most
        )
        raise Refused(sentence, field="blocks")
    if any(ord(letter) < 32 and letter not in "\r\n\t" for letter in value):
        sentence = _l("Block %(number)s holds characters that cannot be printed.", number=number)
        raise Refused(sentence, field="blocks")
    if name == "url" and not _is_web_address(value):
        sentence = _l("Block %(number)s: write an address such as https://…", number=number)
        raise Refused(sentence, field="blocks")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return False
    is_plain = not any(letter.isspace() or letter in '\\<>"' for letter in text)
    return is_plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def file_ids(blocks: Iterable[Mapping[str, Any]]) -> set[int]:
    """Return the keys of the pictures that blocks show."""
    return {int(block["file_id"]) for block in blocks if block.get("file_id")}


def what_is_missing(blocks: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing without which the newsletter cannot go out."""
    missing = []
    if not blocks:
        missing.append(str(_l("It has no blocks.")))
    for number, block in enumerate(blocks, start=1):
        kind = BlockKind(block["kind"])
        if kind is not BlockKind.BALANCE and any(not block.get(name) for name in FIELDS[kind]):
            missing.append(str(_l("Block %(number)s is not filled in.", number=number)))
    return missing


def filled(text: str, words: Mapping[str, str]) -> str:
    """Return `text` with {name} and {points} replaced once; what is put in is not looked at."""
    return _PLACEHOLDER.sub(lambda found: words[found[1]], text)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text: an empty line parts them."""
    return [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
