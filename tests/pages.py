"""How tests use pages: read the forgery token, send forms, sign in."""

from typing import Any

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "guildhall-demo"


def parsed(answer: TestResponse) -> BeautifulSoup:
    """Return a page as a tree."""
    return BeautifulSoup(answer.text, "html.parser")


def csrf_token(client: FlaskClient, path: str = "/login") -> str:
    """Return the forgery token that the page at `path` carries."""
    page = parsed(client.get(path, follow_redirects=True))
    return str(page.select_one("meta[name=csrf-token]")["content"])  # type: ignore[index]


def post(client: FlaskClient, path: str, data: dict[str, Any] | None = None) -> TestResponse:
    """Send a form as a browser does, with the forgery token; redirects are not followed."""
    return client.post(path, data={"csrf_token": csrf_token(client), **(data or {})})


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Sign in through the page."""
    return post(client, "/login", {"email": email, "password": password})
