"""Queueing mail in the business transaction, and the addresses that get no more."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.foundation import clock, i18n
from portal.foundation.database import db, is_postgresql
from portal.foundation.errors import Refused
from portal.foundation.links import base_host
from portal.foundation.mail.models import MailMessage, MailState, MailSuppression
from portal.foundation.mail.writing import (
    MOST_NAME,
    MOST_SUBJECT,
    Written,
    checked_address,
    checked_headers,
    one_line,
    write_mail,
)


def queue_mail(
    kind: str,
    *,
    to: tuple[str, str],
    language: str | None = None,
    zone: str = "UTC",
    source: str | None = None,
    user_id: int | None = None,
    headers: dict[str, str] | None = None,
    attachments: list[int] | None = None,
    **context: Any,
) -> MailMessage:
    """Write the mail `kind` in the reader's language and queue it in the present transaction.

    to: address and name. source: what caused it; a second mail of one source is not queued and
    the first is returned. attachments: keys of stored files. context: what the templates read,
    beside `absolute_url`, `vendor` and the texts of dates and numbers. A suppressed address is
    noted as such and never sent to. Refuses what is not an address, and (ValueError) headers with
    line ends or of names that are set here.
    """
    if source is not None:
        queued = db.session.scalar(sa.select(MailMessage).where(MailMessage.source == source))
        if queued is not None:
            return queued
    address = checked_address(to[0])
    extra = checked_headers(headers)
    name = one_line(to[1], MOST_NAME)
    language = language if language in i18n.LANGUAGES else i18n.DEFAULT_LANGUAGE
    written = write_mail(kind, language=language, zone=zone, to_name=name, **context)
    now = clock.now()
    row = {
        "message_id": f"{secrets.token_hex(16)}@{base_host()}",
        "kind": kind,
        "source": source,
        "user_id": user_id,
        "to_address": address,
        "to_name": name,
        "language": language,
        "subject": written.subject,
        "text": written.text,
        "html": written.html,
        "headers": extra,
        "attachments": list(attachments or []),
        "state": MailState.SUPPRESSED if suppressed([address]) else MailState.QUEUED,
        "attempts": 0,
        "next_at": now,
        "created_at": now,
    }
    return _inserted(row)


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail that is written already, for one reader of many; fields as in `queue_mail`."""

    kind: str
    address: str
    name: str
    language: str
    source: str
    written: Written
    user_id: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def queue_many(drafts: Sequence[Draft]) -> dict[str, int]:
    """Queue many mails in one statement; return source → key, also of those queued before.

    Refuses (ValueError) headers that `queue_mail` refuses; what is not an address is left out.
    """
    now, host = clock.now(), base_host()
    unwanted = suppressed([draft.address for draft in drafts])
    rows: list[dict[str, Any]] = []
    for draft in drafts:
        try:
            address = checked_address(draft.address)
        except Refused:
            continue
        is_unwanted = address.lower() in unwanted
        rows.append(
            {
                "message_id": f"{secrets.token_hex(16)}@{host}",
                "kind": draft.kind,
                "source": draft.source,
                "user_id": draft.user_id,
                "to_address": address,
                "to_name": one_line(draft.name, MOST_NAME),
                "language": draft.language,
                "subject": one_line(draft.written.subject, MOST_SUBJECT),
                "text": draft.written.text,
                "html": draft.written.html,
                "headers": checked_headers(draft.headers),
                "attachments": [],
                "state": MailState.SUPPRESSED if is_unwanted else MailState.QUEUED,
                "attempts": 0,
                "next_at": now,
                "created_at": now,
            }
        )
    if rows:
        insert = (postgresql if is_postgresql() else sqlite).insert(MailMessage).values(rows)
        db.session.execute(insert.on_conflict_do_nothing(index_elements=["source"]))
    sources = [row["source"] for row in rows]
    known = sa.select(MailMessage.source, MailMessage.id).where(MailMessage.source.in_(sources))
    return {source: key for source, key in db.session.execute(known) if source is not None}


def _inserted(row: dict[str, Any]) -> MailMessage:
    """Insert a message; where another transaction was faster with its source, return that one."""
    insert = (postgresql if is_postgresql() else sqlite).insert(MailMessage).values(**row)
    kept = insert.on_conflict_do_nothing(index_elements=["source"]).returning(MailMessage.id)
    key = db.session.scalar(kept)
    which = MailMessage.id == key if key is not None else MailMessage.source == row["source"]
    return db.session.scalars(sa.select(MailMessage).where(which)).one()


def suppressed(addresses: list[str]) -> set[str]:
    """Return those of `addresses` that get no mail, in lower case."""
    lowered = {address.lower() for address in addresses}
    return set(
        db.session.scalars(
            sa.select(MailSuppression.address).where(MailSuppression.address.in_(lowered))
        )
    )


def suppress(address: str, *, reason: str) -> None:
    """Send no more mail to `address`; a second reason changes nothing."""
    values = {
        "address": address.lower()[:254],
        "reason": one_line(reason, 500),
        "since": clock.now(),
    }
    insert = (postgresql if is_postgresql() else sqlite).insert(MailSuppression).values(**values)
    db.session.execute(insert.on_conflict_do_nothing(index_elements=["address"]))


def lift_suppression(address: str) -> bool:
    """Let `address` get mail again; return whether it was suppressed."""
    found = db.session.scalars(
        sa.delete(MailSuppression)
        .where(MailSuppression.address == address.lower())
        .returning(MailSuppression.id)
    ).all()
    return bool(found)
