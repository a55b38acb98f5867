"""Files that somebody sent on the desk, and what became of them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look


class ImportState(StrEnum):
    """Where an import stands: `refused` is a file that cannot be read, `failed` is our bug."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


LOOKS = {
    ImportState.QUEUED: Look(_l("Queued"), "ring", "neutral"),
    ImportState.RUNNING: Look(_l("Running"), "half", "info"),
    ImportState.DONE: Look(_l("Done"), "tick", "good"),
    ImportState.REFUSED: Look(_l("Refused"), "cross", "bad"),
    ImportState.FAILED: Look(_l("Stopped"), "triangle", "warn"),
}
OPEN_STATES = frozenset({ImportState.QUEUED, ImportState.RUNNING})


class ImportJob(Model):
    """One file sent for import.

    The counts and `done_line` are written in the transaction of each batch, so that a run that was
    killed is taken up after the last line that was kept.
    """

    __tablename__ = "import_jobs"
    __table_args__ = (sa.Index(None, "actor_id", "id"), sa.Index(None, "created_at"))

    kind: Mapped[str] = mapped_column(sa.String(40), doc="Name of the import kind.")
    club: Mapped[str | None] = mapped_column(sa.String(40), doc="Code of the club it is about.")
    file_name: Mapped[str] = mapped_column(sa.String(200), doc="As the sender called the file.")
    stored_name: Mapped[str | None] = mapped_column(
        sa.String(60), unique=True, doc="Random name below DATA_DIR/imports; none once removed."
    )
    mapping: Mapped[str | None] = mapped_column(sa.Text, doc="The mapping file's text.")
    dry_run: Mapped[bool] = mapped_column(doc="Whether everything is rolled back.")
    state: Mapped[ImportState] = mapped_column(enum_type(ImportState), doc="Where it stands.")
    total: Mapped[int | None] = mapped_column(doc="Rows of the file, once it was looked through.")
    done_line: Mapped[int] = mapped_column(default=0, doc="Last line whose outcome is kept.")
    read: Mapped[int] = mapped_column(default=0, doc="Rows read, also those left out.")
    created: Mapped[int] = mapped_column(default=0, doc="Rows that became new things.")
    updated: Mapped[int] = mapped_column(default=0, doc="Rows that changed things.")
    unchanged: Mapped[int] = mapped_column(default=0, doc="Rows that were there already.")
    rejected: Mapped[int] = mapped_column(default=0, doc="Rows that cannot be.")
    warned: Mapped[int] = mapped_column(default=0, doc="Rows kept with a warning.")
    rejects_size: Mapped[int] = mapped_column(default=0, doc="Bytes of the rejects file so far.")
    actor_id: Mapped[int | None] = mapped_column(doc="The user who sent it.")
    actor_name: Mapped[str] = mapped_column(sa.String(200), doc="That user's name then.")
    language: Mapped[str] = mapped_column(sa.String(12), doc="In which reasons are written.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was sent, UTC.")
    started_at: Mapped[datetime | None] = mapped_column(doc="When it was first started, UTC.")
    finished_at: Mapped[datetime | None] = mapped_column(doc="When it ended, UTC.")
    error: Mapped[str | None] = mapped_column(sa.Text, doc="Why the file was refused, or stopped.")

    @property
    def look(self) -> Look:
        """Return how the state is drawn."""
        return LOOKS[self.state]

    @property
    def is_open(self) -> bool:
        """Return whether it still waits or runs."""
        return self.state in OPEN_STATES
