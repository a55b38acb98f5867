"""The workers' part: claiming runs with a lease, running them, giving back what died.

`flask jobs run` is one process of two worker threads and a scheduling thread (APScheduler) that
is a candidate for leader. A run is a row; killing a process loses nothing, since a lease that
runs out returns the run to the queue, and each job bears being repeated.
"""

import os
import signal
import socket
import threading
import traceback
from datetime import UTC, datetime, timedelta
from types import FrameType

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.jobs.models import Heartbeat, JobRun, RunState
from portal.foundation.jobs.registry import JOBS, Job, Run
from portal.foundation.jobs.scheduler import Leadership, schedule_due
from portal.foundation.origin import set_origin

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 5
THREADS = 2


def run_function(job: Job, run: Run) -> None:
    """Run a job's function as of `run.at`, in the name of the system."""
    set_origin("", f"{job.name}#{run.run_id or '-'}"[:40])
    if job.trigger is not None:
        with clock.at(run.at):
            job.function(run)
    else:
        job.function(run)


def claim(worker: str) -> JobRun | None:
    """Take the oldest queued run, with a lease; None when there is none."""
    waiting = sa.select(JobRun.id).where(
        JobRun.state == RunState.QUEUED, JobRun.due_at <= clock.now()
    )
    if db.session.scalar(waiting.limit(1)) is None:
        return None
    with transaction() as session:
        run = session.scalar(
            sa.select(JobRun)
            .where(JobRun.state == RunState.QUEUED, JobRun.due_at <= clock.now())
            .order_by(JobRun.due_at, JobRun.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if run is not None:
            run.state, run.worker = RunState.RUNNING, worker
            run.attempts += 1
            run.started_at = clock.machine_now()
            run.lease_until = clock.machine_now() + LEASE
    return run


def finish(run_id: int, result: Run, error: str | None) -> None:
    """Write how a run ended; one that raised is queued again, parked after five tries."""
    with transaction() as session:
        row = session.get_one(JobRun, run_id, with_for_update=True)
        row.done, row.skipped, row.failed = result.done, result.skipped, result.failed
        row.error = error or "\n".join(result.errors) or None
        row.finished_at, row.lease_until = clock.machine_now(), None
        if error is None:
            row.state = RunState.FAILED if result.failed else RunState.DONE
        else:
            row.state = RunState.PARKED if row.attempts >= MOST_ATTEMPTS else RunState.QUEUED


def work_one(worker: str) -> bool:
    """Claim and run one queued run; return whether there was one."""
    row = claim(worker)
    if row is None:
        return False
    job = JOBS.get(row.job)
    result = Run(at=row.due_at, args=dict(row.args), run_id=row.id)
    error = None
    try:
        if job is None:
            raise LookupError(f"job {row.job} is not known")
        run_function(job, result)
    except Exception as failure:
        log.exception("job.failed", job=row.job, error=repr(failure))
        error = traceback.format_exc(limit=-8)[-4000:]
    finish(row.id, result, error)
    return True


def work_continuous() -> int:
    """Let each continuous job do what waits for it; return how many items were done."""
    worked = 0
    for job in JOBS.values():
        if not job.continuous:
            continue
        result = Run(at=clock.now())
        started = clock.machine_now()
        try:
            run_function(job, result)
        except Exception as failure:
            log.exception("job.failed", job=job.name, error=repr(failure))
            result.fail(job.name, repr(failure))
        if result.done or result.failed:
            note_run(job.name, result, started)
        worked += result.done
    return worked


def note_run(name: str, result: Run, started: datetime) -> None:
    """Add a row for a run that was not queued: a continuous one, or one by name."""
    finished = clock.machine_now()
    with transaction() as session:
        row = JobRun(
            job=name,
            key=f"{name}!{finished.isoformat()}#{os.getpid()}-{threading.get_ident()}",
            due_at=result.at,
            args={},
            state=RunState.FAILED if result.failed else RunState.DONE,
            attempts=1,
            started_at=started,
            finished_at=finished,
            done=result.done,
            skipped=result.skipped,
            failed=result.failed,
            error="\n".join(result.errors) or None,
        )
        session.add(row)


def take_back_expired() -> int:
    """Return runs whose process died to the queue; park those that died five times."""
    expired = (JobRun.state == RunState.RUNNING, JobRun.lease_until < clock.machine_now())
    if db.session.scalar(sa.select(JobRun.id).where(*expired).limit(1)) is None:
        return 0
    with transaction() as session:
        rows = session.scalars(
            sa.select(JobRun).where(*expired).with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.state = RunState.PARKED if row.attempts >= MOST_ATTEMPTS else RunState.QUEUED
            row.lease_until, row.error = None, "the process that ran it ended"
    return len(rows)


class Worker:
    """A process of `flask jobs run`."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.leadership = Leadership(app)
        self.started = clock.machine_now()

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish what is running, then end."""
        self.stopping.set()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        timer = BackgroundScheduler(timezone=UTC)
        options = {"max_instances": 1, "coalesce": True, "misfire_grace_time": 60}
        timer.add_job(self.tick, "interval", seconds=1, **options)
        seconds = LEASE.total_seconds() / 6
        timer.add_job(self.beat, "interval", seconds=seconds, next_run_time=self.started, **options)
        timer.start()
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        self.stopping.wait()
        timer.shutdown(wait=True)
        for thread in threads:
            thread.join()
        self.leadership.release()
        with self.app.app_context(), transaction() as session:
            session.execute(sa.delete(Heartbeat).where(Heartbeat.worker == self.name))

    def tick(self) -> None:
        """Schedule what is due when this process leads."""
        try:
            if self.leadership.holds():
                with self.app.app_context():
                    schedule_due()
                    take_back_expired()
        except Exception as error:
            log.exception("scheduler.tick_failed", error=repr(error))

    def beat(self) -> None:
        """Say that this process is alive, renew its leases, forget processes long gone."""
        now = clock.machine_now()
        try:
            with self.app.app_context(), transaction() as session:
                row = session.scalar(sa.select(Heartbeat).where(Heartbeat.worker == self.name))
                if row is None:
                    row = Heartbeat(worker=self.name, started_at=self.started)
                    session.add(row)
                row.beat_at = now
                row.leads = bool(self.leadership.file or self.leadership.connection)
                mine = (JobRun.state == RunState.RUNNING, JobRun.worker == self.name)
                session.execute(sa.update(JobRun).where(*mine).values(lease_until=now + LEASE))
                gone = Heartbeat.beat_at < now - timedelta(days=1)
                session.execute(sa.delete(Heartbeat).where(gone))
        except Exception as error:
            log.exception("worker.beat_failed", error=repr(error))

    def work(self, number: int) -> None:
        """Run queued work; the first thread also does the continuous jobs."""
        while not self.stopping.is_set():
            try:
                with self.app.app_context():
                    worked = work_one(self.name)
                    if number == 0:
                        worked = work_continuous() > 0 or worked
            except Exception as error:
                log.exception("worker.failed", error=repr(error))
                worked = False
            if not worked:
                self.stopping.wait(0.5)
