"""Sending what is queued: claim, hand over, mark at once, try again with patience.

The mark is its own short transaction right after the server's 250. A process that dies before it
leaves a lease that runs out; the next process sends again with the same Message-ID.
"""

import threading
import time
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
from portal.foundation.mail.leases import Claim, claim_batch
from portal.foundation.mail.models import MailMessage, MailState
from portal.foundation.mail.operations import suppress
from portal.foundation.mail.transport import (
    RefusedForGood,
    Transport,
    TryLater,
    Unreachable,
    transport_for,
)
from portal.foundation.mail.writing import compose, sender

log = structlog.get_logger()
GIVE_UP_AFTER = timedelta(days=4)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
SHORTEST_REST, LONGEST_REST = 5.0, 60.0
LONGEST_RUN = 5.0


@dataclass
class _Process:
    """What this process remembers between runs.

    rest, rest_until: seconds, and the monotonic instant, in which no connection is tried after
    one failed. unmarked: messages that the server took while the database could not be told.
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
    doublings = min(max(attempts - 1, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def send_waiting(run: Run) -> None:
    """Send due messages over one connection for up to 5 s, so that other work has its turn."""
    with _process.busy:
        _mark_handed_over()
        if time.monotonic() < _process.rest_until:
            return
        claim = claim_batch()
        if claim is None:
            return
        config = current_app.config
        origin, until = sender(), time.monotonic() + LONGEST_RUN
        with transport_for(config["MAIL_URL"], Path(config["DATA_DIR"]), base_host()) as transport:
            while claim is not None and _send_batch(run, claim, transport, origin):
                claim = claim_batch() if time.monotonic() < until else None


def _send_batch(run: Run, claim: Claim, transport: Transport, origin: Address) -> bool:
    """Send what was claimed; return whether more may be. One that fails holds up no other."""
    with claim.kept():
        for number, row in enumerate(claim.rows):
            if not claim.holds():
                claim.give_back(claim.rows[number:])
                return False
            try:
                _send_one(run, claim, row, transport, origin)
            except Unreachable as problem:
                _process.tire()
                log.warning("mail.unreachable", error=str(problem))
                run.fail("mail server", problem)
                _retry(claim, row, str(problem), FIRST_WAIT)
                claim.give_back(claim.rows[number + 1 :])
                return False
    return True


def _send_one(
    run: Run, claim: Claim, row: MailMessage, transport: Transport, origin: Address
) -> None:
    """Send one message and keep what came of it; refuses (Unreachable) where no server answers."""
    if row.id in _process.unmarked:
        return
    try:
        message = compose(row, origin, _attachments(row))
        transport.send(message, origin.addr_spec, row.to_address)
    except Unreachable:
        raise
    except TryLater as problem:
        run.fail(row.message_id, problem)
        _retry(claim, row, str(problem), wait_after(row.attempts))
    except RefusedForGood as problem:
        run.fail(row.message_id, problem)
        with transaction():
            values = {"state": MailState.FAILED, "error": str(problem)[:1000]}
            if claim.change(row, **values) and problem.stops_address:
                suppress(row.to_address, reason=str(problem))
    except (ValueError, LookupError, OSError) as problem:
        # A header or an attachment cannot be put together; it may be mended within the four days.
        log.error("mail.not_composed", message=row.message_id, error=repr(problem))
        run.fail(row.message_id, repr(problem))
        _retry(claim, row, repr(problem), wait_after(row.attempts))
    else:
        run.done += 1
        _process.recover()
        _process.unmarked[row.id] = clock.now()
        try:
            _mark_handed_over()
        except sa.exc.SQLAlchemyError as problem:
            log.error("mail.not_marked", message=row.message_id, error=repr(problem))


def _mark_handed_over() -> None:
    """Write down what was handed over; it stays in memory until the database takes it."""
    for key, at in list(_process.unmarked.items()):
        with transaction() as session:
            session.execute(
                sa.update(MailMessage)
                .where(MailMessage.id == key)
                .values(
                    state=MailState.HANDED_OVER,
                    handed_over_at=at,
                    lease=None,
                    lease_until=None,
                    error=None,
                )
                .execution_options(synchronize_session=False)
            )
        del _process.unmarked[key]


def _attachments(row: MailMessage) -> list[tuple[str, str, bytes]]:
    if not row.attachments:
        return []
    wanted = sa.select(StoredFile).where(StoredFile.id.in_(row.attachments))
    files = {file.id: file for file in db.session.scalars(wanted)}
    return [
        (files[key].name, files[key].media_type, read_stored(files[key])) for key in row.attachments
    ]


def _retry(claim: Claim, row: MailMessage, error: str, wait: timedelta) -> None:
    """Queue a message again after `wait`; give it up four days after it was written."""
    now = clock.now()
    values: dict[str, Any] = {"error": error[:1000], "state": MailState.FAILED}
    if now - row.created_at < GIVE_UP_AFTER:
        values |= {"state": MailState.QUEUED, "next_at": now + wait}
    with transaction():
        claim.change(row, **values)
