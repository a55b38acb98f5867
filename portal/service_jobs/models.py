"""Repair jobs: one device, one station, one problem, from receiving to closing."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps


class JobState(StrEnum):
    """Where a job stands."""

    RECEIVED = "received"
    REPAIRING = "repairing"
    READY = "ready"
    CLOSED = "closed"
    DECLINED = "declined"
    UNREPAIRABLE = "unrepairable"
    CANCELLED = "cancelled"


LOOKS = {
    JobState.RECEIVED: Look(_l("Received"), "ring", "info"),
    JobState.REPAIRING: Look(_l("Repairing"), "half", "info"),
    JobState.READY: Look(_l("Ready"), "dot", "good"),
    JobState.CLOSED: Look(_l("Closed"), "tick", "good"),
    JobState.DECLINED: Look(_l("Declined"), "cross", "neutral"),
    JobState.UNREPAIRABLE: Look(_l("Unrepairable"), "cross", "bad"),
    JobState.CANCELLED: Look(_l("Cancelled"), "bar", "neutral"),
}
OPEN_STATES = (JobState.RECEIVED, JobState.REPAIRING, JobState.READY)
END_STATES = tuple(state for state in JobState if state not in OPEN_STATES)

STEPS: Steps[JobState] = Steps(
    LOOKS,
    [
        Step(
            "start-repair",
            frozenset({JobState.RECEIVED}),
            JobState.REPAIRING,
            _l("Start the repair"),
            "primary",
        ),
        Step(
            "ready",
            frozenset({JobState.REPAIRING}),
            JobState.READY,
            _l("Repair done"),
            "primary",
        ),
        Step("close", frozenset({JobState.READY}), JobState.CLOSED, _l("Hand over"), "primary"),
        Step(
            "decline",
            frozenset({JobState.RECEIVED, JobState.REPAIRING}),
            JobState.DECLINED,
            _l("Customer declines"),
        ),
        Step(
            "unrepairable",
            frozenset({JobState.RECEIVED, JobState.REPAIRING}),
            JobState.UNREPAIRABLE,
            _l("Cannot be repaired"),
        ),
        Step(
            "cancel",
            frozenset({JobState.RECEIVED, JobState.REPAIRING}),
            JobState.CANCELLED,
            _l("Cancel"),
            "quiet",
        ),
        Step(
            "reopen",
            frozenset({JobState.CLOSED}),
            JobState.REPAIRING,
            _l("Reopen"),
            "outline",
            _l("Reopen this job? What its closing earned is taken back."),
        ),
    ],
)

# An open job is one that has not ended, so that states to come are open without a word here.
_is_open = "serial_key IS NOT NULL AND status NOT IN ({})".format(
    ", ".join(f"'{state.value}'" for state in END_STATES)
)


class ServiceJob(Model):
    """One device in repair at one station."""

    __tablename__ = "service_jobs"
    __table_args__ = (
        sa.Index(
            "uq_service_jobs_open_serial",
            "serial_key",
            unique=True,
            sqlite_where=sa.text(_is_open),
            postgresql_where=sa.text(_is_open),
        ),
        sa.Index(None, "serial_key", "received_at"),
        sa.Index(None, "station_id", "received_at", "id"),
        sa.Index(None, "station_id", "status", "received_at", "id"),
        sa.Index(None, "status", "received_at", "id"),
        sa.Index(None, "received_at", "id"),
        sa.Index(None, "customer_email_key", "id"),
        sa.Index(None, "category", "id"),
    )

    reference: Mapped[str] = mapped_column(
        sa.String(60), unique=True, doc="J-YYYY-NNNNN, or as an import wrote it."
    )
    reference_key: Mapped[str] = mapped_column(
        sa.String(60), index=True, doc="Reference, lower-case, for finding."
    )
    station_id: Mapped[int] = mapped_column(
        sa.ForeignKey("partners.id"), doc="The partner that mends."
    )
    device_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("devices.id"), index=True, doc="The device, when it is registered."
    )
    serial: Mapped[str | None] = mapped_column(sa.String(80), doc="Serial number as written.")
    serial_key: Mapped[str | None] = mapped_column(
        sa.String(80), doc="Serial number in capitals without separators."
    )
    is_unknown_serial: Mapped[bool] = mapped_column(
        default=False, doc="Taken in on a proof of purchase alone; to be checked by the vendor."
    )
    sku: Mapped[str | None] = mapped_column(sa.String(80), doc="Article number as written.")
    brand: Mapped[str | None] = mapped_column(sa.String(100), doc="Maker, for foreign devices.")
    category: Mapped[str | None] = mapped_column(sa.String(100), doc="Kind of device.")
    problem: Mapped[str] = mapped_column(
        sa.Text, doc="In the customer's words; empty where an import had none."
    )
    symptom_code: Mapped[str | None] = mapped_column(sa.String(40), doc="Coded symptom.")
    accessories: Mapped[str | None] = mapped_column(sa.String(500), doc="What came with it.")
    proof_of_purchase: Mapped[str | None] = mapped_column(
        sa.String(500), doc="What was shown for a serial number that is not registered."
    )
    customer_name: Mapped[str | None] = mapped_column(sa.String(200), doc="Who brought it.")
    customer_email: Mapped[str | None] = mapped_column(sa.String(254), doc="That person's address.")
    customer_email_key: Mapped[str | None] = mapped_column(
        sa.String(254), doc="That address trimmed and lower-cased."
    )
    entitlement: Mapped[dict[str, Any]] = mapped_column(
        doc="Frozen at intake: rule version, day, and for each kind of cost its payer."
    )
    status: Mapped[JobState] = mapped_column(enum_type(JobState), doc="Where it stands.")
    status_since: Mapped[datetime] = mapped_column(doc="When it came there.")
    received_at: Mapped[datetime] = mapped_column(doc="When it was taken in.")
    ended_at: Mapped[datetime | None] = mapped_column(
        doc="When it was closed, declined, given up or cancelled."
    )
    closings: Mapped[int] = mapped_column(default=0, doc="How often it was closed.")
    repair_code: Mapped[str | None] = mapped_column(
        sa.String(80), doc="Coded outcome of the repair; an import's own word is kept."
    )
    repair_note: Mapped[str | None] = mapped_column(sa.Text, doc="What was done, in words.")
    end_reason: Mapped[str | None] = mapped_column(
        sa.String(500), doc="Why it was declined, given up or cancelled."
    )
    version: Mapped[int] = mapped_column(default=1, doc="Counts changes; guards stale forms.")

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_open(self) -> bool:
        """Return whether the job has not ended."""
        return self.status not in END_STATES


class UsedPart(Model):
    """A part that a repair used."""

    __tablename__ = "service_job_parts"

    job_id: Mapped[int] = mapped_column(
        sa.ForeignKey("service_jobs.id"), index=True, doc="In which job."
    )
    sku: Mapped[str] = mapped_column(sa.String(80), doc="The part's article number as written.")
    quantity: Mapped[int] = mapped_column(doc="How many.")
    old_serial: Mapped[str | None] = mapped_column(sa.String(80), doc="Of the part taken out.")
    new_serial: Mapped[str | None] = mapped_column(sa.String(80), doc="Of the part put in.")
    used_at: Mapped[datetime] = mapped_column(doc="When it was noted.")


class JobNote(Model):
    """What somebody at the bench wrote down about a job."""

    __tablename__ = "service_job_notes"
    __table_args__ = (sa.Index(None, "job_id", "id"), {"info": {"append_only": True}})

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("service_jobs.id"), doc="About which job.")
    author_name: Mapped[str] = mapped_column(sa.String(200), doc="Who wrote it.")
    body: Mapped[str] = mapped_column(sa.Text, doc="The note.")
    written_at: Mapped[datetime] = mapped_column(doc="When it was written.")


class JobNumber(Model):
    """The last number that was given in a year."""

    __tablename__ = "service_job_numbers"

    year: Mapped[int] = mapped_column(unique=True, doc="Of the references, UTC.")
    last: Mapped[int] = mapped_column(doc="The highest number so far.")
