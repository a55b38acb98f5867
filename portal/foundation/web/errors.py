"""One answer for each kind of failure, as a page or as RFC 9457 problem+json."""

import http
from typing import Any

import sqlalchemy as sa
import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, g, jsonify, make_response, redirect, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from portal.foundation.audit import Sentence, record, sentences
from portal.foundation.database import is_writing, transaction
from portal.foundation.errors import Forbidden, NotFound, Refused, SignInRequired, Stale
from portal.foundation.i18n import LANGUAGE_TAGS, _l, language
from portal.foundation.web.actors import current_actor, is_api_request
from portal.foundation.web.policies import SAFE_METHODS

log = structlog.get_logger()
sentences(
    {
        "web.access.refused": Sentence(
            _l("%(actor)s was refused %(method)s %(endpoint)s"), "cross", "bad"
        )
    }
)
TITLES = {
    400: _l("This request cannot be read"),
    401: _l("Sign in first"),
    403: _l("This is not open to you"),
    404: _l("There is nothing here"),
    405: _l("This cannot be done here"),
    409: _l("Somebody was faster"),
    413: _l("This is too large"),
    415: _l("This kind of content is not taken"),
    422: _l("This cannot be done"),
    429: _l("Too many tries"),
    500: _l("Something went wrong on our side"),
    503: _l("Not available for the moment"),
}
DETAILS = {
    400: _l("Go back, reload the page and try again."),
    403: _l("Your roles do not allow it. Ask your administrator."),
    404: _l("It may have been removed, or it is not yours to see."),
    413: _l("Send at most 12 MB."),
    429: _l("Wait a minute, then try again."),
    500: _l("Nothing was half done. If it happens again, give us the reference below."),
    503: _l("Try again in a few seconds."),
}


def problem(
    status: int,
    detail: str = "",
    *,
    code: str | None = None,
    errors: list[dict[str, str]] | None = None,
    **extra: Any,
) -> Response:
    """Return a problem+json answer."""
    body: dict[str, Any] = {
        "type": f"/api/v1/docs#{code}" if code else "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or str(DETAILS.get(status, "")),
    }
    if code:
        body["code"] = code
    if errors:
        body["errors"] = errors
    response = jsonify(body | extra | {"request_id": g.get("request_id", "-")})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def _answer(status: int, detail: str = "", **more: Any) -> Response:
    if is_api_request():
        return problem(status, detail, **more)
    # Without the context of other pages, which asks the database: it may be what failed.
    page = current_app.jinja_env.get_template("layouts/error.html").render(
        title=TITLES.get(status, http.HTTPStatus(status).phrase),
        sentence=detail or DETAILS.get(status, ""),
        reference=g.get("request_id", "-"),
        status=status,
        locale_code=LANGUAGE_TAGS[language()],
    )
    return make_response(page, status)


def _sign_in(_error: SignInRequired) -> BaseResponse:
    if is_api_request():
        response = problem(401, str(_l("Send a token: Authorization: Bearer …")))
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    address = url_for("accounts.sign_in", next=target)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _forbidden(_error: Forbidden) -> Response:
    actor = current_actor()
    if not is_writing() and actor.is_signed_in:
        with transaction():
            record(
                actor, "web.access.refused", method=request.method, endpoint=request.endpoint or "-"
            )
    return _answer(403)


def _refused(refusal: Refused) -> Response:
    if is_api_request():
        return problem(
            refusal.status,
            str(refusal),
            code=refusal.code,
            errors=refusal.errors,
            **refusal.extra,
        )
    return _answer(refusal.status, str(refusal))


def _invalid(error: HTTPError) -> Response:
    """Turn APIFlask's report of wrong fields into a problem."""
    fields = error.detail if isinstance(error.detail, dict) else {}
    errors = [
        {"field": field, "message": "; ".join(messages)}
        for place in fields.values()
        if isinstance(place, dict)
        for field, messages in place.items()
    ]
    code = "invalid" if errors else None
    detail = str(_l("Some fields need mending.")) if errors else str(error.message)
    return problem(error.status_code, detail, code=code, errors=errors)


def _http(error: HTTPException) -> BaseResponse:
    if isinstance(error, CSRFError):
        return _answer(400, str(_l("The page was open too long. Reload it and send it again.")))
    if error.code is None or error.code < 400:
        return error.get_response(request.environ)
    response = _answer(error.code)
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _database_busy(error: sa.exc.SQLAlchemyError) -> Response:
    log.error("database.unavailable", error=repr(error))
    return _answer(503)


def _bug(error: Exception) -> Response:
    log.error("request.failed", error=repr(error), exc_info=error)
    return _answer(500)


def init_app(app: APIFlask) -> None:
    """Answer every failure in one of two shapes."""
    app.register_error_handler(SignInRequired, _sign_in)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(NotFound, lambda _e: _answer(404))
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(StaleDataError, lambda _e: _refused(Stale()))
    app.register_error_handler(sa.exc.OperationalError, _database_busy)
    app.register_error_handler(sa.exc.TimeoutError, _database_busy)
    app.register_error_handler(Exception, _bug)
    # Not error_processor(), which would also take every error of pages.
    app.error_callback = _invalid
