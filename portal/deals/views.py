"""Pages of deals."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.deals import policy, queries
from portal.deals.errors import NotSubmittable
from portal.deals.forms import (
    MOST_LINES,
    AnswerForm,
    DealForm,
    DealForPartnerForm,
    ReasonForm,
    values_of,
)
from portal.deals.lists import DealList, StaffDealList
from portal.deals.models import DEAL_STEPS, EDITABLE, Deal, DealState
from portal.deals.operations import drafts, steps
from portal.foundation.actors import Actor
from portal.foundation.countries import country_name
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.settings import setting
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, home, navigation
from portal.foundation.web.views.search import Hit, finds
from portal.products.queries import product_choices

bp = Blueprint("deals", __name__, url_prefix="/deals")
navigation(
    NavItem(
        _l("Deals"),
        "deals.index",
        "file-text",
        policy.may_see_deals,
        _l("Channel"),
        20,
        key="d",
        count=queries.returned_count,
    )
)
home(policy.starts_with_deals, "deals.index")
PLAIN_STEPS: dict[str, Callable[[Actor, Deal], None]] = {
    "review": steps.review_deal,
    "approve": steps.approve_deal,
    "withdraw": steps.withdraw_deal,
}
REASONED_STEPS: dict[str, Callable[..., None]] = {
    "return": steps.return_deal,
    "reject": steps.reject_deal,
}


@bp.get("")
@requires(policy.may_see_deals)
def index() -> ResponseReturnValue:
    """List deals."""
    actor = current_actor()
    page = StaffDealList(actor) if policy.may_see_conflicts(actor) else DealList(actor)
    page.empty_action = (_("Register a deal"), url_for(".new"))
    return page.respond("portal/deals/list.html", may_register=policy.may_register(actor))


@bp.get("/<int:deal_id>")
@requires(policy.may_see_deals)
def show(deal_id: int) -> ResponseReturnValue:
    """Show a deal."""
    actor = current_actor()
    page = queries.page_for(actor, queries.deal_for(actor, deal_id))
    return render_template("portal/deals/show.html", page=page, country_name=country_name)


@bp.route("/new", methods=["GET", "POST"])
@requires(policy.may_register)
def new() -> ResponseReturnValue:
    """Register a deal: as a draft, and at once for a decision when asked."""
    actor = current_actor()
    kind = DealForPartnerForm if policy.may_register_for_any(actor) else DealForm
    form = kind.from_request(currency=setting("vendor.currency"))
    if _wants_another_line(form):
        return _form_page(form, None)
    if form.submitted():
        try:
            with transaction():
                deal = drafts.register_deal(actor, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _saved(deal)
    return _form_page(form, None)


@bp.route("/<int:deal_id>/edit", methods=["GET", "POST"])
@requires(policy.may_register)
def edit(deal_id: int) -> ResponseReturnValue:
    """Edit a draft."""
    deal = _changeable(deal_id)
    if deal.status not in EDITABLE and request.method == "GET":
        return redirect(url_for(".show", deal_id=deal.id), 303)
    form = DealForm.from_request(**values_of(deal))
    if _wants_another_line(form):
        return _form_page(form, deal)
    if form.submitted():
        try:
            with transaction():
                form.check_version(deal.version)
                drafts.change_deal(current_actor(), deal, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _saved(deal)
    return _form_page(form, deal)


@bp.route("/<int:deal_id>/answer", methods=["GET", "POST"])
@requires(policy.may_register)
def answer(deal_id: int) -> ResponseReturnValue:
    """Add what the reviewer asked for, and hand the deal in again."""
    deal = _changeable(deal_id)
    if deal.status is not DealState.RETURNED and request.method == "GET":
        return redirect(url_for(".show", deal_id=deal.id), 303)
    form = AnswerForm.from_request(deal)
    if form.submitted():
        try:
            with transaction():
                form.check_version(deal.version)
                drafts.answer_reviewer(current_actor(), deal, **form.values())
                steps.submit_deal(current_actor(), deal)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Submitted again."))
            return redirect(url_for(".show", deal_id=deal.id), 303)
    return render_template("portal/deals/answer.html", form=form, deal=deal), form.status


@bp.post("/<int:deal_id>/delete")
@requires(policy.may_register)
def delete(deal_id: int) -> ResponseReturnValue:
    """Delete a draft."""
    deal = _changeable(deal_id)
    try:
        with transaction():
            drafts.delete_draft(current_actor(), deal)
    except Refused as refusal:
        flash(str(refusal), "error")
        return redirect(url_for(".show", deal_id=deal_id), 303)
    flash(_("Draft deleted."))
    return redirect(url_for(".index"), 303)


@bp.post("/<int:deal_id>/submit")
@requires(policy.may_register)
def submit(deal_id: int) -> ResponseReturnValue:
    """Hand a draft in for a decision, or a returned deal again."""
    deal = queries.deal_for(current_actor(), deal_id)
    authorise(policy.may_submit, deal)
    return _submitted(deal)


@bp.post("/<int:deal_id>/<any(review, approve, withdraw):step>")
@requires(policy.may_see_deals)
def plain_step(deal_id: int, step: str) -> ResponseReturnValue:
    """Take a step that needs nothing but a click."""
    deal = queries.deal_for(current_actor(), deal_id)
    authorise(policy.STEP_POLICIES[step], deal)
    try:
        with transaction():
            PLAIN_STEPS[step](current_actor(), deal)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        _tell(deal)
    return redirect(_back(deal_id), 303)


@bp.route("/<int:deal_id>/<any(return, reject):step>", methods=["GET", "POST"])
@requires(policy.may_decide)
def reasoned_step(deal_id: int, step: str) -> ResponseReturnValue:
    """Take a step that needs a reason, which the partner reads."""
    deal = queries.deal_for(current_actor(), deal_id)
    authorise(policy.STEP_POLICIES[step], deal)
    form = ReasonForm.from_request()
    if form.submitted():
        try:
            with transaction():
                REASONED_STEPS[step](current_actor(), deal, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            _tell(deal)
            return redirect(_back(deal_id), 303)
    context = {"deal": deal, "step": DEAL_STEPS.steps[step], "back": _back(deal_id)}
    return render_template("portal/deals/reason.html", form=form, **context), form.status


def _changeable(deal_id: int) -> Deal:
    deal = queries.deal_for(current_actor(), deal_id)
    authorise(policy.may_change, deal)
    return deal


def _wants_another_line(form: DealForm) -> bool:
    """Add an empty line where that button was pressed; nothing is checked or saved yet."""
    if request.form.get("do") != "line":
        return False
    if len(form.lines) < MOST_LINES:
        form.lines.append_entry()
    return True


def _form_page(form: DealForm, deal: Deal | None) -> ResponseReturnValue:
    page = render_template(
        "portal/deals/form.html",
        form=form,
        deal=deal,
        state=DEAL_STEPS.look(deal.status if deal else DealState.DRAFT),
        products=product_choices(),
        protection_days=setting("deals.protection_days"),
        decision_days=setting("deals.decision_days"),
        most_lines=MOST_LINES,
        evidence_required=setting("deals.evidence_required"),
    )
    return page, form.status


def _saved(deal: Deal) -> ResponseReturnValue:
    """Go on after a draft was saved: to its page, or to its submission where that was pressed."""
    if request.form.get("do") == "submit":
        return _submitted(deal)
    flash(_("Draft saved."))
    return redirect(url_for(".show", deal_id=deal.id), 303)


def _submitted(deal: Deal) -> ResponseReturnValue:
    """Submit a deal; where it lacks something show its form with all of that, the draft kept."""
    try:
        with transaction():
            steps.submit_deal(current_actor(), deal)
    except NotSubmittable as refusal:
        return _mend(deal, refusal)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("Submitted. You will hear from us by mail."))
    return redirect(url_for(".show", deal_id=deal.id), 303)


def _mend(deal: Deal, refusal: NotSubmittable) -> ResponseReturnValue:
    nothing_sent: dict[str, Any] = {"formdata": None}
    if deal.status is DealState.RETURNED:
        answer_form = AnswerForm.from_request(deal, **nothing_sent)
        answer_form.refuse(refusal)
        return render_template("portal/deals/answer.html", form=answer_form, deal=deal), 422
    form = DealForm.from_request(**nothing_sent, **values_of(deal))
    form.refuse(refusal)
    return _form_page(form, deal)


def _tell(deal: Deal) -> None:
    state = DEAL_STEPS.look(deal.status).label
    flash(_("%(reference)s: %(state)s.", reference=deal.reference, state=state))


def _back(deal_id: int) -> str:
    """Return where the reader came from: the review queue, else the deal's page."""
    if request.values.get("back") == "queue" and policy.may_decide(current_actor()):
        return url_for("desk.queue")
    return url_for(".show", deal_id=deal_id)


@finds(_l("Deals"), policy.may_see_deals)
def find_deals(actor: Actor, text: str) -> list[Hit]:
    """Find deals by the start of the reference or of the customer's name."""
    return [
        Hit(
            found.customer_name or found.reference,
            found.reference,
            url_for("deals.show", deal_id=found.id),
        )
        for found in queries.deals_found(actor, text)
    ]
