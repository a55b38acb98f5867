"""Deny by default: every endpoint names the policy that opens it, or says that it is public."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, request

from portal.foundation.actors import Actor
from portal.foundation.errors import Forbidden, NotFound, SignInRequired
from portal.foundation.web.actors import current_actor

P = ParamSpec("P")
R = TypeVar("R")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_WHILE_VIEWING = frozenset({"accounts.stop_viewing", "accounts.sign_out"})


def requires(policy: Callable[[Actor], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Open a view to signed-in actors that `policy` says yes to.

    Refuses nobody signed in (SignInRequired) and the others (Forbidden).
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = current_actor()
            if not actor.is_signed_in:
                raise SignInRequired
            if not policy(actor):
                raise Forbidden
            return view(*args, **kwargs)

        guarded.policy = policy.__module__ + "." + policy.__name__  # type: ignore[attr-defined]
        guarded.admits = policy  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Open a view to everybody, signed in or not."""
    view.policy = "public"  # type: ignore[attr-defined]
    return view


def signed_in(actor: Actor) -> bool:
    """Return whether the actor is a user; the policy of one's own profile and home."""
    return actor.is_signed_in


def authorise(policy: Callable[..., bool], *things: Any) -> None:
    """Go on when `policy(actor, *things)` says yes; refuses (Forbidden) otherwise."""
    if not policy(current_actor(), *things):
        raise Forbidden


def policy_of(view: object) -> str | None:
    """Return the name of the policy that opens a view function, None when undeclared."""
    return getattr(view, "policy", None)


def refuse_undeclared(app: Flask) -> None:
    """Answer 404 on any endpoint without a policy, and keep view-as from writing."""

    @app.before_request
    def deny_by_default() -> None:
        if request.endpoint is None:
            return
        if policy_of(current_app.view_functions[request.endpoint]) is None:
            raise NotFound
        if request.method in SAFE_METHODS or request.endpoint == "static":
            return
        if current_actor().viewing_as and request.endpoint not in OPEN_WHILE_VIEWING:
            raise Forbidden
