"""The table of jobs: `@job` names a function and says when it is due."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from portal.foundation import clock


class CatchUp(StrEnum):
    """What happens to due instants that passed while no scheduler ran."""

    ALL = "all"
    LATEST = "latest"
    DROP = "drop"


@dataclass
class Run:
    """What a job function is given, and what it counts.

    at: the instant that the job acts as of, UTC. args: of queued work. done, skipped, failed:
    items, counted by the function. errors: one line for each failed item, the first twenty kept.
    """

    at: datetime
    args: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    skipped: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    run_id: int | None = None

    def fail(self, item: object, error: object) -> None:
        """Count a failed item and keep its error."""
        self.failed += 1
        if len(self.errors) < 20:
            self.errors.append(f"{item}: {error}"[:500])


@dataclass(frozen=True)
class Job:
    """A named function and its schedule.

    trigger: due instants in UTC, None for work that is only queued. continuous: asked again and
    again by every worker; the function claims its own rows and is noted only when it did something.
    catch_up: see CatchUp.
    """

    name: str
    function: Callable[[Run], None]
    doc: str
    trigger: BaseTrigger | None = None
    continuous: bool = False
    catch_up: CatchUp = CatchUp.LATEST
    when: str = ""


JOBS: dict[str, Job] = {}


def job(
    name: str,
    *,
    at: str | None = None,
    every_minutes: int | None = None,
    continuous: bool = False,
    catch_up: CatchUp = CatchUp.LATEST,
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Register a function as the job `name`; refuses (ValueError) a name given twice.

    at: "HH:MM" in UTC, daily; UTC has no missing and no doubled hour. every_minutes: a divisor of
    60. continuous: see Job. None of them: run only when queued or by name.
    """

    def register(function: Callable[[Run], None]) -> Callable[[Run], None]:
        if name in JOBS:
            raise ValueError(f"job {name} is registered twice")
        trigger, when = None, "when queued"
        if at is not None:
            hour, minute = at.split(":")
            trigger = CronTrigger(hour=int(hour), minute=int(minute), timezone=UTC)
            when = f"daily at {at} UTC"
        elif every_minutes is not None:
            minutes = "*" if every_minutes == 1 else f"*/{every_minutes}"
            trigger = CronTrigger(minute=minutes if every_minutes < 60 else "0", timezone=UTC)
            when = f"every {every_minutes} min"
        elif continuous:
            when = "at once"
        doc = (function.__doc__ or "").strip().split("\n")[0]
        JOBS[name] = Job(name, function, doc, trigger, continuous, catch_up, when)
        return function

    return register


def due_instants(scheduled: Job, since: datetime, until: datetime) -> list[datetime]:
    """Return the instants after `since` and up to `until` that the job should run for.

    More than one only where it catches up all of them; `drop` gives the last one only when it is
    less than two minutes old.
    """
    if scheduled.trigger is None:
        return []
    found: list[datetime] = []
    cursor = since + timedelta(microseconds=1)
    while True:
        due = scheduled.trigger.get_next_fire_time(None, cursor)
        if due is None or due > until:
            break
        due = due.astimezone(UTC)
        if scheduled.catch_up is not CatchUp.ALL:
            found.clear()
        found.append(due)
        cursor = due + timedelta(microseconds=1)
    if scheduled.catch_up is CatchUp.DROP and found and until - found[-1] > timedelta(minutes=2):
        return []
    return found


def next_due(scheduled: Job) -> datetime | None:
    """Return when the job is due next, None for work that is not scheduled."""
    if scheduled.trigger is None:
        return None
    due = scheduled.trigger.get_next_fire_time(None, clock.now())
    return due.astimezone(UTC) if due else None
