"""Settings, scheduled jobs, deliveries, audit and the styleguide."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.desk import policy, queries
from portal.desk.lists import AuditList
from portal.desk.views.base import bp
from portal.foundation import clock, facts, settings
from portal.foundation.codes import qr_svg
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.jobs import queries as jobs
from portal.foundation.jobs.models import RUN_LOOKS
from portal.foundation.jobs.registry import JOBS, next_due
from portal.foundation.web.actors import current_actor
from portal.foundation.web.forms import ConfirmForm
from portal.foundation.web.policies import requires
from portal.foundation.web.templating import NavItem, navigation

GROUP_LABELS = {
    "accounts": _l("Accounts"),
    "clubs": _l("Clubs"),
    "deals": _l("Deals"),
    "imports": _l("Imports"),
    "installed_base": _l("Devices"),
    "mail": _l("Mail"),
    "newsletters": _l("Newsletters"),
    "partners": _l("Partners"),
    "points": _l("Points"),
    "service_jobs": _l("Service jobs"),
    "vendor": _l("Vendor"),
}
VENDOR = _l("Vendor")


@bp.route("/settings", methods=["GET", "POST"])
@requires(policy.may_change_settings)
def edit_settings() -> ResponseReturnValue:
    """Show every setting, and change those that were sent."""
    form = ConfirmForm.from_request()
    errors: dict[str, str] = {}
    if form.submitted():
        try:
            with transaction():
                form.use_up()
                _change(errors)
                if errors:
                    raise Refused(_l("Nothing was saved. Mend what is marked."))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Settings saved."))
            return redirect(url_for(".edit_settings"), 303)
    context = {"groups": queries.settings_by_slice(), "labels": GROUP_LABELS, "typed": request.form}
    page = render_template("portal/desk/settings.html", form=form, errors=errors, **context)
    return page, form.status


def _change(errors: dict[str, str]) -> None:
    actor = current_actor()
    for name, definition in settings.DEFINITIONS.items():
        is_switch = isinstance(definition.default, bool)
        if not is_switch and name not in request.form:
            continue
        value = name in request.form if is_switch else request.form[name]
        try:
            settings.change_setting(actor, name=name, value=value)
        except Refused as refusal:
            errors[name] = str(refusal)


@bp.get("/jobs")
@requires(policy.may_see_machinery)
def show_jobs() -> str:
    """Show the clock, every job with its last run, and what waits or failed."""
    last = jobs.last_runs()
    rows = [(job, last.get(name), next_due(job)) for name, job in sorted(JOBS.items())]
    return render_template(
        "portal/desk/jobs.html",
        stopped=jobs.clock_is_stopped(),
        age=jobs.heartbeat_age(),
        heartbeats=jobs.heartbeats(),
        rows=rows,
        looks=RUN_LOOKS,
        counts=queries.waiting_counts(),
    )


@bp.get("/jobs/<name>")
@requires(policy.may_see_machinery)
def show_runs(name: str) -> ResponseReturnValue:
    """Show the latest runs of one job."""
    if name not in JOBS:
        return redirect(url_for(".show_jobs"), 303)
    runs = jobs.runs(name, limit=100)
    return render_template("portal/desk/runs.html", job=JOBS[name], runs=runs, looks=RUN_LOOKS)


@bp.get("/facts")
@requires(policy.may_see_machinery)
def show_facts() -> str:
    """Show deliveries that were given up, with their errors."""
    return render_template(
        "portal/desk/facts.html",
        failed=queries.failed_deliveries(),
        counts=queries.waiting_counts(),
        form=ConfirmForm(),
    )


@bp.post("/facts/retry")
@requires(policy.may_see_machinery)
def retry_facts() -> ResponseReturnValue:
    """Let deliveries that were given up run again."""
    with transaction():
        count = facts.retry_failed()
    flash(_("%(count)s deliveries queued again.", count=count))
    return redirect(url_for(".show_facts"), 303)


@bp.get("/audit")
@requires(policy.may_see_machinery)
def show_audit() -> ResponseReturnValue:
    """Show who did what, when, from where."""
    return AuditList(current_actor()).respond("portal/desk/audit.html")


@bp.get("/styleguide")
@requires(policy.may_see_desk)
def styleguide() -> str:
    """Show every component with sample values."""
    now = clock.now()
    entries = [
        {"sentence": _("You opened the deal"), "at": now, "shape": "dot", "tone": "accent"},
        {"sentence": _("Approval is due"), "at": now, "shape": "diamond", "tone": "warn"},
        {"sentence": _("The partner submitted the deal"), "at": now},
    ]
    return render_template(
        "portal/desk/styleguide.html", entries=entries, card_code=qr_svg("6201048733165")
    )


navigation(
    NavItem(
        _l("Settings"), "desk.edit_settings", "settings", policy.may_change_settings, VENDOR, 40
    ),
    NavItem(_l("Jobs and clock"), "desk.show_jobs", "clock", policy.may_see_machinery, VENDOR, 44),
    NavItem(_l("Audit"), "desk.show_audit", "list", policy.may_see_machinery, VENDOR, 46),
)
