"""`flask jobs list | run | once | history`."""

import json
import time

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from portal.foundation import clock
from portal.foundation.jobs import queries
from portal.foundation.jobs.registry import JOBS, Run
from portal.foundation.jobs.worker import Worker, note_run, run_function

cli = AppGroup("jobs", help="Scheduled and queued work.")


@cli.command("list")
def list_jobs() -> None:
    """List every job: name, when it is due, what it does.

    Example: flask --app wsgi jobs list
    """
    for job in sorted(JOBS.values(), key=lambda job: job.name):
        click.echo(f"{job.name:32} {job.when:20} {job.doc}")


@cli.command("run")
def run_jobs() -> None:
    """Run the scheduler and two workers until SIGTERM.

    Example: flask --app wsgi jobs run
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    Worker(app).run()


@cli.command("once")
@click.argument("name")
@click.option("--at", "at_text", metavar="INSTANT", help="As if it were then (ISO 8601).")
@with_appcontext
def run_once(name: str, at_text: str | None) -> None:
    """Run one job by NAME now and print one line of JSON.

    Example: flask --app wsgi jobs once deals.expire --at 2026-12-01T03:00Z
    """
    job = JOBS.get(name)
    if job is None:
        raise click.UsageError(f"There is no job {name}; see `jobs list`.")
    try:
        at = clock.parse_instant(at_text) if at_text else clock.now()
    except ValueError:
        raise click.UsageError(f"{at_text} is not an instant, such as 2026-12-01T03:00Z.") from None
    result = Run(at=at)
    started, begun = clock.machine_now(), time.monotonic()
    with clock.at(at):
        run_function(job, result)
        done = 0
        while job.continuous and result.done > done:  # such a job does some of its work each time
            done = result.done
            run_function(job, result)
    note_run(name, result, started)
    answer = {"job": name, "at": at.isoformat().replace("+00:00", "Z"), "done": result.done}
    answer |= {"skipped": result.skipped, "failed": result.failed}
    click.echo(json.dumps(answer | {"seconds": round(time.monotonic() - begun, 3)}))
    raise SystemExit(3 if result.failed else 0)


@cli.command("history")
@click.argument("name", required=False)
@with_appcontext
def history(name: str | None) -> None:
    """Show the latest runs, of NAME or of all.

    Example: flask --app wsgi jobs history deals.expire
    """
    if name and name not in JOBS:
        raise click.UsageError(f"There is no job {name}; see `jobs list`.")
    for run in queries.runs(name):
        due = run.due_at.isoformat(timespec="seconds")
        counts = f"done {run.done} skipped {run.skipped} failed {run.failed}"
        click.echo(f"{run.job:28} {due} {run.state.value:8} {counts} {run.error or ''}".rstrip())
