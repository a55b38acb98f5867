"""Sending a file for import on the desk: judged, stored, queued."""

from pathlib import Path

from portal.foundation import clock, i18n
from portal.foundation.actors import Actor
from portal.foundation.audit import Sentence, record, sentences
from portal.foundation.database import db
from portal.foundation.errors import Refused, Unreadable
from portal.foundation.i18n import _l
from portal.foundation.imports import files
from portal.foundation.imports.mapping import FileMapping, read_mapping
from portal.foundation.imports.models import ImportJob, ImportState
from portal.foundation.imports.plan import Plan
from portal.foundation.imports.reading import WEB, Limits, Source, open_source
from portal.foundation.imports.registry import ImportKind
from portal.foundation.jobs.scheduler import enqueue

sentences(
    {
        "imports.file.sent": Sentence(_l("%(actor)s sent %(file)s to import %(kind)s"), "half"),
        "imports.file.imported": Sentence(
            _l(
                "%(actor)s imported %(kind)s from %(file)s: %(created)s created, "
                "%(updated)s updated, %(rejected)s rejected"
            ),
            "tick",
            "good",
        ),
    }
)


def plan_for(
    kind: ImportKind,
    path: Path,
    mapping_text: str | None,
    limits: Limits,
    *,
    ignore_unknown: bool = False,
) -> tuple[Plan, Source]:
    """Return the file and how its rows are read; refuses (Unreadable) what cannot be used."""
    mapping = FileMapping()
    if mapping_text is not None:
        mapping = read_mapping(mapping_text, kind.by_name)
    wanted = {*kind.by_name, *mapping.columns.values()}
    names = frozenset(name.strip().casefold() for name in wanted)
    source = open_source(path, names, limits)
    return Plan(kind, source.header, mapping, ignore_unknown=ignore_unknown), source


def check_club(kind: ImportKind, club: str | None) -> None:
    """Refuse (Refused) a kind of a club without one, and a club where none belongs."""
    if kind.needs_club and not club:
        raise Refused(
            _l("%(kind)s are imported into a club: name it.", kind=kind.name), field="club"
        )
    if club and not kind.needs_club:
        raise Refused(_l("%(kind)s belong to no club.", kind=kind.name), field="club")


def send_file(
    actor: Actor,
    *,
    kind: ImportKind,
    stored_name: str,
    file_name: str,
    club: str | None,
    mapping: str | None,
    dry_run: bool,
) -> ImportJob:
    """Queue a stored file for import.

    Refuses a file that is not CSV or XLSX inside, whose head does not fit, and a mapping that
    cannot be used, each under its field. Rows are judged when it runs.
    """
    check_club(kind, club)
    path = files.stored_path(stored_name)
    try:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        if is_zip is not stored_name.endswith(".xlsx"):
            raise Refused(_l("The file is not what its name says."), field="file")
        plan_for(kind, path, mapping, WEB)
    except Unreadable as refusal:
        field = "mapping" if refusal.code == "mapping" else "file"
        raise Refused(refusal.sentence, field=field, code=refusal.code) from None
    job = ImportJob(
        kind=kind.name,
        club=club,
        file_name=file_name[:200],
        stored_name=stored_name,
        mapping=mapping,
        dry_run=dry_run,
        state=ImportState.QUEUED,
        actor_id=actor.user_id,
        actor_name=actor.name,
        language=i18n.language(),
        created_at=clock.now(),
    )
    db.session.add(job)
    record(actor, "imports.file.sent", job, file=job.file_name, kind=kind.name)
    enqueue("imports.run", key=str(job.id), import_id=job.id)
    return job
