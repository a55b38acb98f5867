"""Who asks: Flask-Login for pages, a bearer token for the API."""

from collections.abc import Callable
from typing import cast

from flask import g, request
from flask_login import LoginManager, current_user

from portal.foundation.actors import ANONYMOUS, Actor

API_PREFIX = "/api/"

login = LoginManager()
login.anonymous_user = lambda: ANONYMOUS
login.session_protection = None
_token_loaders: list[Callable[[str], Actor | None]] = []


def load_tokens_with(loader: Callable[[str], Actor | None]) -> Callable[[str], Actor | None]:
    """Register the function that turns a bearer token into its user."""
    _token_loaders.append(loader)
    return loader


def is_api_request() -> bool:
    """Return whether the request is for the API, which answers problems and reads tokens only."""
    return request.path.startswith(API_PREFIX)


def current_actor() -> Actor:
    """Return who asks; ANONYMOUS when nobody is signed in."""
    if is_api_request():
        if "api_actor" not in g:
            g.api_actor = _token_actor()
        return cast(Actor, g.api_actor)
    return cast(Actor, current_user._get_current_object())


def _token_actor() -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        for loader in _token_loaders:
            actor = loader(token.strip())
            if actor is not None:
                return actor
    return ANONYMOUS
