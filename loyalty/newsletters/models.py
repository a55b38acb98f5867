"""Newsletters, their blocks, and who gets each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps


class BlockKind(StrEnum):
    """What a block of a newsletter shows."""

    HEADING = "heading"
    TEXT = "text"
    PICTURE = "picture"
    BUTTON = "button"
    BALANCE = "balance"


class NewsletterState(StrEnum):
    """Where a newsletter stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


class RecipientState(StrEnum):
    """Where one member's copy stands; `queued` waits here, `mailed` is in the outbox."""

    QUEUED = "queued"
    MAILED = "mailed"
    SKIPPED = "skipped"


BLOCK_LABELS = {
    BlockKind.HEADING: _l("Heading"),
    BlockKind.TEXT: _l("Text"),
    BlockKind.PICTURE: _l("Picture"),
    BlockKind.BUTTON: _l("Button"),
    BlockKind.BALANCE: _l("Points balance"),
}
NEWSLETTER_STEPS: Steps[NewsletterState] = Steps(
    {
        NewsletterState.DRAFT: Look(_l("Draft"), "ring", "neutral"),
        NewsletterState.APPROVED: Look(_l("Approved"), "dot", "good"),
        NewsletterState.SENDING: Look(_l("Being sent"), "half", "info"),
        NewsletterState.SENT: Look(_l("Sent"), "tick", "good"),
        NewsletterState.CANCELLED: Look(_l("Cancelled"), "bar", "neutral"),
    },
    [
        Step(
            "approve",
            frozenset({NewsletterState.DRAFT}),
            NewsletterState.APPROVED,
            _l("Approve"),
            "primary",
        ),
        Step(
            "send",
            frozenset({NewsletterState.APPROVED}),
            NewsletterState.SENDING,
            _l("Send"),
            "primary",
            _l("It goes to every member who agreed to newsletters."),
        ),
        Step(
            "cancel",
            frozenset({NewsletterState.DRAFT, NewsletterState.APPROVED, NewsletterState.SENDING}),
            NewsletterState.CANCELLED,
            _l("Cancel"),
            "ghost",
            _l("Copies that are already in the outbox still go out."),
        ),
        Step("finish", frozenset({NewsletterState.SENDING}), NewsletterState.SENT, _l("Finish")),
    ],
)


class Newsletter(Model):
    """A newsletter of a club, in one language."""

    __tablename__ = "newsletters"
    __table_args__ = (
        sa.Index(None, "club_id", "id"),
        sa.Index(None, "created_at", "id"),
        sa.Index(
            "ix_newsletters_sending",
            "id",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        ),
    )

    reference: Mapped[str] = mapped_column(sa.String(40), unique=True, doc="N-year-number.")
    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Whose members get it.")
    subject: Mapped[str] = mapped_column(sa.String(200), doc="Subject line and title.")
    language: Mapped[str] = mapped_column(sa.String(12), doc="Language of its frame.")
    blocks: Mapped[list[Any]] = mapped_column(doc="Blocks in order: kind and what it holds.")
    audience: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="Who of those who agreed: members, a list of keys; empty: all."
    )
    state: Mapped[NewsletterState] = mapped_column(
        enum_type(NewsletterState), doc="Where it stands."
    )
    created_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who made it; somebody else approves."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When it was made.")
    changed_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who changed it last; does not approve it either."
    )
    approved_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who approved it."
    )
    sent_at: Mapped[datetime | None] = mapped_column(doc="When sending began.")
    version: Mapped[int] = mapped_column(default=1, doc="Counts changes; guards stale forms.")

    __mapper_args__ = {"version_id_col": version}


class NewsletterPicture(Model):
    """A stored picture that a newsletter shows; kept in step with its blocks."""

    __tablename__ = "newsletter_pictures"
    __table_args__ = (sa.UniqueConstraint("newsletter_id", "file_id"),)

    newsletter_id: Mapped[int] = mapped_column(
        sa.ForeignKey("newsletters.id"), doc="Which newsletter."
    )
    file_id: Mapped[int] = mapped_column(
        sa.ForeignKey("stored_files.id"), index=True, doc="Which picture."
    )


class NewsletterRecipient(Model):
    """One member's copy of one newsletter."""

    __tablename__ = "newsletter_recipients"
    __table_args__ = (
        sa.UniqueConstraint("newsletter_id", "member_id"),
        sa.Index(None, "newsletter_id", "state", "id"),
    )

    newsletter_id: Mapped[int] = mapped_column(
        sa.ForeignKey("newsletters.id"), doc="Which newsletter."
    )
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), index=True, doc="Which member."
    )
    state: Mapped[RecipientState] = mapped_column(
        enum_type(RecipientState), doc="Where the copy stands."
    )
    reason: Mapped[str | None] = mapped_column(sa.String(80), doc="Why it was skipped.")
    mail_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("mail_messages.id"), index=True, doc="The message in the outbox."
    )
