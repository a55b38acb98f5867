"""Forms of newsletters."""

from typing import Any

from wtforms import HiddenField, SelectField

from portal.foundation.i18n import LANGUAGES, _l
from portal.foundation.web.forms import EditForm, Form, text


class NewForm(Form):
    """What a newsletter begins with."""

    club = SelectField(_l("Club"))
    subject = text(_l("Subject"), help=_l("Also the title in print."))
    language = SelectField(_l("Language"), choices=list(LANGUAGES.items()))


class NewsletterForm(EditForm):
    """Subject and language; the blocks stand beside, numbered from 0."""

    subject = text(_l("Subject"), help=_l("Also the title in print."))
    language = SelectField(_l("Language"), choices=list(LANGUAGES.items()))
    count = HiddenField(default="0")


def typed_blocks(sent: Any, count: str | None) -> list[dict[str, Any]]:
    """Return the blocks as they were typed: block-N-kind, -text, -url, -alt, -file_id."""
    most = min(int(count), 60) if count and count.isdigit() else 0
    found = []
    for number in range(most):
        kind = sent.get(f"block-{number}-kind")
        if not kind:
            continue
        block: dict[str, Any] = {"kind": kind}
        for name in ("text", "url", "alt"):
            block[name] = (sent.get(f"block-{number}-{name}") or "").strip()
        file_id = sent.get(f"block-{number}-file_id") or ""
        block["file_id"] = int(file_id) if file_id.isdigit() and len(file_id) < 12 else None
        found.append(block)
    return found


def arranged(blocks: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """Return the blocks after a button: add-KIND, up-N, down-N, remove-N; others change nothing."""
    verb, _, what = action.partition("-")
    if verb == "add":
        return [*blocks, {"kind": what}]
    if not what.isdigit() or int(what) >= len(blocks):
        return blocks
    place = int(what)
    rest = blocks[:place] + blocks[place + 1 :]
    if verb == "remove":
        return rest
    if verb in {"up", "down"}:
        target = max(0, place - 1) if verb == "up" else place + 1
        return [*rest[:target], blocks[place], *rest[target:]]
    return blocks
