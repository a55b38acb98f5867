"""Deals: opportunities that partners register and the vendor protects."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps

REMINDER_DAYS = (30, 14, 3)


class DealState(StrEnum):
    """Where a deal stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    APPROVED = "approved"
    WON = "won"
    LOST = "lost"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    REJECTED = "rejected"


class DealSource(StrEnum):
    """How the partner came to the opportunity."""

    OWN = "own"
    LEAD = "lead"
    RENEWAL = "renewal"


WAITING = frozenset({DealState.SUBMITTED, DealState.IN_REVIEW})
EDITABLE = frozenset({DealState.DRAFT})
CLOSED = frozenset(
    {
        DealState.WON,
        DealState.LOST,
        DealState.EXPIRED,
        DealState.WITHDRAWN,
        DealState.REVOKED,
        DealState.REJECTED,
    }
)
SOURCE_LABELS = {
    DealSource.OWN: _l("Own prospecting"),
    DealSource.LEAD: _l("Lead from the vendor"),
    DealSource.RENEWAL: _l("Renewal"),
}
DEAL_LOOKS = {
    DealState.DRAFT: Look(_l("Draft"), "ring", "neutral"),
    DealState.SUBMITTED: Look(_l("Submitted"), "ring", "info"),
    DealState.IN_REVIEW: Look(_l("In review"), "half", "info"),
    DealState.RETURNED: Look(_l("Returned"), "diamond", "warn"),
    DealState.APPROVED: Look(_l("Approved"), "dot", "good"),
    DealState.WON: Look(_l("Won"), "tick", "good"),
    DealState.LOST: Look(_l("Lost"), "bar", "neutral"),
    DealState.EXPIRED: Look(_l("Expired"), "bar", "neutral"),
    DealState.WITHDRAWN: Look(_l("Withdrawn"), "bar", "neutral"),
    DealState.REVOKED: Look(_l("Revoked"), "cross", "bad"),
    DealState.REJECTED: Look(_l("Rejected"), "cross", "bad"),
}
DEAL_STEPS = Steps(
    DEAL_LOOKS,
    [
        Step(
            "submit",
            frozenset({DealState.DRAFT}),
            DealState.SUBMITTED,
            _l("Submit for review"),
            "primary",
        ),
        Step(
            "resubmit",
            frozenset({DealState.RETURNED}),
            DealState.IN_REVIEW,
            _l("Submit again"),
            "primary",
        ),
        Step(
            "approve",
            WAITING,
            DealState.APPROVED,
            _l("Approve"),
            "primary",
            _l("Approve this deal? The partner is told and the protection begins now."),
        ),
        Step(
            "review",
            frozenset({DealState.SUBMITTED}),
            DealState.IN_REVIEW,
            _l("Start review"),
        ),
        Step("return", WAITING, DealState.RETURNED, _l("Return")),
        Step("reject", WAITING, DealState.REJECTED, _l("Reject"), "quiet"),
        Step(
            "withdraw",
            WAITING | {DealState.RETURNED, DealState.APPROVED},
            DealState.WITHDRAWN,
            _l("Withdraw"),
            "quiet",
            _l("Withdraw this deal? Its protection is given up. This cannot be undone."),
        ),
        Step("expire", frozenset({DealState.APPROVED}), DealState.EXPIRED, _l("Expire")),
    ],
)
# Written out, so that the partial indexes answer queries that say the same.
IS_WAITING = sa.text("deals.status IN ('submitted', 'in_review')")
IS_APPROVED = sa.text("deals.status = 'approved'")
_WAITING_ROWS = sa.text("status IN ('submitted', 'in_review')")
_APPROVED_ROWS = sa.text("status = 'approved'")


def family_key(family: str) -> str:
    """Return the form of a family, or of an article without one, that overlaps are found by."""
    return " ".join(family.split()).casefold()[:100]


