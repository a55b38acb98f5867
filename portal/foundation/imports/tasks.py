"""The jobs process' part: carrying out files that were sent, and forgetting them after a while."""

from datetime import timedelta

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused, Unreadable
from portal.foundation.i18n import _, in_language
from portal.foundation.imports import files
from portal.foundation.imports.models import OPEN_STATES, ImportJob, ImportState
from portal.foundation.imports.reading import WEB
from portal.foundation.imports.registry import KINDS, Context
from portal.foundation.imports.rejects import RejectsFile
from portal.foundation.imports.running import Counts, Importer, Position, Stopped, begin
from portal.foundation.imports.sending import plan_for
from portal.foundation.jobs.registry import Run, job

KEPT_FOR = timedelta(days=14)


class TakenOver(Exception):  # noqa: N818 - what happened
    """Another process carries this import on."""


@job("imports.run")
def run_import(run: Run) -> None:
    """Carry out one file that was sent; one that was killed is taken up where it was."""
    sent = db.session.get(ImportJob, run.args["import_id"])
    if sent is None or sent.state not in {*OPEN_STATES, ImportState.FAILED}:
        return
    with in_language(sent.language):
        try:
            counts = _carry_out(sent)
        except (Unreadable, Refused) as refusal:
            _end(sent.id, ImportState.REFUSED, str(refusal))
        except TakenOver:
            run.skipped += 1
        except Exception:
            sentence = _("An error of ours stopped this import. Rows before it are kept.")
            _end(sent.id, ImportState.FAILED, sentence)
            raise
        else:
            run.done = counts.created + counts.updated + counts.unchanged
            run.skipped = counts.rejected


def _carry_out(sent: ImportJob) -> Counts:
    kind = KINDS.get(sent.kind)
    if kind is None or sent.stored_name is None:
        raise Unreadable(_("The file is no longer there."))
    path = files.stored_path(sent.stored_name)
    actor = Actor(user_id=sent.actor_id, name=sent.actor_name)
    context = Context(club=sent.club, dry_run=sent.dry_run, token=f"import:{sent.id}")
    plan, source = plan_for(kind, path, sent.mapping, WEB)
    total = plan.survey(source, kind.zone(context) if kind.zone else "UTC")
    with transaction():
        row = _locked(sent.id)
        row.state, row.total, row.error = ImportState.RUNNING, total, None
        row.started_at = row.started_at or clock.now()
        start = _position(row)
    keeper = _Keeper(sent.id, start.line)
    path = files.rejects_path(sent.stored_name)
    size = start.rejects if path.exists() else 0
    with RejectsFile(path, plan.header, size) as rejects:
        importer = Importer(
            plan,
            source,
            begin(plan, actor, context),
            rejects,
            dry_run=sent.dry_run,
            in_one=False,
            start=start,
            on_kept=keeper.keep,
        )
        try:
            counts = importer.run()
        except Stopped as stopped:
            raise stopped.__cause__ or stopped from None
    with transaction():
        row = _end(sent.id, ImportState.DONE, None)
        if not sent.dry_run:
            told = {"created": counts.created, "updated": counts.updated}
            told |= {"rejected": counts.rejected}
            record(actor, "imports.file.imported", row, kind=kind.name, file=row.file_name, **told)
    return counts


def _locked(import_id: int) -> ImportJob:
    return db.session.get_one(ImportJob, import_id, populate_existing=True, with_for_update=True)


def _position(row: ImportJob) -> Position:
    counts = Counts(*(getattr(row, name) for name in Counts.__slots__))
    return Position(row.done_line, counts, row.rejects_size)


class _Keeper:
    """Writes how far a run is, in the batch's own transaction.

    Refuses (TakenOver) when another process has moved the same import on, as after a lease ran
    out under a process that only slept: its batch is rolled back.
    """

    def __init__(self, import_id: int, line: int) -> None:
        self.import_id = import_id
        self.line = line

    def keep(self, position: Position) -> None:
        counts = {name: getattr(position.counts, name) for name in Counts.__slots__}
        found = db.session.scalar(
            sa.update(ImportJob)
            .where(ImportJob.id == self.import_id, ImportJob.done_line == self.line)
            .values(done_line=position.line, rejects_size=position.rejects, **counts)
            .returning(ImportJob.id)
        )
        if found is None:
            raise TakenOver
        self.line = position.line


def _end(import_id: int, state: ImportState, error: str | None) -> ImportJob:
    with transaction():
        row = _locked(import_id)
        row.state, row.error, row.finished_at = state, error, clock.now()
    return row


@job("imports.clean", at="03:50")
def clean_files(run: Run) -> None:
    """Remove sent files and their rejects after 14 days; what was counted stays."""
    before = run.at - KEPT_FOR
    with transaction() as session:
        rows = session.scalars(
            sa.select(ImportJob).where(
                ImportJob.created_at < before, ImportJob.stored_name.is_not(None)
            )
        ).all()
        names = [row.stored_name for row in rows if row.stored_name]
        for row in rows:
            row.stored_name = None
            if row.is_open:
                row.state, row.finished_at = ImportState.REFUSED, run.at
                row.error = _("The file is no longer there.")
    for name in names:
        files.remove(name)
    run.done = len(names)
