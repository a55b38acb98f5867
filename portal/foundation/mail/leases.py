"""Claims on queued messages: at most one process has a message at a time."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, current_app

from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.mail.models import MailMessage, MailState
from portal.foundation.mail.operations import suppressed

log = structlog.get_logger()
BATCH = 20
LEASE = timedelta(seconds=30)
RENEW_SECONDS = 10.0


def _waiting() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Return what may be claimed: due messages, and those whose process left them."""
    due = sa.and_(MailMessage.state == MailState.QUEUED, MailMessage.next_at <= clock.now())
    left = sa.and_(
        MailMessage.state == MailState.LEASED, MailMessage.lease_until < clock.machine_now()
    )
    return due, left


class Claim:
    """A batch of messages that this process alone may send until the lease runs out."""

    def __init__(self, lease: str, rows: list[MailMessage], until: datetime) -> None:
        self.lease = lease
        self.rows = rows
        self.until = until

    def holds(self) -> bool:
        """Return whether half a lease is left, so that nobody else can have the messages."""
        return self.until - clock.machine_now() > LEASE / 2

    def change(self, row: MailMessage, **values: Any) -> bool:
        """Set columns of a message in the present transaction, unless another claim has it."""
        changed = db.session.scalar(
            sa.update(MailMessage)
            .where(MailMessage.id == row.id, MailMessage.lease == self.lease)
            .values(lease=None, lease_until=None, **values)
            .returning(MailMessage.id)
        )
        return changed is not None

    def give_back(self, rows: list[MailMessage]) -> None:
        """Queue messages again that were not tried."""
        if rows:
            with transaction():
                for row in rows:
                    self.change(row, state=MailState.QUEUED, attempts=row.attempts - 1)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease every 10 s while the code inside sends."""
        ended = threading.Event()
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        thread = threading.Thread(target=self._renew, args=(app, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew(self, app: Flask, ended: threading.Event) -> None:
        while not ended.wait(RENEW_SECONDS):
            until = clock.machine_now() + LEASE
            try:
                with app.app_context(), transaction() as session:
                    session.execute(
                        sa.update(MailMessage)
                        .where(
                            MailMessage.lease == self.lease,
                            MailMessage.state == MailState.LEASED,
                        )
                        .values(lease_until=until)
                    )
                self.until = until
            except sa.exc.SQLAlchemyError as error:
                log.warning("mail.lease_not_renewed", error=repr(error))


def claim_batch() -> Claim | None:
    """Lease up to 20 messages that are due or were left; None when there are none.

    Those to suppressed addresses are noted as such instead.
    """
    which = _waiting()
    if not any(db.session.scalar(sa.select(MailMessage.id).where(w).limit(1)) for w in which):
        return None
    lease, until = secrets.token_hex(16), clock.machine_now() + LEASE
    rows: list[MailMessage] = []
    with transaction() as session:
        for waiting in which:
            rows += session.scalars(
                sa.select(MailMessage)
                .where(waiting)
                .order_by(MailMessage.next_at, MailMessage.id)
                .limit(BATCH - len(rows))
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            )
        stopped = suppressed([row.to_address for row in rows])
        for row in rows:
            if row.to_address.lower() in stopped:
                row.state, row.lease, row.lease_until = MailState.SUPPRESSED, None, None
            else:
                row.state, row.lease, row.lease_until = MailState.LEASED, lease, until
                row.attempts += 1
    return Claim(lease, [row for row in rows if row.state == MailState.LEASED], until)
