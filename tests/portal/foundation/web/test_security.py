"""Headers, cookies, origins, limits, addresses, and paths that a redirect may lead to."""

import re
import string
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.foundation.database import db
from portal.foundation.web.security import MOST_BODY, MOST_FORM, MOST_PARTS, safe_path
from tests.portal.foundation.web.conftest import fields_of

HOSTILE_PATHS = [
    "", " ", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil",
    "/\\/evil.example", "http://evil.example", "https:evil.example", "//evil.example/%2f..",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "evil.example", "./x", "../x",
    "/%09/evil.example", "/%2f/evil.example", "/%2F%2Fevil.example", "/%5cevil.example",
    "/%5C/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "\t//evil",
    "/\x00", "\x00/", "/ /evil.example", "/%0d%0aSet-Cookie:a=b", "/%00/evil", "/%20/evil",
    "//evil.example@guildhall.example", "/\u2028/x", "/\u3000/x", "/\x85/x", "/\xa0/x", "?next=/x",
    "#x", "/" + "a" * 2_000, "///", "//", "/%7f", "\ufeff//evil.example", "http:///evil.example",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_path_elsewhere_is_no_path(path: str):
    assert safe_path(path) is None


@pytest.mark.parametrize(
    "path",
    ["/", "/deals", "/deals/7?order=-name&after=x#top", "/a//b", "/%E4%B8%AD", "/中/文", "/a:b"],
)
def test_a_path_of_this_site_is_kept(path: str):
    assert safe_path(path) == path


LETTERS = st.sampled_from(
    [*string.printable, "%2f", "%5c", "%09", "%0a", "//", "\\", "evil.example", "中"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(LETTERS, max_size=12).map("".join) | st.text(max_size=20))
def test_whatever_is_kept_stays_on_this_site(text: str):
    kept = safe_path(text)
    if kept is None:
        return
    # As browsers read it: tabs and line ends dropped, backslashes as slashes.
    read = re.sub(r"[\t\r\n]", "", kept).replace("\\", "/").strip()
    target = urlsplit(urljoin("https://guildhall.example/login", read))
    assert (target.scheme, target.netloc) == ("https", "guildhall.example")


PAGES = [
    "/login",
    "/nowhere",
    "/samples/broken/bug",
    "/healthz",
    "/api/v1/openapi.json",
    "/api/v1/x",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(client: FlaskClient, path: str):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    for rule in (
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
        "frame-ancestors 'none'",
    ):  # fmt: skip
        assert rule in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers
    assert "Strict-Transport-Security" not in headers
    assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("given_id", "is_kept"),
    [
        ("abcd-1234-EF", True),
        ("short", False),
        ("a" * 41, False),
        ("spaced out id", False),
        ("<script>1", False),
    ],
)
def test_a_request_keeps_the_id_of_the_proxy_when_it_is_one(client, given_id: str, is_kept: bool):
    for path in ("/nowhere", "/login"):
        found = client.get(path, headers={"X-Request-ID": given_id}).headers["X-Request-ID"]
        assert (found == given_id) is is_kept


def test_a_refused_form_names_its_reference(client: FlaskClient):
    answer = client.post("/login", data={"email": "x"})
    assert answer.status_code == 400
    assert answer.headers["X-Request-ID"] in answer.text


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 303), ("http://localhost", 303), ("http://127.0.0.1:8000", 303), ("null", 400),
        ("http://evil.example", 400), ("http://localhost.evil.example", 400),
        ("http://localhost:81", 400), ("x", 400), ("http://[", 400),
        ("http://[::1]@localhost", 400),
    ],
)  # fmt: skip
def test_a_form_from_another_site_is_refused(browser: FlaskClient, rows, origin, status: int):
    data = fields_of(browser.get("/samples/new")) | {"name": "N"}
    headers = {} if origin is None else {"Origin": origin}
    assert browser.post("/samples/new", data=data, headers=headers).status_code == status
    assert len(rows()) == (status == 303)


def test_cookies_are_bound_to_the_host_when_served_by_https(fresh_app):
    app = fresh_app(BASE_URL="https://guildhall.example")
    answer = app.test_client().get("/login", base_url="https://guildhall.example")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-guildhall=")
        for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_cookies_over_http_are_shut_to_scripts(client: FlaskClient):
    (cookie,) = client.get("/login").headers.getlist("Set-Cookie")
    assert cookie.startswith("guildhall=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


@pytest.mark.parametrize("path", ["/samples/upload", "/api/v1/samples"])
def test_a_body_too_large_is_refused_in_the_shape_that_was_asked(client, browser, bearer, path):
    client = client if path.startswith("/api") else browser
    headers = bearer if path.startswith("/api") else {}
    data = b'{"name": "' + b"a" * MOST_BODY + b'"}'
    answer = client.post(path, data=data, headers=headers, content_type="application/json")
    assert answer.status_code == 413
    expected = "application/problem+json" if path.startswith("/api") else "text/html"
    assert answer.content_type.startswith(expected)
    assert answer.headers["X-Request-ID"] in answer.text


PART = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n%b\r\n'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PART % (b"a" * (MOST_FORM + 1)) + b"--b--", "multipart/form-data; boundary=b"),
        (PART % b"a" * (MOST_PARTS + 1) + b"--b--", "multipart/form-data; boundary=b"),
        (b"name=" + b"a" * MOST_FORM, "application/x-www-form-urlencoded"),
    ],
)
def test_a_form_with_too_much_in_it_is_refused(browser: FlaskClient, data: bytes, kind: str):
    answer = browser.post("/samples/new", data=data, content_type=kind)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/login?q=" + "a" * 9_000, "/login%00", "/%00"])
def test_an_address_that_nobody_types_is_refused(client: FlaskClient, path: str):
    assert client.get(path).status_code in {400, 404}


def address_seen(app: Flask, client: FlaskClient, headers: dict[str, str]) -> str:
    client.get("/samples/origin", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    with app.app_context():
        query = "SELECT address FROM audit_entries ORDER BY id DESC LIMIT 1"
        return str(db.session.connection().exec_driver_sql(query).scalar())


FORWARDED = {
    "X-Forwarded-For": "203.0.113.7, 198.51.100.4",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.8",
    "X-Real-IP": "203.0.113.9",
}


def test_a_forwarded_address_counts_only_from_trusted_proxies(app: Flask, client, fresh_app):
    assert address_seen(app, client, FORWARDED) == "192.0.2.9"
    from_proxy = fresh_app(TRUSTED_PROXIES="1")
    seen: list[tuple[str | None, str]] = []
    from_proxy.before_request(lambda: seen.append((request.remote_addr, request.host)))
    from_proxy.test_client().get(
        "/healthz", headers=FORWARDED, environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )
    assert seen == [("198.51.100.4", "localhost")]


@pytest.mark.parametrize("path", ["/samples", "/login"])
def test_an_address_is_never_built_from_the_host_header(client: FlaskClient, path: str):
    answer = client.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers.get("Location", "") + answer.text


def test_an_endpoint_without_a_policy_is_not_there(browser: FlaskClient):
    assert browser.get("/samples/undeclared").status_code == 404


def test_nobody_signed_in_is_sent_to_sign_in_and_back(client: FlaskClient):
    answer = client.get("/samples/?order=-name")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=/samples/?order%3D-name"
    partial = client.get("/samples/", headers={"HX-Request": "true"})
    assert (partial.status_code, partial.headers["HX-Redirect"]) == (401, "/login?next=/samples/")
    assert client.post("/samples/new").status_code in {303, 400}
