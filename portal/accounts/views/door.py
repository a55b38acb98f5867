"""Signing in and out, the second step, links that set a password, the language."""

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import links, operations, queries, second_factor, throttle
from portal.accounts.errors import LinkUseless, NotRecognised
from portal.accounts.forms import (
    AskLinkForm,
    CodeForm,
    LanguageForm,
    SetPasswordForm,
    SignInForm,
)
from portal.accounts.models import Purpose, User
from portal.accounts.views.base import (
    all_together,
    bp,
    carry,
    load_actor,
    mails_all_together,
    mails_per_address,
    onwards,
    own_session,
    per_address,
)
from portal.foundation.actors import ANONYMOUS, Actor
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import LANGUAGES, _, _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.forms import ConfirmForm
from portal.foundation.web.policies import public, requires, signed_in
from portal.foundation.web.security import safe_path
from portal.foundation.web.templating import home_url

STEP = "second_step"
YEAR = 365 * 24 * 3600


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Go where the reader's day begins."""
    actor = current_actor()
    return redirect(home_url(actor) if actor.is_signed_in else url_for(".sign_in"), 303)


@bp.route("/login", methods=["GET", "POST"])
@public
@per_address
@all_together
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password; the answer never says which of them is wrong."""
    form, status = SignInForm.from_request(), 200
    if form.submitted():
        try:
            email, password = str(form.email.data), str(form.password.data)
            return _enter(throttle.recognised(email, password), password)
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
    elif request.method == "GET" and current_actor().is_signed_in:
        return onwards(None)
    return render_template("portal/accounts/sign_in.html", form=form), max(form.status, status)


def _enter(user: User, password: str) -> ResponseReturnValue:
    """Sign in somebody whose password was right, or ask for the second factor."""
    if user.totp_confirmed_at is not None:
        with transaction():
            throttle.rehash(user, password)
            token = links.make(user, Purpose.SIGN_IN)
        session.clear()
        session[STEP] = token
        return redirect(url_for(".enter_code", next=safe_path(request.args.get("next"))), 303)
    former = queries.live_session(str(session.get("_user_id", "")))
    with transaction():
        throttle.forgive(user.email)
        throttle.rehash(user, password)
        if former is not None:
            operations.end_session(current_actor(), session=former)
        token = operations.open_session(ANONYMOUS, user=user, device=request.user_agent.string)
    carry(token)
    return onwards(load_actor(token))


@bp.route("/login/code", methods=["GET", "POST"])
@public
@per_address
@all_together
def enter_code() -> ResponseReturnValue:
    """Finish signing in with a code of the authenticator or a recovery code."""
    found = queries.open_link(str(session.get(STEP, "")), Purpose.SIGN_IN)
    if found is None:
        return redirect(url_for(".sign_in", next=safe_path(request.args.get("next"))), 303)
    link, user = found
    form, status = CodeForm.from_request(), 200
    if form.submitted():
        try:
            throttle.refuse_while_blocked(user.email)
            with transaction():
                token = _finish(user, str(form.code.data)) if links.use(link) else None
            if token is not None:
                carry(token)
                return onwards(load_actor(token))
        except NotRecognised:
            form.refuse(_counted(user))
            status = form.status
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            return redirect(url_for(".sign_in"), 303)
    return render_template("portal/accounts/code.html", form=form), max(form.status, status)


def _finish(user: User, code: str) -> str:
    """Open the session of a right code; refuses (NotRecognised) a wrong one, keeping the step."""
    actor = queries.actor_of(user.id) or ANONYMOUS
    if not second_factor.use_code(actor, user=user, code=code):
        raise NotRecognised
    throttle.forgive(user.email)
    return operations.open_session(actor, user=user, device=request.user_agent.string)


def _counted(user: User) -> Refused:
    """Count a wrong code and return what the reader is told."""
    try:
        throttle.note_failure(user.email)
    except Refused as refusal:
        return refusal
    return Refused(_l("This code does not fit, or was used already."), field="code")


@bp.post("/logout")
@requires(signed_in)
def sign_out() -> ResponseReturnValue:
    """End this sign-in on the server."""
    actor = current_actor()
    with transaction():
        operations.end_session(actor.viewed_by or actor, session=own_session())
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for(".sign_in"), 303)


@bp.route("/password", methods=["GET", "POST"])
@public
@mails_per_address
@mails_all_together
def ask_link() -> ResponseReturnValue:
    """Ask for a link to set a password; the answer is the same whoever has the address."""
    form = AskLinkForm.from_request()
    if form.submitted():
        with transaction():
            links.ask(str(form.email.data))
        return redirect(url_for(".ask_link", sent=1), 303)
    sent = request.args.get("sent") == "1"
    return render_template("portal/accounts/ask_link.html", form=form, sent=sent), form.status


@bp.route("/password/<token>", methods=["GET", "POST"])
@public
@per_address
@all_together
def set_password(token: str) -> ResponseReturnValue:
    """Choose a password by a mailed link; looking at the page does not use the link up."""
    found = queries.open_link(token, Purpose.INVITATION, Purpose.RESET)
    if found is None:
        return _useless()
    link, user = found
    form = SetPasswordForm.from_request()
    if form.submitted():
        try:
            with transaction():
                if not links.use(link):
                    raise LinkUseless
                actor = queries.actor_of(user.id) or Actor(name=user.name)
                operations.set_password(actor, user=user, **form.values())
        except LinkUseless:
            return _useless()
        except Refused as refusal:
            form.refuse(refusal)
        else:
            session.clear()
            flash(_("Your password is set. Sign in with it."))
            return redirect(url_for(".sign_in"), 303)
    is_new = link.purpose is Purpose.INVITATION
    page = render_template("portal/accounts/set_password.html", form=form, user=user, is_new=is_new)
    return page, form.status


def _useless() -> ResponseReturnValue:
    """Say that a link opens nothing, in the same words whatever the reason."""
    page = render_template("portal/accounts/link_useless.html", form=AskLinkForm(formdata=None))
    return page, LinkUseless.status


@bp.route("/e-mail/<token>", methods=["GET", "POST"])
@public
@per_address
@all_together
def confirm_email(token: str) -> ResponseReturnValue:
    """Confirm a new address by the link that was mailed to it."""
    found = queries.open_link(token, Purpose.EMAIL)
    if found is None:
        return _useless()
    link, user = found
    form = ConfirmForm.from_request()
    if form.submitted():
        try:
            with transaction():
                if not links.use(link):
                    raise LinkUseless
                actor = queries.actor_of(user.id) or ANONYMOUS
                operations.change_email(actor, user=user, email=str(link.email))
        except LinkUseless:
            return _useless()
        except Refused as refusal:
            form.refuse_all(str(refusal))
        else:
            flash(_("Your address is %(email)s now.", email=link.email))
            return redirect(url_for(".home"), 303)
    page = render_template("portal/accounts/confirm_email.html", form=form, email=link.email)
    return page, form.status


@bp.post("/language")
@public
def choose_language() -> ResponseReturnValue:
    """Keep the language of the pages: in the profile, or in a cookie for those not signed in."""
    form = LanguageForm.from_request()
    response = redirect(safe_path(request.form.get("next")) or url_for(".home"), 303)
    if form.language.data not in LANGUAGES:
        return response
    actor = current_actor()
    if actor.is_signed_in:
        with transaction():
            user = queries.oneself(actor)
            operations.choose_language(actor, user=user, language=form.language.data)
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        "language", form.language.data, max_age=YEAR, secure=secure, httponly=True, samesite="Lax"
    )
    return response
