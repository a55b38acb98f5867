"""Users, for administrators: list, invite, change, shut out, look as."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import operations, policy, queries, second_factor
from portal.accounts.forms import InviteForm, UserForm
from portal.accounts.lists import UserList, role_words, state_of
from portal.accounts.models import User
from portal.accounts.views.base import own_session
from portal.foundation.actors import Actor
from portal.foundation.audit import timeline
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import LANGUAGES, _, _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import authorise, requires
from portal.foundation.web.templating import NavItem, home_url, navigation
from portal.foundation.web.views.search import Hit, finds

bp = Blueprint("users", __name__, url_prefix="/desk/users")
navigation(
    NavItem(_l("Users"), "users.index", "users", policy.may_manage_users, _l("Vendor"), 42, key="u")
)


@finds(_l("Users"), policy.may_manage_users)
def find_users(actor: Actor, text: str) -> list[Hit]:
    """Find users by the start of their address."""
    return [
        Hit(user.name, user.email, url_for("users.show", user_id=user.id))
        for user in queries.users_found(actor, text)
    ]


def _values(form: UserForm) -> dict[str, Any]:
    """Return the form's values with the partner's key for its reference.

    Refuses a reference that no partner has. Roles beyond one's own are forbidden.
    """
    values = form.values()
    reference = values.pop("partner")
    partner_id = queries.partner_id_by_reference(reference) if reference else None
    if reference and partner_id is None:
        raise Refused(_l("No partner has this reference."), field="partner")
    authorise(policy.may_grant, values["roles"])
    return values | {"partner_id": partner_id}


@bp.get("/", strict_slashes=False)
@requires(policy.may_manage_users)
def index() -> ResponseReturnValue:
    """List users."""
    return UserList(current_actor()).respond("portal/accounts/users/list.html")


@bp.route("/new", methods=["GET", "POST"])
@requires(policy.may_manage_users)
def new() -> ResponseReturnValue:
    """Invite a user by mail."""
    form = InviteForm.from_request()
    if form.submitted():
        try:
            with transaction():
                user = operations.invite_user(current_actor(), **_values(form))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("An invitation is on its way to %(email)s.", email=user.email))
            return redirect(url_for(".show", user_id=user.id), 303)
    page = render_template("portal/accounts/users/form.html", form=form, user=None)
    return page, form.status


@bp.get("/<int:user_id>")
@requires(policy.may_manage_users)
def show(user_id: int) -> ResponseReturnValue:
    """Show a user, what was done to and by the account, and the steps there are."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    return render_template(
        "portal/accounts/users/show.html",
        user=user,
        state=state_of(user),
        roles=role_words(",".join(user.role_names)),
        partner=queries.partner_of(user),
        language=LANGUAGES.get(user.language or ""),
        last_seen=queries.last_seen(user),
        sessions=len(queries.live_sessions(user)),
        entries=timeline(user, limit=50),
        policy=policy,
    )


@bp.route("/<int:user_id>/edit", methods=["GET", "POST"])
@requires(policy.may_manage_users)
def edit(user_id: int) -> ResponseReturnValue:
    """Change a user's name, roles and partner."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_change_user, user)
    partner = queries.partner_of(user)
    form = UserForm.from_request(
        name=user.name,
        roles=[row.role for row in user.roles],
        partner=partner[0] if partner else "",
        version=user.version,
    )
    if form.submitted():
        try:
            with transaction():
                form.check_version(user.version)
                operations.change_user(actor, user=user, **_values(form))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Saved."))
            return redirect(url_for(".show", user_id=user_id), 303)
    page = render_template("portal/accounts/users/form.html", form=form, user=user)
    return page, form.status


def _back(user: User, message: str, category: str = "message") -> ResponseReturnValue:
    flash(message, category)
    return redirect(url_for(".show", user_id=user.id), 303)


@bp.post("/<int:user_id>/deactivate")
@requires(policy.may_manage_users)
def deactivate(user_id: int) -> ResponseReturnValue:
    """Shut a user out at once."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_deactivate_user, user)
    try:
        with transaction():
            operations.deactivate_user(actor, user=user)
    except Refused as refusal:
        return _back(user, str(refusal), "error")
    return _back(user, _("Deactivated. Every sign-in ended."))


@bp.post("/<int:user_id>/reactivate")
@requires(policy.may_manage_users)
def reactivate(user_id: int) -> ResponseReturnValue:
    """Let a user in again."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_reactivate_user, user)
    try:
        with transaction():
            operations.reactivate_user(actor, user=user)
    except Refused as refusal:
        return _back(user, str(refusal), "error")
    return _back(user, _("Reactivated. The old password works again."))


@bp.post("/<int:user_id>/send-link")
@requires(policy.may_manage_users)
def send_link(user_id: int) -> ResponseReturnValue:
    """Mail the user a link to set a password: the invitation again, or a reset."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_send_link, user)
    with transaction():
        sent = operations.send_link(actor, user=user)
    if not sent:
        return _back(user, _("Five links in an hour are enough. Try again later."), "error")
    return _back(user, _("A link is on its way to %(email)s.", email=user.email))


@bp.post("/<int:user_id>/reset-second-factor")
@requires(policy.may_manage_users)
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    """Turn off the second factor of a user who has lost it; every sign-in ends."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_reset_second_factor, user)
    with transaction():
        second_factor.turn_off(actor, user=user)
        operations.end_sessions(actor, user=user)
    return _back(user, _("The second factor is off. Every sign-in ended."))


@bp.post("/<int:user_id>/end-sessions")
@requires(policy.may_manage_users)
def end_sessions(user_id: int) -> ResponseReturnValue:
    """Sign a user out everywhere."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_change_user, user)
    keep = own_session() if user.id == actor.user_id else None
    with transaction():
        operations.end_sessions(actor, user=user, keep=keep)
    return _back(user, _("Every sign-in ended."))


@bp.post("/<int:user_id>/view-as")
@requires(policy.may_manage_users)
def view_as(user_id: int) -> ResponseReturnValue:
    """Look through a user's eyes, reading only, until it is stopped."""
    actor = current_actor()
    user = queries.user_for(actor, user_id)
    authorise(policy.may_view_as, user)
    with transaction():
        operations.start_viewing(actor, session=own_session(), user=user)
    return redirect(home_url(queries.actor_of(user.id) or actor), 303)
