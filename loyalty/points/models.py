"""The ledger: accounts, transfers, entries and lots; and what moves points: purchases, redemptions.

No account carries a balance. What a member can spend is the sum of `remaining` of the lots that
are usable today, so a late job never lets expired points be spent; entries prove it.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import BigInt, Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look

APPEND_ONLY = {"info": {"append_only": True}}


class AccountKind(StrEnum):
    """What an account stands for; the first four are a member's, the others the club's."""

    AVAILABLE = "available"
    PENDING = "pending"
    HELD = "held"
    DEBT = "debt"
    SOURCE = "source"
    SINK = "sink"


class TransferKind(StrEnum):
    """Why points moved."""

    EARN = "earn"
    MATURE = "mature"
    REDEEM = "redeem"
    EXPIRE = "expire"
    REVERSE = "reverse"


class RedemptionState(StrEnum):
    """Where a redemption stands."""

    CONFIRMED = "confirmed"


TRANSFER_LOOKS = {
    TransferKind.EARN: Look(_l("Earned"), "dot", "good"),
    TransferKind.MATURE: Look(_l("Became usable"), "tick", "good"),
    TransferKind.REDEEM: Look(_l("Redeemed"), "diamond", "neutral"),
    TransferKind.EXPIRE: Look(_l("Expired"), "bar", "neutral"),
    TransferKind.REVERSE: Look(_l("Taken back"), "cross", "bad"),
}


class PointAccount(Model):
    """One side of a transfer: a member's points of a kind, or where points come from or go."""

    __tablename__ = "point_accounts"
    __table_args__ = (
        sa.UniqueConstraint("club_id", "code"),
        sa.UniqueConstraint("member_id", "kind"),
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Whose books.")
    member_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("members.id"), doc="Whose points; none for sources and sinks."
    )
    kind: Mapped[AccountKind] = mapped_column(enum_type(AccountKind), doc="What it stands for.")
    code: Mapped[str] = mapped_column(
        sa.String(80), doc="source:<rule>, sink:<way>, member:<key>:<kind>."
    )


class PointTransfer(Model):
    """Points that moved, once and for good; a mistake is mended by a further transfer."""

    __tablename__ = "point_transfers"
    __table_args__ = (
        sa.UniqueConstraint("club_id", "source"),
        sa.Index(None, "member_id", "happened_at", "id"),
        APPEND_ONLY,
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Whose books.")
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), doc="Whose points.")
    kind: Mapped[TransferKind] = mapped_column(enum_type(TransferKind), doc="Why points moved.")
    source: Mapped[str] = mapped_column(
        sa.String(200), doc="What caused it, such as purchase:536365; moves points once."
    )
    reason: Mapped[str] = mapped_column(
        sa.String(200), doc="What the member reads of the cause: a reference or a name."
    )
    points: Mapped[int] = mapped_column(
        doc="What the member has more by it, pending and debt included."
    )
    happened_at: Mapped[datetime] = mapped_column(doc="When it happened, UTC.")
    recorded_at: Mapped[datetime] = mapped_column(doc="When it was written here.")
    programme_version_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("programme_versions.id"), doc="The rules that made an award."
    )
    reverses_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("point_transfers.id"), doc="The transfer that this one takes back."
    )
    by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who did it; none for Guildhall."
    )
    explanation: Mapped[list[Any]] = mapped_column(
        doc="For each rule: its name, its points, and the figures of why."
    )


class PointEntry(Model):
    """One side of a transfer; the entries of a transfer sum to nothing."""

    __tablename__ = "point_entries"
    __table_args__ = (
        sa.Index(None, "account_id", "id"),
        sa.Index(None, "transfer_id"),
        sa.CheckConstraint("points <> 0", name="points_move"),
        APPEND_ONLY,
    )

    transfer_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_transfers.id"), doc="Of which transfer."
    )
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_accounts.id"), doc="Which account."
    )
    points: Mapped[int] = mapped_column(doc="Added to the account; negative when taken.")


