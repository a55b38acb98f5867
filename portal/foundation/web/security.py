"""Headers, cookies, body limits, origin checks and safe redirects."""

import hmac
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_wtf import CSRFProtect
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from portal.foundation.origin import set_origin
from portal.foundation.web.actors import is_api_request
from portal.foundation.web.keys import KeyConverter
from portal.foundation.web.policies import SAFE_METHODS

MOST_BODY = 12 * 1024 * 1024
MOST_FORM = 2 * 1024 * 1024
MOST_PARTS = 1_000
MOST_QUERY = 8_000

csrf = CSRFProtect()
_request_id = re.compile(r"[A-Za-z0-9-]{8,40}")
_unsafe_path = re.compile(r"[\s\x00-\x20\x7f-\xa0\\]")


def init_app(app: Flask) -> None:
    """Guard every request and set headers on every answer.

    Comes before whatever else looks at requests: errors and logs need the request's id.
    """
    https = app.config["BASE_URL"].startswith("https://")
    app.url_map.converters["int"] = KeyConverter
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BODY,
        MAX_FORM_MEMORY_SIZE=MOST_FORM,
        MAX_FORM_PARTS=MOST_PARTS,
        SESSION_COOKIE_NAME="__Host-guildhall" if https else "guildhall",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    if app.config["TRUSTED_PROXIES"]:
        hops = app.config["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_headers(https))


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _request_id.fullmatch(given) else secrets.token_hex(8)
    set_origin((request.remote_addr or "")[:45], g.request_id)
    if len(request.query_string) > MOST_QUERY or "\x00" in request.path:
        raise BadRequest
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = MOST_FORM  # such a form is read as a whole
    if request.method not in SAFE_METHODS and not is_api_request():
        _check_origin()


def _check_origin() -> None:
    """Refuse an unsafe request that a browser says comes from another site."""
    origin = request.headers.get("Origin")
    if not origin:
        return
    allowed = {urlsplit(current_app.config["BASE_URL"]).netloc, request.host}
    try:
        sender = urlsplit(origin).netloc
    except ValueError:  # half of an IPv6 address
        raise BadRequest from None
    if sender not in allowed:
        raise BadRequest


def _headers(https: bool) -> Callable[[Response], Response]:
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .img_src("'self'", "data:", "blob:")
        .object_src("'none'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
    )
    standard = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().camera("self").geolocation().microphone(),
        referrer=ReferrerPolicy().strict_origin_when_cross_origin(),
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if https else None,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    headers = dict(standard.headers)

    def set_headers(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect):
            # The router builds the address from the Host header.
            target = urlsplit(response.headers.get("Location", ""))
            response.headers["Location"] = target._replace(scheme="", netloc="").geturl()
            response.set_data(b"")
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = g.get("request_id", "-")
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return set_headers


def safe_path(target: str | None) -> str | None:
    """Return `target` when it is a path of this site, otherwise None.

    Refuses schemes, hosts, //, backslashes, control characters and white space, also when they
    are percent-encoded at the start.
    """
    if not target or len(target) > 2_000 or _unsafe_path.search(target):
        return None
    if not target.startswith("/") or target.startswith("//"):
        return None
    if re.match(r"/+(%2f|%5c|%0|%1|%20|%7f)", target, re.IGNORECASE):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
