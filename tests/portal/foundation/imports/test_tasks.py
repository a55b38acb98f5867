import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.foundation import clock as foundation_clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.imports import files, tasks
from portal.foundation.imports.models import ImportJob, ImportState
from portal.foundation.imports.registry import KINDS
from portal.foundation.imports.sending import send_file
from portal.foundation.jobs.models import JobRun
from portal.foundation.jobs.registry import Run
from portal.foundation.jobs.worker import work_one
from tests.portal.foundation.imports import toys

HEAD = "reference,amount,note\n"
SENDER = Actor(user_id=7, name="Ada")


def send(content, name="toys.csv", **values):
    content = content if isinstance(content, bytes) else content.encode()
    stored_name = files.store(io.BytesIO(content), name)
    given = {"file_name": name, "club": None, "mapping": None, "dry_run": False, **values}
    with transaction():
        return send_file(SENDER, kind=KINDS["toys"], stored_name=stored_name, **given).id


def carry_out(import_id):
    tasks.run_import(Run(at=foundation_clock.now(), args={"import_id": import_id}))
    db.session.expire_all()
    return db.session.get_one(ImportJob, import_id)


def stored(job):
    assert job.stored_name is not None
    return job.stored_name


def toys_count():
    with transaction():
        return db.session.scalar(sa.select(sa.func.count()).select_from(toys.TABLE))


def many(count, **notes):
    rows = (f"T{n:03},{n},{notes.get(f'T{n:03}', '')}\n" for n in range(count))
    return HEAD + "".join(rows)


@pytest.mark.both_databases
def test_a_file_that_was_sent_runs_as_a_job(toy_kind):
    import_id = send(many(25, T003="no", T004="hm"))
    job = db.session.get_one(ImportJob, import_id)
    assert (job.state, job.is_open) == (ImportState.QUEUED, True)
    assert work_one("test")
    db.session.expire_all()
    job = db.session.get_one(ImportJob, import_id)
    assert job.state is ImportState.DONE
    assert (job.total, job.read, job.created, job.rejected, job.warned) == (25, 25, 24, 1, 1)
    assert job.finished_at is not None
    lines = files.rejects_path(stored(job)).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "5", "6"]
    run = db.session.scalars(sa.select(JobRun).where(JobRun.job == "imports.run")).one()
    assert (run.state.value, run.done, run.skipped) == ("done", 24, 1)


def test_progress_is_written_with_each_batch(toy_kind, monkeypatch):
    seen = []
    keep = tasks._Keeper.keep

    def watched(self, position):
        keep(self, position)
        seen.append(db.session.scalar(sa.select(ImportJob.read)))

    monkeypatch.setattr(tasks._Keeper, "keep", watched)
    carry_out(send(many(25)))
    assert seen[:3] == [10, 20, 25]


@pytest.mark.both_databases
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_killed_run_is_taken_up_and_ends_the_same(toy_kind, monkeypatch, dry_run):
    class Killed(BaseException):
        pass

    keep = tasks._Keeper.keep

    def dies(self, position):
        keep(self, position)
        if position.counts.read == 20 and not dry_run:
            raise Killed
        if position.counts.read == 30 and dry_run:
            raise Killed

    import_id = send(many(45, T002="no", T031="no", T044="hm"), dry_run=dry_run)
    with monkeypatch.context() as patch:
        patch.setattr(tasks._Keeper, "keep", dies)
        with pytest.raises(Killed):
            carry_out(import_id)
    db.session.expire_all()
    assert db.session.get_one(ImportJob, import_id).state is ImportState.RUNNING
    job = carry_out(import_id)
    assert job.state is ImportState.DONE
    assert (job.read, job.created, job.unchanged, job.rejected, job.warned) == (45, 43, 0, 2, 1)
    assert toys_count() == (0 if dry_run else 43)
    lines = files.rejects_path(stored(job)).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "4", "33", "46"]


def test_an_ended_import_is_not_run_again(toy_kind):
    import_id = send(many(3))
    carry_out(import_id)
    before = len(toys.ToyImport.made)
    carry_out(import_id)
    assert len(toys.ToyImport.made) == before