class PointLot(Model):
    """Points earned together: they become usable together and end together."""

    __tablename__ = "point_lots"
    __table_args__ = (
        sa.CheckConstraint("remaining >= 0 AND remaining <= points", name="remaining_in_bounds"),
        sa.Index(None, "transfer_id"),
        sa.Index(
            "ix_point_lots_spendable",
            "member_id",
            "expires_on",
            "earned_at",
            "id",
            sqlite_where=sa.text("remaining > 0"),
            postgresql_where=sa.text("remaining > 0"),
        ),
        sa.Index(None, "member_id", "earned_at", "id"),
        sa.Index(
            "ix_point_lots_expiring",
            "club_id",
            "expires_on",
            "id",
            sqlite_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
            postgresql_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
        ),
        sa.Index(
            "ix_point_lots_pending",
            "available_at",
            "id",
            sqlite_where=sa.text("is_pending AND matures"),
            postgresql_where=sa.text("is_pending AND matures"),
        ),
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Whose books.")
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), doc="Whose points.")
    transfer_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_transfers.id"), doc="The transfer that brought them."
    )
    points: Mapped[int] = mapped_column(doc="How many there were.")
    remaining: Mapped[int] = mapped_column(doc="How many are left.")
    earned_at: Mapped[datetime] = mapped_column(doc="When they were earned.")
    available_at: Mapped[datetime] = mapped_column(doc="Usable from this instant.")
    expires_on: Mapped[date | None] = mapped_column(
        doc="Usable through the end of this day in the club's zone; none: for ever."
    )
    is_pending: Mapped[bool] = mapped_column(
        doc="True while they stand on the account of pending points; a job moves them."
    )
    matures: Mapped[bool] = mapped_column(
        doc="False where they end before they would become usable."
    )


class LotUse(Model):
    """Points that a transfer took out of a lot."""

    __tablename__ = "lot_uses"
    __table_args__ = (
        sa.Index(None, "lot_id"),
        sa.Index(None, "transfer_id"),
        sa.CheckConstraint("points > 0", name="points_taken"),
        APPEND_ONLY,
    )

    transfer_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_transfers.id"), doc="What took them."
    )
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("point_lots.id"), doc="From which lot.")
    points: Mapped[int] = mapped_column(doc="How many.")


class Purchase(Model):
    """What a member bought, as it was told; the same key never counts twice."""

    __tablename__ = "purchases"
    __table_args__ = (
        sa.UniqueConstraint("club_id", "purchase_id"),
        sa.Index(None, "member_id", "happened_at", "id"),
        sa.Index(None, "club_id", "happened_at", "id"),
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="In which club.")
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), doc="Who bought.")
    purchase_id: Mapped[str] = mapped_column(sa.String(80), doc="The shop's own key.")
    happened_at: Mapped[datetime] = mapped_column(doc="When it was bought.")
    currency: Mapped[str] = mapped_column(sa.String(3), doc="ISO 4217, the club's.")
    amount: Mapped[Decimal] = mapped_column(doc="Sum of the lines after discounts.")
    points: Mapped[int] = mapped_column(doc="What it earned.")
    transfer_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("point_transfers.id"), doc="The award; none when nothing was earned."
    )
    fingerprint: Mapped[str] = mapped_column(
        sa.String(64), doc="SHA-256 of who bought what, to tell a repetition from a contradiction."
    )
    tenders: Mapped[list[Any]] = mapped_column(doc="How it was paid: kind and amount.")
    discounts: Mapped[list[Any]] = mapped_column(doc="Taken off: scope and amount.")
    recorded_at: Mapped[datetime] = mapped_column(doc="When it was told.")


