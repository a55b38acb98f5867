"""The outbox and the addresses that get no more mail."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look


class MailState(StrEnum):
    """Where a message stands; `handed_over` means that the next server has answered 250."""

    QUEUED = "queued"
    LEASED = "leased"
    HANDED_OVER = "handed_over"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


MAIL_LOOKS = {
    MailState.QUEUED: Look(_l("Queued"), "ring", "neutral"),
    MailState.LEASED: Look(_l("Being sent"), "half", "info"),
    MailState.HANDED_OVER: Look(_l("Handed over"), "tick", "good"),
    MailState.FAILED: Look(_l("Failed"), "cross", "bad"),
    MailState.SUPPRESSED: Look(_l("Not sent"), "bar", "neutral"),
}


class MailMessage(Model):
    """A message to one person, written in that person's language."""

    __tablename__ = "mail_messages"
    __table_args__ = (
        sa.Index(None, "state", "next_at", "id"),
        sa.Index(None, "to_address"),
        sa.Index(None, "user_id"),
    )

    message_id: Mapped[str] = mapped_column(
        sa.String(200), unique=True, doc="Message-ID without brackets, the same in every try."
    )
    kind: Mapped[str] = mapped_column(sa.String(80), doc="Which mail: slice/template.")
    source: Mapped[str | None] = mapped_column(
        sa.String(160), unique=True, doc="What caused it, such as deal_approved:88: queued once."
    )
    user_id: Mapped[int | None] = mapped_column(doc="The user it is for, where there is one.")
    to_address: Mapped[str] = mapped_column(sa.String(254), doc="Address as the server takes it.")
    to_name: Mapped[str] = mapped_column(sa.String(120), doc="The reader's name, may be empty.")
    language: Mapped[str] = mapped_column(sa.String(20), doc="Language it is written in.")
    subject: Mapped[str] = mapped_column(sa.String(300), doc="Subject, one line.")
    text: Mapped[str] = mapped_column(sa.Text, doc="The plain version.")
    html: Mapped[str] = mapped_column(sa.Text, doc="The HTML version, its CSS inlined.")
    headers: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="Further headers, such as List-Unsubscribe."
    )
    attachments: Mapped[list[Any]] = mapped_column(
        default=list, doc="Keys of stored files that are sent along."
    )
    state: Mapped[MailState] = mapped_column(
        enum_type(MailState), default=MailState.QUEUED, doc="Where the message stands."
    )
    attempts: Mapped[int] = mapped_column(default=0, doc="How often it was claimed for sending.")
    next_at: Mapped[datetime] = mapped_column(doc="Not tried before this instant, UTC.")
    lease: Mapped[str | None] = mapped_column(sa.String(40), doc="Which claim has it.")
    lease_until: Mapped[datetime | None] = mapped_column(
        doc="Another process may take it after this, machine time."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When it was queued, UTC; its Date header.")
    handed_over_at: Mapped[datetime | None] = mapped_column(doc="When the server took it.")
    error: Mapped[str | None] = mapped_column(sa.Text, doc="The last failure.")


class MailSuppression(Model):
    """An address that gets no more mail."""

    __tablename__ = "mail_suppressions"

    address: Mapped[str] = mapped_column(sa.String(254), unique=True, doc="In lower case.")
    reason: Mapped[str] = mapped_column(sa.String(500), doc="What the server said, or who asked.")
    since: Mapped[datetime] = mapped_column(doc="Since when, UTC.")
