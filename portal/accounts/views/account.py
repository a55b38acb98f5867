"""One's own account: profile, password, address, second factor, devices, API tokens."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import operations, policy, queries, second_factor
from portal.accounts.devices import device_words
from portal.accounts.facts import NOTICES
from portal.accounts.forms import (
    ChangeEmailForm,
    ChangePasswordForm,
    CodeForm,
    PresentPasswordForm,
    ProfileForm,
    TokenForm,
    options,
)
from portal.accounts.views.base import bp, carry, load_actor, own_session, prove_presence
from portal.foundation.codes import qr_svg
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.settings import setting
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import requires, signed_in

NEW, RENEW, OFF = "new", "renew", "off"  # prefixes: a page of several forms
PAGES = [
    (_l("Profile"), "accounts.profile"),
    (_l("Password and address"), "accounts.security"),
    (_l("Second factor"), "accounts.second_factor"),
    (_l("Devices"), "accounts.devices"),
    (_l("API tokens"), "accounts.tokens"),
]


def _page(name: str, **context: Any) -> str:
    """Return a page of the account with the tabs above it."""
    actor = current_actor()
    shown = PAGES[:1] if actor.viewing_as else PAGES
    tabs = [
        {"label": label, "url": url_for(to), "count": None, "current": request.path == url_for(to)}
        for label, to in shown
    ]
    return render_template(f"portal/accounts/{name}.html", tabs_shown=tabs, **context)


@bp.route("/profile", methods=["GET", "POST"])
@requires(signed_in)
def profile() -> ResponseReturnValue:
    """Show and change one's own name, language, zone and notices."""
    actor = current_actor()
    user = queries.oneself(actor)
    offered = {kind: notice for kind, notice in NOTICES.items() if notice.policy(actor)}
    taken = [kind for kind in offered if queries.wants_mail(user, kind)]
    form = ProfileForm.from_request(
        name=user.name, language=user.language or "", zone=user.zone, notifications=taken
    )
    form.notifications.choices = options({kind: one.label for kind, one in offered.items()})
    if form.submitted():
        try:
            with transaction():
                values = form.values()
                wanted = {kind: kind in values["notifications"] for kind in offered}
                operations.change_profile(actor, user=user, **values | {"notifications": wanted})
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Saved."))
            return redirect(url_for(".profile"), 303)
    rows = ["name", "language", "zone", *(["notifications"] if offered else [])]
    page = _page("profile", form=form, rows=rows, user=user, partner=queries.partner_of(user))
    return page, form.status


@bp.get("/profile/security")
@requires(policy.is_oneself)
def security() -> ResponseReturnValue:
    """Show the forms for a new password and a new address."""
    user = queries.oneself(current_actor())
    return _page(
        "security",
        user=user,
        password_form=ChangePasswordForm(),
        email_form=ChangeEmailForm(prefix=NEW),
    )


@bp.post("/profile/password")
@requires(policy.is_oneself)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other sign-in ends, and this one gets a new cookie."""
    actor = current_actor()
    user, form = queries.oneself(actor), ChangePasswordForm.from_request()
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                form.use_up()
                operations.set_password(actor, user=user, password=str(form.password.data))
                device = request.user_agent.string
                token = operations.open_session(actor, user=user, device=device)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            carry(token)
            load_actor(token)
            flash(_("Your password is changed. Other devices are signed out."))
            return redirect(url_for(".security"), 303)
    page = _page(
        "security",
        user=user,
        password_form=form,
        email_form=ChangeEmailForm(formdata=None, prefix=NEW),
    )
    return page, form.status


@bp.post("/profile/e-mail")
@requires(policy.is_oneself)
def change_email() -> ResponseReturnValue:
    """Have a link mailed that confirms a new address."""
    actor = current_actor()
    user, form = queries.oneself(actor), ChangeEmailForm(prefix=NEW)
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                form.use_up()
                operations.ask_email(actor, user=user, email=str(form.email.data))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Open the link that is on its way to the new address."))
            return redirect(url_for(".security"), 303)
    page = _page(
        "security", user=user, password_form=ChangePasswordForm(formdata=None), email_form=form
    )
    return page, form.status


def _second_factor_page(status: int = 200, **forms: Any) -> ResponseReturnValue:
    actor = current_actor()
    user = queries.oneself(actor)
    address = second_factor.enrolment_address(user, str(setting("vendor.name")))
    page = _page(
        "second_factor",
        user=user,
        qr=qr_svg(address) if address else None,
        secret=second_factor.secret_of(user) if address else None,
        left=queries.recovery_codes_left(user),
        forced=actor.must_enrol,
        start_form=forms.get("start_form") or PresentPasswordForm(formdata=None),
        code_form=forms.get("code_form") or CodeForm(formdata=None),
        renew_form=forms.get("renew_form") or PresentPasswordForm(formdata=None, prefix=RENEW),
        off_form=forms.get("off_form") or PresentPasswordForm(formdata=None, prefix=OFF),
    )
    return page, status


@bp.get("/profile/second-factor", endpoint="second_factor")
@requires(policy.is_oneself)
def show_second_factor() -> ResponseReturnValue:
    """Show whether the second factor is on, and what it takes to turn it on."""
    return _second_factor_page()


@bp.post("/profile/second-factor/start", endpoint="enrol")
@requires(policy.is_oneself)
def enrol() -> ResponseReturnValue:
    """Begin to set up the second factor: a new secret to scan."""
    form = PresentPasswordForm.from_request()
    user = queries.oneself(current_actor())
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                second_factor.start_enrolment(user)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".second_factor"), 303)
    return _second_factor_page(form.status, start_form=form)


@bp.post("/profile/second-factor/confirm")
@requires(policy.is_oneself)
def confirm_enrolment() -> ResponseReturnValue:
    """Turn the second factor on with a code of it, and show the recovery codes this once."""
    actor = current_actor()
    user, form = queries.oneself(actor), CodeForm.from_request()
    if form.submitted():
        try:
            with transaction():
                codes = second_factor.confirm_enrolment(actor, user=user, code=str(form.code.data))
                token = operations.end_other_sessions(actor, user=user, session=own_session())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            carry(token)
            return _page("recovery_codes", codes=codes)
    return _second_factor_page(form.status, code_form=form)


@bp.post("/profile/second-factor/codes")
@requires(policy.is_oneself)
def renew_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them this once."""
    actor = current_actor()
    user = queries.oneself(actor)
    form = PresentPasswordForm(prefix=RENEW)
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                form.use_up()
                codes = second_factor.renew_codes(actor, user=user)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _page("recovery_codes", codes=codes)
    return _second_factor_page(form.status, renew_form=form)


