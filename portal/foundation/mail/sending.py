"""Sending what is queued: claim with a lease, hand over, mark at once, try again with patience.

The mark is its own short transaction right after the server's 250. A process that dies before it
leaves a lease that runs out; the next process sends again with the same Message-ID.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app

from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.files.models import StoredFile
from portal.foundation.files.storage import read_stored
from portal.foundation.jobs.registry import Run
from portal.foundation.links import base_host
from portal.foundation.mail.models import MailMessage, MailState
from portal.foundation.mail.operations import suppress, suppressed
from portal.foundation.mail.transport import (
    RefusedForGood,
    Transport,
    TryLater,
    Unreachable,
    transport_for,
)
from portal.foundation.mail.writing import compose, sender

log = structlog.get_logger()
BATCH = 20
LEASE = timedelta(minutes=5)
# One message may take this long when every answer of the server comes late.
LONGEST_SEND = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=4)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
SHORTEST_REST, LONGEST_REST = 5.0, 60.0


@dataclass
class _Process:
    """What this process remembers between runs.

    rest_until: monotonic seconds before which no connection is tried, after one failed.
    unmarked: messages that the server took while the database could not be told.
    """

    rest: float = 0.0
    rest_until: float = 0.0
    unmarked: dict[int, datetime] = field(default_factory=dict)
    busy: threading.Lock = field(default_factory=threading.Lock)

    def tire(self) -> None:
        self.rest = min(max(self.rest * 2, SHORTEST_REST), LONGEST_REST)
        self.rest_until = time.monotonic() + self.rest

    def recover(self) -> None:
        self.rest = self.rest_until = 0.0


_process = _Process()


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after the given number of tries: 1, 2, 4 … minutes, 4 h at most."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)


def _due() -> sa.ColumnElement[bool]:
    queued = sa.and_(MailMessage.state == MailState.QUEUED, MailMessage.next_at <= clock.now())
    left = sa.and_(
        MailMessage.state == MailState.LEASED, MailMessage.lease_until < clock.machine_now()
    )
    return sa.or_(queued, left)


def claim_batch() -> list[MailMessage]:
    """Lease up to 20 due messages to this process, oldest first."""
    if db.session.scalar(sa.select(MailMessage.id).where(_due()).limit(1)) is None:
        return []
    with transaction() as session:
        rows = session.scalars(
            sa.select(MailMessage)
            .where(_due())
            .order_by(MailMessage.next_at, MailMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        stopped = suppressed([row.to_address for row in rows])
        for row in rows:
            if row.to_address.lower() in stopped:
                row.state, row.lease_until = MailState.SUPPRESSED, None
            else:
                row.state = MailState.LEASED
                row.lease_until = clock.machine_now() + LEASE
                row.attempts += 1
    return [row for row in rows if row.state == MailState.LEASED]


def send_waiting(run: Run) -> None:
    """Send what is due over one connection; a message that fails holds up no other."""
    with _process.busy:
        _mark_late()
        if time.monotonic() < _process.rest_until:
            return
        batch = claim_batch()
        if not batch:
            return
        app = current_app.config
        transport = transport_for(app["MAIL_URL"], Path(app["DATA_DIR"]), base_host())
        origin = sender()
        with transport:
            for row in _while_leased(batch):
                try:
                    _send(transport, row, origin)
                except Unreachable as problem:
                    _process.tire()
                    log.warning("mail.unreachable", error=str(problem))
                    run.fail("mail server", problem)
                    _give_back(batch, row, str(problem))
                    return
                except TryLater as problem:
                    run.fail(row.message_id, problem)
                    _retry(row, str(problem))
                except RefusedForGood as problem:
                    run.fail(row.message_id, problem)
                    _fail(row, str(problem), stop=problem.stops_address)
                except (ValueError, LookupError, OSError) as problem:
                    # It cannot be composed: a header or an attachment is wrong.
                    run.fail(row.message_id, repr(problem))
                    _retry(row, repr(problem))
                else:
                    run.done += 1
                    _process.recover()


def _while_leased(batch: list[MailMessage]) -> Iterator[MailMessage]:
    """Yield messages as long as a late answer cannot outlast their lease; return the others."""
    for number, row in enumerate(batch):
        if row.lease_until is None or row.lease_until - clock.machine_now() < LONGEST_SEND:
            with transaction():
                for late in batch[number:]:
                    _set(late, state=MailState.QUEUED, lease_until=None)
            return
        if row.id not in _process.unmarked:
            yield row


def _send(transport: Transport, row: MailMessage, origin: Address) -> None:
    message = compose(row, origin, _attachments(row))
    transport.send(message, origin.addr_spec, row.to_address)
    _process.unmarked[row.id] = clock.now()
    try:
        _mark_late()
    except sa.exc.SQLAlchemyError as error:
        log.error("mail.not_marked", message=row.message_id, error=repr(error))


def _mark_late() -> None:
    """Write down what was handed over; kept in memory until the database takes it."""
    for key, at in list(_process.unmarked.items()):
        values: dict[str, Any] = {"state": MailState.HANDED_OVER, "handed_over_at": at}
        with transaction() as session:
            session.execute(
                sa.update(MailMessage)
                .where(MailMessage.id == key)
                .values(lease_until=None, error=None, **values)
            )
        del _process.unmarked[key]


def _attachments(row: MailMessage) -> list[tuple[str, str, bytes]]:
    if not row.attachments:
        return []
    wanted = sa.select(StoredFile).where(StoredFile.id.in_(row.attachments))
    files = {file.id: file for file in db.session.scalars(wanted)}
    return [
        (files[key].name, files[key].media_type, read_stored(files[key]))
        for key in row.attachments
    ]


def _set(row: MailMessage, **values: Any) -> bool:
    """Change a message that is still leased to this process; return whether it was."""
    changed = db.session.scalar(
        sa.update(MailMessage)
        .where(
            MailMessage.id == row.id,
            MailMessage.state == MailState.LEASED,
            MailMessage.lease_until == row.lease_until,
        )
        .values(**values)
        .returning(MailMessage.id)
    )
    return changed is not None


def _retry(row: MailMessage, error: str, *, wait: timedelta | None = None) -> None:
    now = clock.now()
    values: dict[str, Any] = {"lease_until": None, "error": error[:1000]}
    if now - row.created_at >= GIVE_UP_AFTER:
        values["state"] = MailState.FAILED
    else:
        values |= {"state": MailState.QUEUED, "next_at": now + (wait or wait_after(row.attempts))}
    with transaction():
        _set(row, **values)


def _fail(row: MailMessage, error: str, *, stop: bool) -> None:
    with transaction():
        if _set(row, state=MailState.FAILED, lease_until=None, error=error[:1000]) and stop:
            suppress(row.to_address, reason=error)


def _give_back(batch: list[MailMessage], tried: MailMessage, error: str) -> None:
    """Queue the tried message and those after it again: no server answered for any of them."""
    for row in batch[batch.index(tried) :]:
        _retry(row, error, wait=FIRST_WAIT)
