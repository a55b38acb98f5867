"""Imports on the desk: the list, sending a file, watching it, its rejects."""

from flask import Blueprint, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.foundation.database import transaction
from portal.foundation.errors import NotFound, Refused
from portal.foundation.i18n import _, _l
from portal.foundation.imports import files, policy, queries
from portal.foundation.imports.forms import ImportForm
from portal.foundation.imports.lists import ImportList
from portal.foundation.imports.models import ImportJob
from portal.foundation.imports.registry import KINDS, kinds_for
from portal.foundation.imports.sending import send_file as queue_file
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, navigation

bp = Blueprint("imports", __name__, url_prefix="/desk/imports")


@bp.get("")
@requires(policy.may_see_imports)
def index() -> ResponseReturnValue:
    """Show the files that were sent."""
    return ImportList(current_actor()).respond("portal/imports/list.html")


@bp.route("/new", methods=["GET", "POST"])
@requires(policy.may_see_imports)
def new() -> ResponseReturnValue:
    """Take a file in and queue it."""
    form = ImportForm.from_request()
    form.offer(current_actor())
    if form.submitted():
        stored_name = None
        try:
            kind = KINDS[form.kind.data]
            authorise(policy.may_import, kind)
            upload = form.file.data
            mapping = form.mapping_text()
            stored_name = files.store(upload.stream, upload.filename)
            with transaction():
                form.use_up()
                job = queue_file(
                    current_actor(),
                    kind=kind,
                    stored_name=stored_name,
                    file_name=upload.filename,
                    club=form.club.data or None if "club" in form else None,
                    mapping=mapping,
                    dry_run=form.dry_run.data,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            stored_name = None
            flash(_("The file was taken in."))
            return redirect(url_for(".show", import_id=job.id), 303)
        finally:
            if stored_name is not None:
                files.remove(stored_name)
    kinds = kinds_for(current_actor())
    return render_template("portal/imports/form.html", form=form, kinds=kinds), form.status


def _drawn(template: str, job: ImportJob) -> str:
    has_rejects = bool(job.stored_name) and bool(job.rejected or job.warned)
    kind = KINDS.get(job.kind)
    return render_template(
        template,
        job=job,
        label=kind.label if kind else job.kind,
        rate=queries.rate(job),
        has_rejects=has_rejects,
    )


@bp.get("/<int:import_id>")
@requires(policy.may_see_imports)
def show(import_id: int) -> ResponseReturnValue:
    """Show one import and how far it is."""
    return _drawn("portal/imports/show.html", queries.import_for(current_actor(), import_id))


@bp.get("/<int:import_id>/progress")
@requires(policy.may_see_imports)
def progress(import_id: int) -> ResponseReturnValue:
    """Show how far an import is: the part of its page that asks again each second."""
    return _drawn("portal/imports/_progress.html", queries.import_for(current_actor(), import_id))


@bp.get("/<int:import_id>/rejects.csv")
@requires(policy.may_see_imports)
def rejects(import_id: int) -> ResponseReturnValue:
    """Give the file of what was rejected or warned about."""
    job = queries.import_for(current_actor(), import_id)
    path = files.rejects_path(job.stored_name) if job.stored_name else None
    if path is None or not path.exists():
        raise NotFound
    name = f"import-{job.id}-rejects.csv"
    return send_file(path, "text/csv", as_attachment=True, download_name=name, max_age=0)


navigation(
    NavItem(
        _l("Imports"), "imports.index", "file-import", policy.may_see_imports, _l("Vendor"), 920
    )
)
