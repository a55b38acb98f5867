"""Forms of newsletters."""

from collections.abc import Mapping
from typing import Any

from wtforms import HiddenField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from loyalty.newsletters.blocks import MOST_BLOCKS
from loyalty.newsletters.models import BlockKind
from portal.foundation.i18n import LANGUAGES, _l
from portal.foundation.web.forms import EditForm, Form, text

KINDS = frozenset(kind.value for kind in BlockKind)


def _language() -> SelectField:
    return SelectField(
        _l("Language"),
        choices=[SelectChoice(tag, name) for tag, name in LANGUAGES.items()],
        default="en",
        validators=[InputRequired()],
        description=_l("Of what stands around your own words."),
        render_kw={"data-width": "third"},
    )


class NewForm(Form):
    """What a newsletter begins with."""

    club = SelectField(_l("Club"), validators=[InputRequired()], render_kw={"data-width": "third"})
    subject = text(_l("Subject"), help=_l("Also the title in print."))
    language = _language()


class NewsletterForm(EditForm):
    """Subject and language; the blocks stand beside, numbered from 0."""

    subject = text(_l("Subject"), help=_l("Also the title in print."))
    language = _language()
    count = HiddenField(default="0")


def _whole(written: str | None) -> int | None:
    """Return a whole number that a page of ours may have sent."""
    is_number = bool(written) and str(written).isascii() and str(written).isdigit()
    return int(str(written)) if is_number and len(str(written)) <= 12 else None


def typed_blocks(sent: Mapping[str, str], count: str | None) -> list[dict[str, Any]]:
    """Return the blocks as they were typed: block-N-kind, -text, -url, -alt, -file_id.

    `number` keeps each one's N, by which its upload is found. Unknown kinds are left out.
    """
    found = []
    for number in range(min(_whole(count) or 0, MOST_BLOCKS + 1)):
        kind = sent.get(f"block-{number}-kind")
        if kind not in KINDS:
            continue
        block: dict[str, Any] = {"kind": kind, "number": number}
        for name in ("text", "url", "alt"):
            block[name] = (sent.get(f"block-{number}-{name}") or "").strip()
        block["file_id"] = _whole(sent.get(f"block-{number}-file_id"))
        found.append(block)
    return found


def arranged(blocks: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """Return the blocks after a button: add-KIND, up-N, down-N, remove-N; others change nothing."""
    verb, _, what = action.partition("-")
    if verb == "add" and what in KINDS:
        return [*blocks, {"kind": what}]
    place = _whole(what)
    if place is None or place >= len(blocks):
        return blocks
    rest = blocks[:place] + blocks[place + 1 :]
    if verb == "remove":
        return rest
    if verb in {"up", "down"}:
        target = max(0, place - 1) if verb == "up" else place + 1
        return [*rest[:target], blocks[place], *rest[target:]]
    return blocks
