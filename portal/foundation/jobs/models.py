"""Runs of jobs, and the heartbeat of the processes that run them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look


class RunState(StrEnum):
    """Where a run stands; `parked` was tried too often and waits for a person."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    PARKED = "parked"


RUN_LOOKS = {
    RunState.QUEUED: Look(_l("Queued"), "ring", "neutral"),
    RunState.RUNNING: Look(_l("Running"), "half", "info"),
    RunState.DONE: Look(_l("Done"), "tick", "good"),
    RunState.FAILED: Look(_l("Failed"), "triangle", "warn"),
    RunState.PARKED: Look(_l("Parked"), "cross", "bad"),
}


class JobRun(Model):
    """One run of a job: due, claimed with a lease, counted."""

    __tablename__ = "job_runs"
    __table_args__ = (
        sa.Index(None, "job", "id"),
        sa.Index(
            "ix_job_runs_open",
            "due_at",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        ),
    )

    job: Mapped[str] = mapped_column(sa.String(80), doc="Name of the job.")
    key: Mapped[str] = mapped_column(
        sa.String(160), unique=True, doc="Job and due instant, or job and what it works on."
    )
    due_at: Mapped[datetime] = mapped_column(doc="The instant the run acts as of, UTC.")
    args: Mapped[dict[str, Any]] = mapped_column(doc="What queued work needs: keys only.")
    state: Mapped[RunState] = mapped_column(enum_type(RunState), doc="Where the run stands.")
    attempts: Mapped[int] = mapped_column(default=0, doc="How often it was started.")
    worker: Mapped[str | None] = mapped_column(sa.String(80), doc="Process that has it.")
    lease_until: Mapped[datetime | None] = mapped_column(doc="Taken back after this, UTC.")
    started_at: Mapped[datetime | None] = mapped_column(doc="When it was last started.")
    finished_at: Mapped[datetime | None] = mapped_column(doc="When it ended.")
    done: Mapped[int] = mapped_column(default=0, doc="Items done.")
    skipped: Mapped[int] = mapped_column(default=0, doc="Items skipped.")
    failed: Mapped[int] = mapped_column(default=0, doc="Items failed.")
    error: Mapped[str | None] = mapped_column(sa.Text, doc="Errors, a line each.")


class Heartbeat(Model):
    """A process of `flask jobs run` that is alive."""

    __tablename__ = "heartbeats"

    worker: Mapped[str] = mapped_column(sa.String(80), unique=True, doc="Host and process.")
    beat_at: Mapped[datetime] = mapped_column(doc="When it last said so, machine time.")
    leads: Mapped[bool] = mapped_column(doc="Whether it schedules.")
    started_at: Mapped[datetime] = mapped_column(doc="When the process started.")


class JobCursor(Model):
    """How far a job's due instants have been turned into runs."""

    __tablename__ = "job_cursors"

    job: Mapped[str] = mapped_column(sa.String(80), unique=True, doc="Name of the job.")
    scheduled_until: Mapped[datetime] = mapped_column(doc="All due up to here have a run, UTC.")
