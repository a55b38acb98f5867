"""Who did what, when, to what, from where: append-only, one sentence for each kind of entry.

The database itself refuses UPDATE and DELETE on the table (triggers in the first migration).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup, escape
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import Model, db
from portal.foundation.i18n import LazyText, long_day_text
from portal.foundation.origin import origin


class AuditEntry(Model):
    """One thing that somebody did."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index(None, "thing_type", "thing_id", "id"),
        sa.Index(None, "actor_id", "id"),
        sa.Index(None, "name", "id"),
        {"info": {"append_only": True}},
    )

    name: Mapped[str] = mapped_column(sa.String(80), doc="What was done: slice.thing.past_tense.")
    at: Mapped[datetime] = mapped_column(doc="When it was done, UTC.")
    actor_id: Mapped[int | None] = mapped_column(doc="The user; none for Guildhall and nobody.")
    actor_name: Mapped[str] = mapped_column(sa.String(200), doc="The user's name at that time.")
    viewed_by_id: Mapped[int | None] = mapped_column(doc="The administrator looking as the user.")
    thing_type: Mapped[str] = mapped_column(sa.String(63), doc="Table of what was acted on.")
    thing_id: Mapped[int | None] = mapped_column(doc="Its key in that table.")
    changes: Mapped[dict[str, Any]] = mapped_column(doc="Field to [before, after], or a fact.")
    address: Mapped[str] = mapped_column(sa.String(45), doc="The caller's network address.")
    request_id: Mapped[str] = mapped_column(sa.String(40), doc="The request or job run.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """How an entry reads: `text` may name %(actor)s and keys of the changes."""

    text: LazyText
    shape: str = "ring"
    tone: str = "neutral"


SENTENCES: dict[str, Sentence] = {}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def sentences(table: dict[str, Sentence]) -> None:
    """Register the sentences of a slice; refuses (ValueError) a name given twice."""
    for name, sentence in table.items():
        if name in SENTENCES:
            raise ValueError(f"audit name {name} is registered twice")
        SENTENCES[name] = sentence


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value)


def record(actor: Actor, name: str, thing: Model | None = None, /, **changes: object) -> None:
    """Add an audit entry to the present transaction.

    name: registered with a sentence; refuses (KeyError) others. thing: what was acted on; flushed
    first when it has no key yet. changes: field=(before, after) or plain facts; never secrets.
    """
    if name not in SENTENCES:
        raise KeyError(f"audit name {name} has no sentence")
    if thing is not None and thing.id is None:
        db.session.flush()  # the entry needs the new thing's key
    where = origin()
    db.session.add(
        AuditEntry(
            name=name,
            at=clock.now(),
            actor_id=actor.user_id,
            actor_name=actor.name,
            viewed_by_id=actor.viewed_by.user_id if actor.viewed_by else None,
            thing_type=thing.__tablename__ if thing is not None else "",
            thing_id=thing.id if thing is not None else None,
            changes={key: _plain(value) for key, value in changes.items()},
            address=where.address,
            request_id=where.request_id,
        )
    )


def record_many(
    actor: Actor, name: str, kind: type[Model], entries: Iterable[tuple[int, Mapping[str, object]]]
) -> None:
    """Add an entry for each of many things of one kind, in one statement.

    entries: each thing's key and its changes, as `record` takes them. Refuses as `record` does.
    """
    if name not in SENTENCES:
        raise KeyError(f"audit name {name} has no sentence")
    where = origin()
    shared = {
        "name": name,
        "at": clock.now(),
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "viewed_by_id": actor.viewed_by.user_id if actor.viewed_by else None,
        "thing_type": kind.__tablename__,
        "address": where.address,
        "request_id": where.request_id,
    }
    rows = [
        {**shared, "thing_id": key, "changes": {k: _plain(v) for k, v in changes.items()}}
        for key, changes in entries
    ]
    if rows:
        db.session.execute(sa.insert(AuditEntry), rows)


def changed(thing: Model, **values: object) -> dict[str, tuple[object, object]]:
    """Set `values` on `thing` and return what really changed, as `record` takes it."""
    changes = {}
    for key, value in values.items():
        before = getattr(thing, key)
        if before != value:
            setattr(thing, key, value)
            changes[key] = (before, value)
    return changes


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An audit entry as the page draws it."""

    sentence: Markup
    at: datetime
    shape: str
    tone: str
    detail: str


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def _shown_plain(value: object) -> str:
    """Return a value as words; days are stored as ISO and written for each reader."""
    text = "–" if value is None else str(value)
    try:
        return long_day_text(date.fromisoformat(text)) if _DAY.fullmatch(text) else text
    except ValueError:  # looks like a day and is none
        return text


def _shown(value: object) -> object:
    return escape(_shown_plain(value))


def sentence_of(entry: AuditEntry) -> Markup:
    """Return what an entry says, escaped, in the reader's language."""
    sentence = SENTENCES.get(entry.name)
    values = _Values(actor=Markup("<strong>{}</strong>").format(entry.actor_name))
    for key, value in entry.changes.items():
        if isinstance(value, list) and len(value) == 2:
            values[f"{key}_before"], values[key] = _shown(value[0]), _shown(value[1])
        else:
            values[key] = _shown(value)
    if sentence is None:
        return escape(entry.name)
    return Markup(str(sentence.text)) % values  # noqa: S704 - the text is ours, values are escaped


def timeline(thing: Model, *, limit: int = 200, without: Iterable[str] = ()) -> list[TimelineEntry]:
    """Return what happened to `thing`, newest first.

    without: names of entries that are not for this reader.
    """
    entries = db.session.scalars(
        sa.select(AuditEntry)
        .where(
            AuditEntry.thing_type == thing.__tablename__,
            AuditEntry.thing_id == thing.id,
            AuditEntry.name.not_in(list(without)),
        )
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return [as_timeline(entry) for entry in entries]


def as_timeline(entry: AuditEntry) -> TimelineEntry:
    """Return an entry as the page draws it, with its field changes as detail."""
    sentence = SENTENCES.get(entry.name)
    pairs = [
        f"{key.replace('_', ' ')}: {_shown_plain(value[0])} → {_shown_plain(value[1])}"
        for key, value in entry.changes.items()
        if isinstance(value, list) and len(value) == 2
    ]
    return TimelineEntry(
        sentence_of(entry),
        entry.at,
        sentence.shape if sentence else "ring",
        sentence.tone if sentence else "neutral",
        "; ".join(pairs),
    )
