"""The bench, the board, the lists and the page of a repair job."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.foundation import clock, i18n
from portal.foundation.actors import Actor
from portal.foundation.audit import timeline
from portal.foundation.database import lock, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.pdf import PdfFailed
from portal.foundation.web.actors import current_actor
from portal.foundation.web.forms import EditForm
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, home, navigation
from portal.foundation.web.views.search import Hit, finds
from portal.installed_base.queries import product_of
from portal.service_jobs import documents, operations, policy, queries
from portal.service_jobs.forms import IntakeForm, NoteForm, ReadyForm, ReasonForm, StepForm
from portal.service_jobs.lists import JobList, NetworkJobList
from portal.service_jobs.models import LOOKS, STEPS, ServiceJob

bp = Blueprint("service_jobs", __name__)
SECTION = _l("Service and club")
navigation(
    NavItem(_l("Bench"), "service_jobs.bench", "home", policy.works_at_bench, SECTION, 29, "b"),
    NavItem(
        _l("Service"),
        "service_jobs.index",
        "tool",
        policy.may_mend,
        SECTION,
        30,
        "s",
        count=queries.waiting,
    ),
    NavItem(
        _l("Service jobs"), "service_jobs.index", "tool", policy.sees_stations, SECTION, 31, "s"
    ),
)
home(policy.works_at_bench, "service_jobs.bench")
home(policy.starts_with_board, "service_jobs.board")

Operation = Callable[..., object]
MayStep = Callable[[Actor, ServiceJob], bool]
# Steps that ask something first have a page of their own; the others are one press.
ASKING = frozenset({"ready", "decline", "unrepairable", "cancel"})


@bp.get("/bench")
@requires(policy.may_mend)
def bench() -> ResponseReturnValue:
    """Show the station's open jobs and the field that takes a device in."""
    return render_template("portal/service_jobs/bench.html", board=queries.board(current_actor()))


@bp.get("/service-jobs")
@requires(policy.may_see_jobs)
def index() -> ResponseReturnValue:
    """List jobs: a station its own, service staff those of the network."""
    actor = current_actor()
    page = NetworkJobList(actor) if policy.sees_stations(actor) else JobList(actor)
    return page.respond("portal/service_jobs/list.html", may_receive=policy.may_mend(actor))


@bp.get("/service-jobs/board")
@requires(policy.may_see_jobs)
def board() -> ResponseReturnValue:
    """Show the open jobs by state."""
    actor = current_actor()
    return render_template(
        "portal/service_jobs/board.html",
        board=queries.board(actor),
        sees_stations=policy.sees_stations(actor),
        may_receive=policy.may_mend(actor),
    )


@bp.get("/service-jobs/device")
@requires(policy.may_mend)
def device() -> ResponseReturnValue:
    """Show what is known of the serial number that is being typed, as a part of the intake."""
    serial = request.args.get("serial", "")[:80]
    return render_template(
        "portal/service_jobs/_device.html", intake=_intake(serial), form=IntakeForm()
    )


def _intake(serial: str) -> queries.Intake | None:
    actor = current_actor()
    return queries.intake_of(actor, serial, clock.today(i18n.zone()))


@bp.route("/service-jobs/new", methods=["GET", "POST"])
@requires(policy.may_mend)
def new() -> ResponseReturnValue:
    """Take a device in at the signed-in station."""
    form = IntakeForm.from_request(serial=request.args.get("serial", "")[:80])
    status = 200
    if form.submitted():
        try:
            with transaction():
                job = operations.receive_job(current_actor(), **form.values())
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            flash(_("%(reference)s is taken in.", reference=job.reference))
            return redirect(url_for(".show", job_id=job.id), 303)
    elif form.refused:
        status = form.status
    intake = _intake(form.serial.data or "")
    return render_template("portal/service_jobs/new.html", form=form, intake=intake), status


@bp.get("/service-jobs/<int:job_id>")
@requires(policy.may_see_jobs)
def show(job_id: int) -> ResponseReturnValue:
    """Show a job with its next steps."""
    return _page(queries.job_for(current_actor(), job_id), NoteForm(formdata=None))


