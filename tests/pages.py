"""How tests use pages: read the forgery token, send forms, sign in."""

from typing import Any

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "guildhall-demo"


def parsed(answer: TestResponse) -> BeautifulSoup:
    """Return a page as a tree."""
    return BeautifulSoup(answer.text, "html.parser")


def part(answer: TestResponse, selector: str) -> Tag:
    """Return the first element of a page that a CSS selector names; fails when there is none."""
    found = parsed(answer).select_one(selector)
    assert found is not None, f"no {selector} on the page"
    return found


def csrf_token(client: FlaskClient, path: str = "/login") -> str:
    """Return the forgery token that the page at `path` carries."""
    page = client.get(path, follow_redirects=True)
    return str(part(page, "meta[name=csrf-token]")["content"])


def post(client: FlaskClient, path: str, data: dict[str, Any] | None = None) -> TestResponse:
    """Send a form as a browser does, with the forgery token; redirects are not followed."""
    return client.post(path, data={"csrf_token": csrf_token(client), **(data or {})})


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Sign in through the page."""
    return post(client, "/login", {"email": email, "password": password})