class Deal(Model):
    """One customer's opportunity as one partner registered it."""

    __tablename__ = "deals"
    __table_args__ = (
        sa.Index(None, "partner_id", "id"),
        sa.Index(None, "registered_on", "id"),
        sa.Index(None, "partner_id", "registered_on", "id"),
        sa.Index(None, "status", "registered_on", "id"),
        sa.Index(None, "customer_name", "id"),
        sa.Index(None, "customer_id", "id"),
        sa.Index(None, "amount", "id"),
        sa.Index(None, "customer_name_key", "customer_country"),
        sa.Index(None, "customer_domain_key"),
        sa.Index(None, "customer_tax_key"),
        sa.Index(
            "ix_deals_waiting",
            "decide_by_at",
            "id",
            sqlite_where=_WAITING_ROWS,
            postgresql_where=_WAITING_ROWS,
        ),
        sa.Index(
            "ix_deals_protected",
            "protection_ends_at",
            "id",
            sqlite_where=_APPROVED_ROWS,
            postgresql_where=_APPROVED_ROWS,
        ),
    )

    reference: Mapped[str] = mapped_column(
        sa.String(40), unique=True, doc="D-year-number, or as an import named it."
    )
    partner_id: Mapped[int] = mapped_column(
        sa.ForeignKey("partners.id"), doc="Who registered it; whose data it is."
    )
    status: Mapped[DealState] = mapped_column(enum_type(DealState), doc="Where it stands.")
    registered_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="The user who registered it; none for imports."
    )
    registered_on: Mapped[date] = mapped_column(doc="The vendor's local day of registration.")
    customer_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("customers.id"), doc="The customer as known by all; from submission on."
    )
    customer_name: Mapped[str] = mapped_column(
        sa.String(200), default="", doc="Legal name as written; empty in a draft without one."
    )
    customer_country: Mapped[str | None] = mapped_column(sa.String(2), doc="ISO 3166 alpha-2.")
    customer_domain: Mapped[str | None] = mapped_column(sa.String(253), doc="Domain as written.")
    customer_tax_id: Mapped[str | None] = mapped_column(sa.String(40), doc="Tax id as written.")
    customer_name_key: Mapped[str] = mapped_column(
        sa.String(200), default="", doc="Name as conflicts compare it."
    )
    customer_domain_key: Mapped[str | None] = mapped_column(
        sa.String(253), doc="Domain as conflicts compare it, never free mail."
    )
    customer_tax_key: Mapped[str | None] = mapped_column(
        sa.String(40), doc="Tax id as conflicts compare it."
    )
    amount: Mapped[Decimal] = mapped_column(default=Decimal(0), doc="Sum of the lines.")
    currency: Mapped[str | None] = mapped_column(sa.String(3), doc="ISO 4217.")
    expected_close_on: Mapped[date | None] = mapped_column(doc="When the order is expected.")
    source: Mapped[DealSource] = mapped_column(
        enum_type(DealSource), default=DealSource.OWN, doc="How the partner came to it."
    )
    is_tender: Mapped[bool] = mapped_column(default=False, doc="Whether it is a public tender.")
    evidence: Mapped[str | None] = mapped_column(
        sa.Text, doc="Dated note of what was done with the customer."
    )
    owner_email: Mapped[str | None] = mapped_column(
        sa.String(254), doc="Who works on it, from an import."
    )
    submitted_at: Mapped[datetime | None] = mapped_column(
        doc="First submission; never changed, settles who was first."
    )
    decide_by_at: Mapped[datetime | None] = mapped_column(doc="When a decision is due.")
    decided_at: Mapped[datetime | None] = mapped_column(doc="When it was last decided.")
    decided_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who decided last."
    )
    reason: Mapped[str | None] = mapped_column(
        sa.Text, doc="Why it was returned or rejected, for the partner to read."
    )
    has_conflict: Mapped[bool] = mapped_column(
        default=False, doc="Whether the last check at submission found a possible conflict."
    )
    approved_at: Mapped[datetime | None] = mapped_column(doc="When the protection began.")
    protection_days: Mapped[int | None] = mapped_column(doc="Length of the protection as given.")
    protected_until: Mapped[date | None] = mapped_column(
        doc="Last day of the protection in the vendor's zone."
    )
    protection_ends_at: Mapped[datetime | None] = mapped_column(
        doc="The instant at which that day is over."
    )
    reminded_days: Mapped[int | None] = mapped_column(
        doc="The last reminder sent: days before the protection's end."
    )
    closed_on: Mapped[date | None] = mapped_column(doc="Day it was won or lost.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was registered.")
    version: Mapped[int] = mapped_column(default=1, doc="Counts changes.")

    lines: Mapped[list["DealLine"]] = relationship(
        back_populates="deal",
        cascade="all, delete-orphan",
        lazy="selectin",
        order_by="DealLine.position",
    )

    __mapper_args__ = {"version_id_col": version}


class DealLine(Model):
    """One product, or family of products, of a deal."""

    __tablename__ = "deal_lines"
    __table_args__ = (
        sa.UniqueConstraint("deal_id", "position"),
        sa.Index(None, "family_key", "deal_id"),
    )

    deal_id: Mapped[int] = mapped_column(sa.ForeignKey("deals.id"), doc="Of which deal.")
    position: Mapped[int] = mapped_column(doc="Place among the deal's lines, from 1.")
    product_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("products.id"), doc="The product; none where the price list has no such."
    )
    sku: Mapped[str | None] = mapped_column(sa.String(80), doc="Article number as written.")
    family: Mapped[str | None] = mapped_column(sa.String(100), doc="The product's or as written.")
    family_key: Mapped[str] = mapped_column(
        sa.String(100), doc="What overlaps: the family, else the article, in small letters."
    )
    quantity: Mapped[int] = mapped_column(doc="How many.")
    amount: Mapped[Decimal] = mapped_column(doc="Price of all of them, without tax.")

    deal: Mapped[Deal] = relationship(back_populates="lines")
