"""The blueprint, who is signed in, and what every request owes to accounts."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from portal.accounts import queries, throttle
from portal.accounts.errors import NotRecognised
from portal.accounts.models import User, UserSession
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import aside, transaction
from portal.foundation.errors import NotFound, Refused
from portal.foundation.i18n import _l
from portal.foundation.web.actors import (
    current_actor,
    is_api_request,
    load_tokens_with,
    login,
)
from portal.foundation.web.limits import limiter
from portal.foundation.web.policies import policy_of
from portal.foundation.web.security import safe_path
from portal.foundation.web.templating import home_url

bp = Blueprint("accounts", __name__)
load_tokens_with(queries.actor_for_token)
SEEN_EVERY = timedelta(minutes=15)
OPEN_BEFORE_ENROLMENT = frozenset(
    {
        "accounts.second_factor",
        "accounts.enrol",
        "accounts.confirm_enrolment",
        "accounts.sign_out",
        "accounts.choose_language",
    }
)


def failed(response: Response) -> bool:
    """Return whether an answer refuses what was sent."""
    return response.status_code >= 400


def everyone() -> str:
    """Return the key of the limit that all callers share."""
    return "everyone"


# An address may fail this often, and all addresses together; successes are not counted.
per_address = limiter.limit("60 per minute; 600 per hour", methods=["POST"], deduct_when=failed)
all_together = limiter.limit(
    "1200 per minute", key_func=everyone, methods=["POST"], deduct_when=failed
)
# Mails that anybody may ask for, known to us or not.
mails_per_address = limiter.limit("20 per minute; 100 per hour", methods=["POST"])
mails_all_together = limiter.limit("300 per minute", key_func=everyone, methods=["POST"])


def load_actor(token: str) -> Actor | None:
    """Return who is signed in with the cookie's secret."""
    found = queries.signed_in(token)
    g.user_session = found.session if found else None
    return found.actor if found else None


login.user_loader(load_actor)


def own_session() -> UserSession:
    """Return the row of the present sign-in; refuses (NotFound) when nobody is signed in."""
    current_actor()
    found: UserSession | None = g.get("user_session")
    if found is None:
        raise NotFound
    return found


def carry(token: str) -> None:
    """Put a sign-in's secret into a fresh cookie; nothing of the old one stays."""
    session.clear()
    g.pop("csrf_token", None)  # made for the old cookie; the page gets a new one
    session["_user_id"] = token


def onwards(actor: Actor | None) -> BaseResponse:
    """Send the reader to the page that asked for the sign-in, else home."""
    target = safe_path(request.args.get("next"))
    return redirect(target or home_url(actor or current_actor()), 303)


def prove_presence(user: User, password: str | None) -> None:
    """Refuse unless `password` is the user's; counted like a sign-in, outside any transaction."""
    try:
        throttle.recognised(user.email, password or "")
    except NotRecognised:
        raise Refused(_l("This is not your present password."), field="present") from None
    with transaction():
        throttle.forgive(user.email)


@bp.before_app_request
def enrol_first() -> ResponseReturnValue | None:
    """Send staff who lack a demanded second factor to set it up, before anything else."""
    if request.endpoint is None or request.endpoint in OPEN_BEFORE_ENROLMENT or is_api_request():
        return None
    if policy_of(current_app.view_functions[request.endpoint]) == "public":
        return None
    if not current_actor().must_enrol:
        return None
    address = url_for("accounts.second_factor")
    if request.headers.get("HX-Request"):
        return Response(status=403, headers={"HX-Redirect": address})
    return redirect(address, 303)


@bp.after_app_request
def note_seen(response: Response) -> Response:
    """Keep when a sign-in was last used, to the quarter hour."""
    live: UserSession | None = g.get("user_session")
    now = clock.now()
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    if live is None or response.status_code >= 500 or live.last_seen_at >= quarter:
        return response
    seen = sa.update(UserSession).where(
        UserSession.id == live.id, UserSession.last_seen_at < quarter
    )
    try:
        with aside() as connection:
            connection.execute(seen.values(last_seen_at=quarter))
    except sa.exc.OperationalError:
        # A busy database must not spoil the page for this mark; the next request sets it.
        current_app.logger.debug("not noted when the sign-in was used")
    return response