def _page(job: ServiceJob, note_form: NoteForm, status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    found = queries.device_of(job)
    page = render_template(
        "portal/service_jobs/show.html",
        job=job,
        look=LOOKS[job.status],
        station=queries.station(job.station_id),
        device=found,
        product=product_of(found) if found else None,
        payers=documents.payers(job),
        parts=[[part.sku, part.quantity] for part in queries.parts_of(job)],
        notes=queries.notes_of(job),
        visits=queries.visits(actor, job.serial_key, besides=job.id) if job.serial_key else [],
        entries=timeline(job),
        steps=queries.open_steps(actor, job),
        asking=ASKING,
        note_form=note_form,
        may_write_note=policy.may_write_note(actor, job),
        sees_stations=policy.sees_stations(actor),
    )
    return page, status


@bp.get("/service-jobs/<int:job_id>/sheet.pdf")
@requires(policy.may_see_jobs)
def sheet(job_id: int) -> ResponseReturnValue:
    """Give the job sheet as PDF."""
    job = queries.job_for(current_actor(), job_id)
    try:
        pdf = documents.job_sheet(job)
    except PdfFailed:
        flash(_("The sheet could not be drawn just now. Try again in a minute."), "error")
        return redirect(url_for(".show", job_id=job.id), 303)
    disposition = f'inline; filename="job-{job.id}.pdf"'
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": disposition})


@bp.post("/service-jobs/<int:job_id>/notes")
@requires(policy.may_see_jobs)
def write_note(job_id: int) -> ResponseReturnValue:
    """Write a note about a job."""
    job = queries.job_for(current_actor(), job_id)
    authorise(policy.may_write_note, job)
    form = NoteForm.from_request()
    if form.submitted():
        try:
            with transaction():
                operations.write_note(current_actor(), job, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".show", job_id=job.id), 303)
    return _page(job, form, form.status)


def _press(job_id: int, may: MayStep, operation: Operation, said: str) -> ResponseReturnValue:
    """Take a step that asks nothing; a refusal is said on the job's page."""
    actor = current_actor()
    job = queries.job_for(actor, job_id)
    authorise(may, job)
    form = StepForm.from_request()
    if form.submitted():
        try:
            with transaction():
                lock(job)
                form.check_version(job.version)
                form.use_up()
                operation(actor, job)
        except Refused as refusal:
            flash(str(refusal), "error")
        else:
            flash(said)
    return redirect(url_for(".show", job_id=job_id), 303)


def _ask(
    job_id: int, name: str, kind: type[EditForm], operation: Operation, said: str
) -> ResponseReturnValue:
    """Take a step that asks something first."""
    actor = current_actor()
    job = queries.job_for(actor, job_id)
    authorise(policy.MAY_STEP[name], job)
    form = kind.from_request(job)
    status = 200
    if form.submitted():
        try:
            with transaction():
                lock(job)
                form.check_version(job.version)
                operation(actor, job, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
            form.version.data = job.version  # what is typed may be sent again after a look
            status = refusal.status
        else:
            flash(said)
            return redirect(url_for(".show", job_id=job_id), 303)
    elif form.refused:
        status = form.status
    page = render_template(
        "portal/service_jobs/step.html",
        form=form,
        job=job,
        look=LOOKS[job.status],
        step=STEPS.steps[name],
    )
    return page, status


@bp.post("/service-jobs/<int:job_id>/start-repair")
@requires(policy.may_see_jobs)
def start_repair(job_id: int) -> ResponseReturnValue:
    """Start the repair."""
    said = _("The repair has begun.")
    return _press(job_id, policy.may_start_repair, operations.start_repair, said)


@bp.route("/service-jobs/<int:job_id>/ready", methods=["GET", "POST"])
@requires(policy.may_see_jobs)
def ready(job_id: int) -> ResponseReturnValue:
    """Say what was done and that it is ready."""
    said = _("Ready to be handed over.")
    return _ask(job_id, "ready", ReadyForm, operations.ready_job, said)


@bp.post("/service-jobs/<int:job_id>/close")
@requires(policy.may_see_jobs)
def close(job_id: int) -> ResponseReturnValue:
    """Hand the device over."""
    return _press(job_id, policy.may_close, operations.close_job, _("Handed over and closed."))


@bp.route("/service-jobs/<int:job_id>/decline", methods=["GET", "POST"])
@requires(policy.may_see_jobs)
def decline(job_id: int) -> ResponseReturnValue:
    """Note that the customer does not want the repair."""
    said = _("Noted that the customer declines.")
    return _ask(job_id, "decline", ReasonForm, operations.decline_job, said)


@bp.route("/service-jobs/<int:job_id>/unrepairable", methods=["GET", "POST"])
@requires(policy.may_see_jobs)
def unrepairable(job_id: int) -> ResponseReturnValue:
    """Give the device up."""
    said = _("Noted as unrepairable.")
    return _ask(job_id, "unrepairable", ReasonForm, operations.give_up_job, said)


@bp.route("/service-jobs/<int:job_id>/cancel", methods=["GET", "POST"])
@requires(policy.may_see_jobs)
def cancel(job_id: int) -> ResponseReturnValue:
    """Cancel the job."""
    return _ask(job_id, "cancel", ReasonForm, operations.cancel_job, _("The job is cancelled."))


@bp.post("/service-jobs/<int:job_id>/reopen")
@requires(policy.may_see_jobs)
def reopen(job_id: int) -> ResponseReturnValue:
    """Take a closed job up again."""
    return _press(job_id, policy.may_reopen, operations.reopen_job, _("The job is open again."))


@finds(_l("Service jobs"), policy.may_see_jobs)
def find_jobs(actor: Actor, text: str) -> list[Hit]:
    """Find jobs by the start of the reference, or by serial number."""
    return [
        Hit(found.reference, found.serial or "", url_for("service_jobs.show", job_id=found.id))
        for found in queries.jobs_found(actor, text)
    ]