@bp.post("/profile/second-factor/off")
@requires(policy.is_oneself)
def turn_off_second_factor() -> ResponseReturnValue:
    """Turn the second factor off; other devices are signed out."""
    actor = current_actor()
    user = queries.oneself(actor)
    form = PresentPasswordForm(prefix=OFF)
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                second_factor.turn_off(actor, user=user)
                token = operations.end_other_sessions(actor, user=user, session=own_session())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            carry(token)
            flash(_("The second factor is off."))
            return redirect(url_for(".second_factor"), 303)
    return _second_factor_page(form.status, off_form=form)


@bp.get("/profile/devices")
@requires(policy.is_oneself)
def devices() -> ResponseReturnValue:
    """List where one is signed in."""
    rows = [
        {"row": row, "words": device_words(row.device), "here": row.id == own_session().id}
        for row in queries.live_sessions(queries.oneself(current_actor()))
    ]
    return _page("devices", rows=rows)


@bp.post("/profile/devices/<int:session_id>/end")
@requires(policy.is_oneself)
def end_device(session_id: int) -> ResponseReturnValue:
    """Sign one device out."""
    actor = current_actor()
    found = queries.session_of(actor, session_id)
    with transaction():
        operations.end_session(actor, session=found)
    flash(_("That device is signed out."))
    return redirect(url_for(".devices"), 303)


@bp.post("/profile/devices/end-others")
@requires(policy.is_oneself)
def end_other_devices() -> ResponseReturnValue:
    """Sign every device out but this one."""
    actor = current_actor()
    with transaction():
        operations.end_sessions(actor, user=queries.oneself(actor), keep=own_session())
    flash(_("Every other device is signed out."))
    return redirect(url_for(".devices"), 303)


@bp.route("/profile/tokens", methods=["GET", "POST"])
@requires(policy.is_oneself)
def tokens() -> ResponseReturnValue:
    """List one's own API tokens, and make one, which is shown this once."""
    actor = current_actor()
    user, form, made = queries.oneself(actor), TokenForm.from_request(), None
    if form.submitted():
        try:
            prove_presence(user, form.present.data)
            with transaction():
                form.use_up()
                days = form.expires_in.data
                life = timedelta(days=int(days)) if days else None
                made = operations.create_token(
                    actor, user=user, name=str(form.name.data), expires_in=life
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            form = TokenForm(formdata=None)
    page = _page("tokens", form=form, rows=queries.api_tokens(user), made=made)
    return page, form.status


@bp.post("/profile/tokens/<int:token_id>/revoke")
@requires(policy.is_oneself)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Let one of one's own API tokens open nothing any more."""
    actor = current_actor()
    found = queries.api_token_of(actor, token_id)
    with transaction():
        operations.revoke_token(actor, token=found)
    flash(_("The token opens nothing any more."))
    return redirect(url_for(".tokens"), 303)


@bp.post("/view-as/stop")
@requires(signed_in)
def stop_viewing() -> ResponseReturnValue:
    """Look through one's own eyes again."""
    actor, live = current_actor(), own_session()
    viewed_id = live.viewing_as_id
    with transaction():
        operations.stop_viewing(actor.viewed_by or actor, session=live)
    return redirect(url_for("users.show", user_id=viewed_id) if viewed_id else "/", 303)
