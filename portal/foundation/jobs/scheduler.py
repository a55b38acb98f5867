"""The leader's part: turning due instants into runs, each exactly once.

One process holds the lock (an advisory lock on PostgreSQL, a locked file beside SQLite); a unique
key on each run is the second guard.
"""

import fcntl
from datetime import timedelta
from pathlib import Path
from typing import IO

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite

from portal.foundation import clock
from portal.foundation.database import db, is_postgresql, transaction
from portal.foundation.jobs.models import JobCursor, JobRun, RunState
from portal.foundation.jobs.registry import JOBS, due_instants

log = structlog.get_logger()
LEADER_KEY = 7_418_520_001
FIRST_LOOK_BACK = timedelta(minutes=1)


def insert_run_once(key: str, **values: object) -> int | None:
    """Insert a queued run unless one with this key exists; return its id, or None."""
    values = {"key": key, "state": RunState.QUEUED, "attempts": 0, **values}
    values |= {"done": 0, "skipped": 0, "failed": 0}
    insert = (postgresql if is_postgresql() else sqlite).insert(JobRun).values(**values)
    statement = insert.on_conflict_do_nothing(index_elements=["key"]).returning(JobRun.id)
    inserted: int | None = db.session.scalar(statement)
    return inserted


def enqueue(job: str, *, key: str, **args: object) -> None:
    """Queue one run of `job` in the present transaction; a second with the same key is ignored.

    args: plain values that the function reads from `run.args`.
    """
    if job not in JOBS:
        raise KeyError(f"no job {job}")
    insert_run_once(f"{job}:{key}", job=job, due_at=clock.now(), args=args)


def schedule_due() -> int:
    """Insert a run for each due instant since the last look; return how many."""
    now = clock.now()
    cursors = {
        cursor.job: cursor.scheduled_until for cursor in db.session.scalars(sa.select(JobCursor))
    }
    found = {
        name: due_instants(job, cursors.get(name, now - FIRST_LOOK_BACK), now)
        for name, job in JOBS.items()
        if job.trigger is not None
    }
    fresh = [name for name in found if name not in cursors]
    if not any(found.values()) and not fresh:
        return 0
    inserted = 0
    with transaction() as session:
        for name, instants in found.items():
            if not instants and name not in fresh:
                continue
            for due in instants:
                key = f"{name}@{due.isoformat()}"
                inserted += insert_run_once(key, job=name, due_at=due, args={}) is not None
            until = instants[-1] if instants else now - FIRST_LOOK_BACK
            cursor = session.scalar(sa.select(JobCursor).where(JobCursor.job == name))
            if cursor is None:
                session.add(JobCursor(job=name, scheduled_until=until))
            else:
                cursor.scheduled_until = max(until, cursor.scheduled_until)
    return inserted


class Leadership:
    """The lock that at most one process holds; it goes with the process."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.file: IO[bytes] | None = None
        self.connection: sa.Connection | None = None

    def holds(self) -> bool:
        """Return whether this process leads, taking the lock when it is free."""
        with self.app.app_context():
            return self._holds_postgresql() if is_postgresql() else self._holds_file()

    def _holds_file(self) -> bool:
        if self.file is not None:
            return True
        candidate = (Path(self.app.config["DATA_DIR"]) / "scheduler.lock").open("ab")
        try:
            fcntl.flock(candidate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            candidate.close()
            return False
        self.file = candidate
        return True

    def _holds_postgresql(self) -> bool:
        try:
            if self.connection is None:
                options = {"isolation_level": "AUTOCOMMIT"}
                self.connection = db.engine.connect().execution_options(**options)
                self.connection.exec_driver_sql("SET idle_session_timeout = 0")
                query = sa.select(sa.func.pg_try_advisory_lock(LEADER_KEY))
                if not self.connection.scalar(query):
                    self._drop()
                    return False
            self.connection.execute(sa.select(1))
        except sa.exc.DBAPIError as error:
            log.warning("scheduler.lock_lost", error=repr(error))
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.invalidate()
            self.connection.close()
            self.connection = None

    def release(self) -> None:
        """Let another process lead."""
        if self.file is not None:
            self.file.close()
            self.file = None
        with self.app.app_context():
            self._drop()
