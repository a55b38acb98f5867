"""Signing in and out."""

from flask import Blueprint, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from portal.accounts import operations, queries
from portal.accounts.forms import SignInForm
from portal.foundation.actors import Actor
from portal.foundation.database import transaction
from portal.foundation.i18n import _
from portal.foundation.web.actors import current_actor, load_tokens_with, login
from portal.foundation.web.policies import public, requires, signed_in
from portal.foundation.web.security import safe_path
from portal.foundation.web.templating import home_url

bp = Blueprint("accounts", __name__)
login.user_loader(queries.actor_for_session)
load_tokens_with(queries.actor_for_token)


@bp.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password."""
    form = SignInForm.from_request()
    if form.submitted():
        user = queries.user_by_email(form.email.data or "")
        if operations.password_fits(user, form.password.data or "") and user is not None:
            with transaction():
                token = operations.open_session(user, device=request.user_agent.string)
            session.clear()
            session["_user_id"] = token
            target = safe_path(request.args.get("next"))
            actor = queries.actor_for_session(token)
            return redirect(target or home_url(actor or current_actor()), 303)
        form.refuse_all(_("Address and password do not fit."))
    return render_template("portal/accounts/sign_in.html", form=form), form.status


@bp.post("/logout")
@requires(signed_in)
def sign_out() -> ResponseReturnValue:
    """End this sign-in."""
    actor: Actor = current_actor()
    live = queries.live_session(actor.session_id)
    if live is not None:
        with transaction():
            operations.end_session(actor, live)
    session.clear()
    flash(_("You are signed out."))
    return redirect("/login", 303)


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Go where the reader's day begins."""
    actor = current_actor()
    return redirect(home_url(actor) if actor.is_signed_in else "/login", 303)


@bp.get("/profile")
@requires(signed_in)
def profile() -> ResponseReturnValue:
    """Show one's own profile."""
    return render_template("portal/accounts/profile.html")
