"""Pages of clubs and of joining them, for staff."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.clubs import operations, policy, queries
from loyalty.clubs.forms import ClubForm, EnrolForm, MemberForm
from loyalty.clubs.lists import ClubList, MemberList
from loyalty.clubs.models import PROGRAMME_STEPS, Member, ProgrammeState
from loyalty.clubs.numbers import spaced_number
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import timeline
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, navigation
from portal.foundation.web.views.search import Hit, finds

bp = Blueprint("clubs", __name__)
SECTION = _l("Service and club")
navigation(
    NavItem(_l("Members"), "clubs.members", "users", policy.may_run_clubs, SECTION, 34, key="m"),
    NavItem(_l("Clubs"), "clubs.index", "star", policy.may_run_clubs, SECTION, 35, key="c"),
)


@finds(_l("Members"), policy.may_run_clubs)
def find_members(actor: Actor, text: str) -> list[Hit]:
    """Find members by card number, by the start of the address or of the name."""
    return [
        Hit(
            member.name,
            f"{spaced_number(member.number)} {member.email or ''}".strip(),
            url_for("points.member", number=member.number),
        )
        for member in queries.members_found(actor, text)
    ]


@bp.get("/clubs")
@requires(policy.may_run_clubs)
def index() -> ResponseReturnValue:
    """List clubs."""
    actor = current_actor()
    page = ClubList(actor)
    may_create = policy.may_create_club(actor)
    if may_create:
        page.empty_action = (_("Make a club"), url_for(".new"))
    return page.respond("loyalty/clubs/list.html", may_create=may_create)


@bp.route("/clubs/new", methods=["GET", "POST"])
@requires(policy.may_create_club)
def new() -> ResponseReturnValue:
    """Make a club."""
    form = ClubForm.from_request()
    if form.submitted():
        try:
            with transaction():
                club = operations.create_club(current_actor(), **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("The club is made. Send its programme next."))
            return redirect(url_for(".show", code=club.code), 303)
    return render_template("loyalty/clubs/new.html", form=form), form.status


@bp.get("/clubs/<code>")
@requires(policy.may_run_clubs)
def show(code: str) -> str:
    """Show a club: its rules and what happened to it."""
    actor = current_actor()
    club = queries.club_for(actor, code)
    versions = queries.versions(club)
    key, programme = queries.rules_of(club).on(clock.today(club.timezone))
    waiting = [one for one in versions if one.status is ProgrammeState.AWAITING]
    return render_template(
        "loyalty/clubs/show.html",
        club=club,
        versions=versions,
        looks=PROGRAMME_STEPS.looks,
        current=next((one for one in versions if one.id == key), None),
        programme=programme,
        approvable=[one for one in waiting if policy.may_approve_programme(actor, one)],
        count=queries.member_count(club),
        timeline=timeline(club),
    )


@bp.post("/clubs/<code>/programme/<int:version>/approve")
@requires(policy.may_send_programme)
def approve_programme(code: str, version: int) -> ResponseReturnValue:
    """Let a version of the programme hold."""
    actor = current_actor()
    club = queries.club_for(actor, code)
    awaiting = queries.version_for(club, version)
    authorise(policy.may_approve_programme, awaiting)
    try:
        with transaction():
            operations.approve_programme(actor, club=club, version=awaiting)
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("Version %(version)s is published.", version=version))
    return redirect(url_for(".show", code=club.code), 303)


@bp.get("/members")
@requires(policy.may_run_clubs)
def members() -> ResponseReturnValue:
    """List members."""
    page = MemberList(current_actor())
    clubs = queries.all_clubs()
    if clubs:
        page.empty_action = (_("Enrol a member"), url_for(".enrol", code=clubs[0].code))
    return page.respond("loyalty/clubs/members.html", clubs=clubs)


@bp.route("/clubs/<code>/members/new", methods=["GET", "POST"])
@requires(policy.may_enrol)
def enrol(code: str) -> ResponseReturnValue:
    """Enter a person into a club."""
    actor = current_actor()
    club = queries.club_for(actor, code)
    form = EnrolForm.from_request()
    if form.submitted():
        try:
            with transaction():
                values = form.values()
                agreed = values.pop("marketing")
                member, is_new = operations.enrol_member(actor, club=club, **values)
                if is_new and agreed:
                    operations.give_consent(actor, member=member, granted=True, source="desk")
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Enrolled.") if is_new else _("This person is a member already."))
            return redirect(url_for("points.member", number=member.number), 303)
    return render_template("loyalty/clubs/enrol.html", form=form, club=club), form.status


def _member(number: str) -> Member:
    member = queries.member_for(current_actor(), number)
    authorise(policy.may_change_member, member)
    return member


@bp.route("/members/<number>/edit", methods=["GET", "POST"])
@requires(policy.may_enrol)
def edit(number: str) -> ResponseReturnValue:
    """Change a member's particulars."""
    member = _member(number)
    form = MemberForm.from_request(member)
    if form.submitted():
        try:
            with transaction():
                form.check_version(db.session.get_one(Member, member.id).version)
                operations.change_member(current_actor(), member=member, **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Saved."))
            return redirect(url_for("points.member", number=member.number), 303)
    return render_template("loyalty/clubs/edit.html", form=form, member=member), form.status


@bp.post("/members/<number>/consent")
@requires(policy.may_enrol)
def say_consent(number: str) -> ResponseReturnValue:
    """Note that a member agrees to newsletters, or no more."""
    member = _member(number)
    granted = request.form.get("granted") == "yes"
    with transaction():
        operations.give_consent(current_actor(), member=member, granted=granted, source="desk")
    flash(_("Noted."))
    return redirect(url_for("points.member", number=member.number), 303)