def test_a_process_that_was_overtaken_stops(toy_kind, monkeypatch):
    import_id = send(many(25))
    keep = tasks._Keeper.keep

    def overtaken(self, position):
        if position.counts.read == 20:
            db.session.execute(sa.update(ImportJob).values(done_line=999))
        keep(self, position)

    monkeypatch.setattr(tasks._Keeper, "keep", overtaken)
    job = carry_out(import_id)
    assert job.state is ImportState.RUNNING
    assert toys_count() == 10


def test_a_dry_run_on_the_desk_shows_progress_and_keeps_nothing(toy_kind):
    job = carry_out(send(many(25, T003="no"), dry_run=True))
    assert (job.state, job.read, job.created) == (ImportState.DONE, 25, 24)
    assert toys_count() == 0


def test_dates_of_two_readings_refuse_the_file(toy_kind):
    job = carry_out(send("reference,amount,made_on\nA,1,3/4/2020\n"))
    assert job.state is ImportState.REFUSED
    assert "lines 2" in job.error
    assert toys_count() == 0


def test_a_bug_is_shown_and_kept_for_the_job_s_retry(toy_kind):
    import_id = send(many(25, T015="broken"))
    with pytest.raises(ZeroDivisionError):
        carry_out(import_id)
    db.session.expire_all()
    job = db.session.get_one(ImportJob, import_id)
    assert (job.state, job.created) == (ImportState.FAILED, 10)
    assert toys_count() == 10


def test_a_handler_may_refuse_the_run(toy_kind, monkeypatch):
    def refuse(self, actor, context):
        raise Refused("There is no such club.")

    monkeypatch.setattr(toys.ToyImport, "__init__", refuse)
    job = carry_out(send(many(2)))
    assert (job.state, job.error) == (ImportState.REFUSED, "There is no such club.")


@pytest.mark.parametrize(
    ("content", "name", "values", "field"),
    [
        ("a,b\n", "toys.csv", {}, "file"),
        (HEAD, "toys.xlsx", {}, "file"),
        (b"PK\x03\x04", "toys.csv", {}, "file"),
        (b"%PDF-1.7", "toys.csv", {}, "file"),
        (HEAD.encode("utf-16"), "toys.csv", {}, "file"),
        (HEAD, "toys.csv", {"mapping": "colums: {}"}, "mapping"),
        (HEAD, "toys.csv", {"club": "C"}, "club"),
    ],
)
def test_what_cannot_be_imported_is_refused_under_its_field(toy_kind, content, name, values, field):
    with pytest.raises(Refused) as refused:
        send(content, name, **values)
    assert refused.value.field == field
    with transaction():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(JobRun)) == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [("toys.exe", b"x"), ("toys", b"x"), ("toys.xls", b"x"), ("toys.csv", b"")],
)
def test_other_endings_and_empty_files_are_not_stored(toy_kind, name, content):
    with pytest.raises(Refused):
        files.store(io.BytesIO(content), name)
    assert list(files.folder().iterdir()) == []


def test_too_large_a_file_leaves_nothing(toy_kind):
    with pytest.raises(Refused):
        files.store(io.BytesIO(bytes(files.MOST_BYTES + 1)), "toys.csv")
    assert list(files.folder().iterdir()) == []


def test_stored_names_are_random_and_stay_in_the_folder(toy_kind):
    name = files.store(io.BytesIO(b"x"), "../../etc/passwd.csv")
    assert files.stored_path(name).parent == files.folder()
    assert len(name) == 36
    assert files.stored_path(name).stat().st_mode & 0o777 == 0o600
    assert files.stored_path("../../x").parent == files.folder()


def test_files_go_after_two_weeks(toy_kind, clock):
    import_id = send(many(5, T003="no"))
    told_in = stored(carry_out(import_id))
    waiting = send(many(1))
    clock.advance(days=15)
    fresh = send(many(2))
    run = Run(at=foundation_clock.now())
    tasks.clean_files(run)
    db.session.expire_all()
    assert run.done == 2
    assert not files.stored_path(told_in).exists()
    assert not files.rejects_path(told_in).exists()
    assert db.session.get_one(ImportJob, import_id).rejected == 1
    assert db.session.get_one(ImportJob, waiting).state is ImportState.REFUSED
    assert files.stored_path(stored(db.session.get_one(ImportJob, fresh))).exists()
    assert timedelta(days=14) == tasks.KEPT_FOR
    assert carry_out(waiting).state is ImportState.REFUSED
