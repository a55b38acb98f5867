"""Pages of partners."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.foundation.actors import Actor
from portal.foundation.audit import timeline
from portal.foundation.countries import country_name
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, navigation
from portal.foundation.web.views.search import Hit, finds
from portal.partners import operations, policy, queries
from portal.partners.forms import PartnerForm, ReasonForm
from portal.partners.lists import PartnerList
from portal.partners.models import KIND_LABELS, PARTNER_LOOKS, PARTNER_STEPS, Partner

bp = Blueprint("partners", __name__, url_prefix="/partners")
navigation(
    NavItem(
        _l("Partners"),
        "partners.index",
        "building",
        policy.may_list_partners,
        _l("Channel"),
        21,
        key="p",
    )
)


@bp.get("")
@requires(policy.may_list_partners)
def index() -> ResponseReturnValue:
    """List partners."""
    actor = current_actor()
    context = {"may_add": policy.may_add_partner(actor)}
    return PartnerList(actor).respond("portal/partners/list.html", **context)


@bp.get("/<int:partner_id>")
@requires(policy.may_see_partners)
def show(partner_id: int) -> ResponseReturnValue:
    """Show a partner with what belongs to it."""
    actor = current_actor()
    partner = queries.partner_for(actor, partner_id)
    entries = timeline(partner) if policy.may_see_history(actor) else None
    return render_template(
        "portal/partners/show.html",
        partner=partner,
        state=PARTNER_LOOKS[partner.status],
        kind=KIND_LABELS[partner.kind],
        steps=queries.steps_for(actor, partner),
        reasoned=set(operations.REASONED_STEPS),
        may_change=policy.may_change_partner(actor),
        leads_to_deals=policy.may_follow_deals(actor),
        leads_to_jobs=policy.may_follow_jobs(actor),
        entries=entries,
        country_name=country_name,
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(policy.may_add_partner)
def new() -> ResponseReturnValue:
    """Add a partner."""
    form = PartnerForm.from_request()
    if form.submitted():
        try:
            with transaction():
                partner = operations.add_partner(current_actor(), **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Partner added."))
            return redirect(url_for(".show", partner_id=partner.id), 303)
    return render_template("portal/partners/form.html", form=form, partner=None), form.status


@bp.route("/<int:partner_id>/edit", methods=["GET", "POST"])
@requires(policy.may_change_partner)
def edit(partner_id: int) -> ResponseReturnValue:
    """Change a partner's facts."""
    partner = queries.partner_for(current_actor(), partner_id)
    form = PartnerForm.from_request(partner, kind=partner.kind.value)
    if form.submitted():
        try:
            with transaction():
                form.check_version(partner.version)
                operations.change_partner(current_actor(), partner, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Partner saved."))
            return redirect(url_for(".show", partner_id=partner.id), 303)
    return render_template("portal/partners/form.html", form=form, partner=partner), form.status


@bp.route("/<int:partner_id>/<any(put_on_notice, suspend):step>", methods=["GET", "POST"])
@requires(policy.may_suspend)
def reasoned_step(partner_id: int, step: str) -> ResponseReturnValue:
    """Take a step that needs a reason."""
    partner = queries.partner_for(current_actor(), partner_id)
    authorise(policy.STEP_POLICIES[step])
    form = ReasonForm.from_request()
    if form.submitted():
        try:
            with transaction():
                take = operations.REASONED_STEPS[step]
                take(current_actor(), partner, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("%(partner)s is %(state)s now.", partner=partner.name, state=_state(partner)))
            return redirect(url_for(".show", partner_id=partner.id), 303)
    page = render_template(
        "portal/partners/reason.html", form=form, partner=partner, step=PARTNER_STEPS.steps[step]
    )
    return page, form.status


@bp.post("/<int:partner_id>/<any(activate, reinstate):step>")
@requires(policy.may_activate)
def plain_step(partner_id: int, step: str) -> ResponseReturnValue:
    """Take a step that needs nothing but a click."""
    partner = queries.partner_for(current_actor(), partner_id)
    authorise(policy.STEP_POLICIES[step])
    try:
        with transaction():
            operations.PLAIN_STEPS[step](current_actor(), partner)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("%(partner)s is %(state)s now.", partner=partner.name, state=_state(partner)))
    return redirect(url_for(".show", partner_id=partner.id), 303)


def _state(partner: Partner) -> str:
    return str(PARTNER_LOOKS[partner.status].label)


@finds(_l("Partners"), policy.may_see_partners)
def find_partners(actor: Actor, text: str) -> list[Hit]:
    """Find partners by the start of the name or of the reference."""
    return [
        Hit(found.name, found.reference, url_for("partners.show", partner_id=found.id))
        for found in queries.partners_found(actor, text)
    ]
