"""Pages of newsletters, their preview and print edition, and unsubscribing."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Member
from loyalty.newsletters import documents, forms, mails, operations, policy, queries
from loyalty.newsletters.lists import NewsletterList
from loyalty.newsletters.models import (
    BLOCK_LABELS,
    NEWSLETTER_STEPS,
    Newsletter,
    NewsletterState,
)
from portal.foundation.audit import timeline
from portal.foundation.database import db, lock, transaction
from portal.foundation.errors import NotFound, Refused, Stale
from portal.foundation.files.answers import send_stored
from portal.foundation.files.checks import CheckedUpload, check_upload
from portal.foundation.i18n import _, _l
from portal.foundation.pdf import PdfFailed
from portal.foundation.web.actors import current_actor
from portal.foundation.web.forms import ConfirmForm
from portal.foundation.web.policies import authorise, public, requires
from portal.foundation.web.security import csrf
from portal.foundation.web.templating import NavItem, home, navigation

bp = Blueprint("newsletters", __name__, url_prefix="/newsletters")
DONE = {
    "approve": _l("Approved. It can be sent now."),
    "send": _l("Its copies are on their way to the outbox."),
    "cancel": _l("Cancelled."),
}


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
    form.club.choices = [SelectChoice(club.code, club.name) for club in clubs.all_clubs()]
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
    has_clubs = bool(form.club.choices)
    page = render_template("loyalty/newsletters/new.html", form=form, has_clubs=has_clubs)
    return page, form.status


@bp.get("/<int:newsletter_id>")
@requires(policy.may_make_newsletters)
def show(newsletter_id: int) -> str:
    """Show a newsletter: where it stands, its counts, its blocks as a reader sees them.

    The reader is the member whose card `number` is asked for, else a sample.
    """
    newsletter = _newsletter(newsletter_id)
    actor = current_actor()
    number = request.args.get("number", "").strip()
    try:
        reader = queries.member_of(newsletter, number) if number else None
    except NotFound:
        reader = None
    is_waiting = newsletter.state in {NewsletterState.DRAFT, NewsletterState.APPROVED}
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
        reach=queries.audience_size(newsletter) if is_waiting else None,
        timeline=timeline(newsletter),
        number=number,
        reader=reader,
        blocks=documents.filled_blocks(
            newsletter, documents.filling_for(newsletter, reader), queries.pictures(newsletter)
        ),
    )


@bp.route("/<int:newsletter_id>/edit", methods=["GET", "POST"])
@requires(policy.may_make_newsletters)
def edit(newsletter_id: int) -> ResponseReturnValue:
    """Change a draft's subject and blocks; any button saves first."""
    newsletter = _newsletter(newsletter_id)
    if not policy.may_edit(current_actor(), newsletter) and request.method == "GET":
        return redirect(url_for(".show", newsletter_id=newsletter.id), 303)
    form = forms.NewsletterForm.from_request(newsletter)
    blocks: list[dict[str, Any]] = list(newsletter.blocks)
    if form.is_submitted():
        blocks = forms.typed_blocks(request.form, form.count.data)
    if form.submitted():
        action = request.form.get("action", "save")
        try:
            uploads = _checked_pictures(blocks)
            with transaction():
                form.check_version(lock(newsletter).version)
                values = form.values()
                operations.change_newsletter(
                    current_actor(),
                    newsletter,
                    subject=values["subject"],
                    language=values["language"],
                    blocks=forms.arranged(_with_pictures(blocks, uploads), action),
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


def _checked_pictures(blocks: list[dict[str, Any]]) -> dict[int, CheckedUpload]:
    """Return the uploads of picture blocks by the blocks' numbers, before the transaction."""
    sent = {block["number"]: request.files.get(f"block-{block['number']}-file") for block in blocks}
    return {
        number: check_upload(upload, kinds=("image",))
        for number, upload in sent.items()
        if upload is not None and upload.filename
    }


def _with_pictures(
    blocks: list[dict[str, Any]], uploads: dict[int, CheckedUpload]
) -> list[dict[str, Any]]:
    """Return the blocks with the keys of what was uploaded; those typed stay as they are.

    When the change is refused its pictures are gone too, and the page must not name them.
    """
    stored = {
        number: operations.add_picture(current_actor(), upload)
        for number, upload in uploads.items()
    }
    return [{**block, "file_id": stored.get(block["number"], block["file_id"])} for block in blocks]


@bp.post("/<int:newsletter_id>/<any(approve, send, cancel):step>")
@requires(policy.may_make_newsletters)
def take_step(newsletter_id: int, step: str) -> ResponseReturnValue:
    """Approve, send or cancel a newsletter."""
    newsletter = _newsletter(newsletter_id)
    authorise(policy.STEP_POLICIES[step], newsletter)
    seen = request.form.get("version")
    try:
        with transaction():
            if seen is not None and seen != str(lock(newsletter).version):
                raise Stale  # what is approved is what was read
            operations.STEPS[step](current_actor(), newsletter)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash(str(DONE[step]))
    return redirect(url_for(".show", newsletter_id=newsletter.id), 303)


@bp.get("/<int:newsletter_id>/print.pdf")
@requires(policy.may_make_newsletters)
def print_pdf(newsletter_id: int) -> ResponseReturnValue:
    """Show the print edition, of a member by `number` or of a sample reader."""
    newsletter = _newsletter(newsletter_id)
    number = request.args.get("number", "").strip()
    member = queries.member_of(newsletter, number) if number else None
    try:
        pdf = documents.print_edition(newsletter, member)
    except PdfFailed:
        flash(_("It could not be drawn just now. Try again in a minute."), "error")
        return redirect(url_for(".show", newsletter_id=newsletter.id), 303)
    disposition = f'inline; filename="newsletter-{newsletter.id}.pdf"'
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": disposition})


@bp.get("/pictures/<storage_name>")
@public
def picture(storage_name: str) -> Response:
    """Show a picture of a newsletter; mail programs ask for it without signing in."""
    response = send_stored(queries.picture_for(current_actor(), storage_name))
    # Readers of mail on the web show it within their own pages.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@bp.route("/unsubscribe/<token>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]
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
home(policy.may_make_newsletters, "newsletters.index")
