"""Pages of newsletters, their preview and print edition, and unsubscribing."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Member
from loyalty.newsletters import documents, forms, mails, operations, policy, queries
from loyalty.newsletters.lists import NewsletterList
from loyalty.newsletters.models import BLOCK_LABELS, NEWSLETTER_STEPS, Newsletter
from portal.foundation.audit import timeline
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound, Refused
from portal.foundation.files.answers import send_stored
from portal.foundation.files.checks import check_upload
from portal.foundation.i18n import _, _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.forms import ConfirmForm
from portal.foundation.web.policies import authorise, public, requires
from portal.foundation.web.security import csrf
from portal.foundation.web.templating import NavItem, navigation

bp = Blueprint("newsletters", __name__, url_prefix="/newsletters")


def _newsletter(newsletter_id: int) -> Newsletter:
    return queries.newsletter_for(current_actor(), newsletter_id)


@bp.get("")
@requires(policy.may_make_newsletters)
def index() -> ResponseReturnValue:
    """List newsletters."""
    page = NewsletterList(current_actor())
    page.empty_action = (_("Make a newsletter"), url_for(".new"))
    return page.respond("loyalty/newsletters/list.html")


@bp.route("/new", methods=["GET", "POST"])
@requires(policy.may_make_newsletters)
def new() -> ResponseReturnValue:
    """Begin a newsletter."""
    actor = current_actor()
    form = forms.NewForm.from_request()
    form.club.choices = [(club.code, club.name) for club in clubs.all_clubs()]
    if form.submitted():
        try:
            with transaction():
                values = form.values()
                club = clubs.club_for(actor, values.pop("club"))
                made = operations.create_newsletter(actor, club=club, **values)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".edit", newsletter_id=made.id), 303)
    return render_template("loyalty/newsletters/new.html", form=form), form.status


@bp.get("/<int:newsletter_id>")
@requires(policy.may_make_newsletters)
def show(newsletter_id: int) -> str:
    """Show a newsletter: where it stands, its counts, its blocks."""
    newsletter = _newsletter(newsletter_id)
    actor = current_actor()
    steps = [
        step
        for step in NEWSLETTER_STEPS.open_steps(newsletter.state)
        if step.name in policy.STEP_POLICIES and policy.STEP_POLICIES[step.name](actor, newsletter)
    ]
    return render_template(
        "loyalty/newsletters/show.html",
        newsletter=newsletter,
        club=queries.club_of(newsletter),
        look=NEWSLETTER_STEPS.look(newsletter.state),
        steps=steps,
        may_edit=policy.may_edit(actor, newsletter),
        counts=queries.counts(newsletter),
        reach=queries.audience_size(newsletter.club_id),
        timeline=timeline(newsletter),
        **_drawn(newsletter),
    )


def _drawn(newsletter: Newsletter, member: Member | None = None) -> dict[str, Any]:
    files = queries.pictures(newsletter)
    filling = documents.filling_for(newsletter, member)
    return {"blocks": documents.filled_blocks(newsletter, filling, files)}


@bp.route("/<int:newsletter_id>/edit", methods=["GET", "POST"])
@requires(policy.may_make_newsletters)
def edit(newsletter_id: int) -> ResponseReturnValue:
    """Change a draft's subject and blocks; any button saves first."""
    newsletter = _newsletter(newsletter_id)
    authorise(policy.may_edit, newsletter)
    form = forms.NewsletterForm.from_request(newsletter)
    blocks: list[dict[str, Any]] = list(newsletter.blocks)
    if form.is_submitted():
        blocks = forms.typed_blocks(request.form, form.count.data)
    if form.submitted():
        action = request.form.get("action", "save")
        try:
            uploads = _checked_pictures(len(blocks))
            with transaction():
                form.check_version(newsletter.version)
                values = form.values()
                for number, upload in uploads.items():
                    blocks[number]["file_id"] = operations.add_picture(current_actor(), upload)
                blocks = forms.arranged(blocks, action)
                operations.change_newsletter(
                    current_actor(),
                    newsletter,
                    subject=values["subject"],
                    language=values["language"],
                    blocks=blocks,
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            if action == "save":
                flash(_("Newsletter saved."))
                return redirect(url_for(".show", newsletter_id=newsletter.id), 303)
            return redirect(url_for(".edit", newsletter_id=newsletter.id, _anchor="blocks"), 303)
    context = {"newsletter": newsletter, "blocks": blocks, "kinds": BLOCK_LABELS}
    page = render_template(
        "loyalty/newsletters/edit.html", form=form, files=queries.pictures(newsletter), **context
    )
    return page, form.status


def _checked_pictures(count: int) -> dict[int, Any]:
    """Return the uploads of picture blocks, checked before the transaction."""
    uploads = {number: request.files.get(f"block-{number}-file") for number in range(count)}
    return {
        number: check_upload(upload, kinds=("image",))
        for number, upload in uploads.items()
        if upload is not None and upload.filename
    }


@bp.post("/<int:newsletter_id>/<any(approve, send, cancel):step>")
@requires(policy.may_make_newsletters)
def take_step(newsletter_id: int, step: str) -> ResponseReturnValue:
    """Approve, send or cancel a newsletter."""
    newsletter = _newsletter(newsletter_id)
    authorise(policy.STEP_POLICIES[step], newsletter)
    try:
        with transaction():
            operations.STEPS[step](current_actor(), newsletter)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("Done."))
    return redirect(url_for(".show", newsletter_id=newsletter.id), 303)


@bp.get("/<int:newsletter_id>/print.pdf")
@requires(policy.may_make_newsletters)
def print_pdf(newsletter_id: int) -> Response:
    """Show the print edition, of a member by `number` or of a sample reader."""
    newsletter = _newsletter(newsletter_id)
    number = request.args.get("number", "").strip()
    member = queries.member_of(newsletter, number) if number else None
    response = Response(documents.print_edition(newsletter, member), mimetype="application/pdf")
    name = f'inline; filename="{newsletter.reference}.pdf"'
    response.headers["Content-Disposition"] = name
    return response


@bp.get("/pictures/<storage_name>")
@public
def picture(storage_name: str) -> Response:
    """Show a picture of a newsletter; mail programs ask for it without signing in."""
    return send_stored(queries.picture_by_name(storage_name))


@bp.route("/unsubscribe/<token>", methods=["GET", "POST"])
@csrf.exempt
@public
def unsubscribe(token: str) -> ResponseReturnValue:
    """Ask, then note, that a member wants no more newsletters.

    A mail program's one-click POST (RFC 8058) carries no form token: the signed link stands for it.
    """
    member_id = mails.member_id_of(token)
    member = db.session.get(Member, member_id) if member_id is not None else None
    if member is None:
        raise NotFound
    done = request.method == "POST"
    if done:
        with transaction():
            operations.unsubscribe(member)
    form = ConfirmForm.from_request()
    return render_template("loyalty/newsletters/unsubscribe.html", form=form, done=done)


navigation(
    NavItem(
        _l("Newsletters"),
        "newsletters.index",
        "mail",
        policy.may_make_newsletters,
        _l("Service and club"),
        38,
        key="n",
    )
)
