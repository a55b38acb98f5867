"""Search across everything that the reader may see; slices register what they look through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for

from portal.foundation.actors import Actor
from portal.foundation.i18n import LazyText
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import requires, signed_in

bp = Blueprint("search", __name__)
MOST_HITS = 10
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: what it is called, a line that tells it from others, its page."""

    title: str
    line: str
    url: str


@dataclass(frozen=True, slots=True)
class Finder:
    """One kind of thing that can be found; `find` starts from the slice's `visible_to`."""

    label: LazyText
    policy: Callable[[Actor], bool]
    find: Callable[[Actor, str], list[Hit]]


FINDERS: list[Finder] = []


def finds(label: LazyText, policy: Callable[[Actor], bool]) -> Callable[[Any], Any]:
    """Register a function (actor, text) → at most ten hits, for actors that `policy` admits."""

    def register(find: Callable[[Actor, str], list[Hit]]) -> Callable[[Actor, str], list[Hit]]:
        FINDERS.append(Finder(label, policy, find))
        return find

    return register


def search_url(actor: Actor) -> str | None:
    """Return where the reader searches; None when there is nothing to look through."""
    return url_for("search.index") if any(one.policy(actor) for one in FINDERS) else None


@bp.get("/search")
@requires(signed_in)
def index() -> str:
    """Find things by reference, name, serial, mail or card."""
    actor = current_actor()
    text = request.args.get("q", "").strip()[:200].replace("\x00", "")
    groups = []
    if len(text) >= SHORTEST:
        for finder in FINDERS:
            hits = finder.find(actor, text)[:MOST_HITS] if finder.policy(actor) else []
            if hits:
                groups.append((finder.label, hits))
    return render_template("portal/search/list.html", text=text, groups=groups)


@bp.record_once
def offer(state: Any) -> None:
    """Let the page frames ask where to search."""
    state.app.jinja_env.globals["search_url"] = search_url