class PurchaseLine(Model):
    """One line of a purchase."""

    __tablename__ = "purchase_lines"
    __table_args__ = (sa.UniqueConstraint("purchase_id", "line"),)

    purchase_id: Mapped[int] = mapped_column(sa.ForeignKey("purchases.id"), doc="Of which.")
    line: Mapped[str] = mapped_column(sa.String(40), doc="The line's own key in the purchase.")
    sku: Mapped[str | None] = mapped_column(sa.String(80), doc="What was bought.")
    category: Mapped[str | None] = mapped_column(sa.String(80), doc="What kind of thing it is.")
    quantity: Mapped[Decimal] = mapped_column(doc="How many.")
    amount: Mapped[Decimal] = mapped_column(doc="For the whole line, before discounts.")


class StagedLine(Model):
    """A line of a purchases file on its way in; gone when its purchase is settled."""

    __tablename__ = "staged_purchase_lines"
    __table_args__ = (
        sa.Index(None, "token", "purchase_id", "file_line"),
        sa.Index(None, "staged_day"),
    )

    token: Mapped[str] = mapped_column(sa.String(80), doc="The run that read it.")
    file_line: Mapped[int] = mapped_column(doc="Where in the file it stands.")
    purchase_id: Mapped[str] = mapped_column(sa.String(80), doc="As in purchases.")
    member: Mapped[str] = mapped_column(sa.String(80), doc="External id or card number.")
    happened: Mapped[int] = mapped_column(doc="As in purchases, in microseconds since 1970.")
    currency: Mapped[str] = mapped_column(sa.String(3), doc="As in purchases.")
    line: Mapped[str] = mapped_column(sa.String(40), doc="As in the lines of purchases.")
    sku: Mapped[str | None] = mapped_column(sa.String(80), doc="As there.")
    category: Mapped[str | None] = mapped_column(sa.String(80), doc="As there.")
    quantity: Mapped[int] = mapped_column(BigInt, doc="As there, in ten-thousandths.")
    amount: Mapped[int] = mapped_column(BigInt, doc="As there, in ten-thousandths.")
    staged_day: Mapped[int] = mapped_column(doc="Day on which it was read, counted from 1970.")


class Redemption(Model):
    """Points that a member spent."""

    __tablename__ = "redemptions"
    __table_args__ = (sa.Index(None, "member_id", "id"),)

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="In which club.")
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), doc="Who spent.")
    transfer_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_transfers.id"), unique=True, doc="The spending itself."
    )
    points: Mapped[int] = mapped_column(doc="How many.")
    status: Mapped[RedemptionState] = mapped_column(
        enum_type(RedemptionState), doc="Where it stands."
    )
    reason: Mapped[str] = mapped_column(sa.String(200), doc="For what, as the member reads it.")
    happened_at: Mapped[datetime] = mapped_column(doc="When.")
    recorded_at: Mapped[datetime] = mapped_column(doc="When it was told.")


class JobClosing(Model):
    """One closing of a service job as it was heard of, so that it pays once or, undone, never."""

    __tablename__ = "job_closings"
    __table_args__ = (sa.UniqueConstraint("job_id", "closing"),)

    job_id: Mapped[int] = mapped_column(doc="The service job.")
    closing: Mapped[int] = mapped_column(doc="1 for the first time, more after a reopening.")
    is_undone: Mapped[bool] = mapped_column(doc="True: the job was reopened after it.")


class LedgerAudit(Model):
    """What a recomputation of all balances found."""

    __tablename__ = "ledger_audits"
    __table_args__ = (APPEND_ONLY,)

    at: Mapped[datetime] = mapped_column(doc="When it was done.")
    accounts: Mapped[int] = mapped_column(doc="Accounts there were.")
    transfers: Mapped[int] = mapped_column(doc="Transfers there were.")
    entries: Mapped[int] = mapped_column(doc="Entries there were.")
    unbalanced: Mapped[int] = mapped_column(doc="Transfers whose entries do not sum to nothing.")
    drifted: Mapped[int] = mapped_column(
        doc="Accounts and lots that differ from what entries and uses say."
    )
    findings: Mapped[list[Any]] = mapped_column(doc="The first twenty: what, its key, the figures.")
