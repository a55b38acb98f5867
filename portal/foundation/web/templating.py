"""What every template may use: the actor, the brand, navigation, assets, filters."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for
from markupsafe import Markup

from portal.foundation import i18n
from portal.foundation.actors import Actor
from portal.foundation.i18n import LazyText
from portal.foundation.settings import setting
from portal.foundation.web.actors import current_actor


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation.

    key: the letter after `g` that goes there. count: how many things wait, asked when the page is
    drawn. urgent: whether any of them is late.
    """

    label: LazyText
    endpoint: str
    icon: str
    policy: Callable[[Actor], bool]
    section: LazyText
    order: int
    key: str | None = None
    count: Callable[[Actor], tuple[int, bool]] | None = None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NavLink:
    """A navigation entry as drawn for one reader."""

    label: LazyText
    url: str
    icon: str
    count: int | None
    urgent: bool
    current: bool
    key: str | None


NAVIGATION: list[NavItem] = []
HOMES: list[tuple[Callable[[Actor], bool], str]] = []


def navigation(*items: NavItem) -> None:
    """Add a slice's entries to the navigation."""
    NAVIGATION.extend(items)
    NAVIGATION.sort(key=lambda item: item.order)


def home(policy: Callable[[Actor], bool], endpoint: str) -> None:
    """Say that actors for whom `policy` holds start at `endpoint`; the first that holds wins."""
    HOMES.append((policy, endpoint))


def home_url(actor: Actor) -> str:
    """Return where the actor's day begins."""
    for policy, endpoint in HOMES:
        if policy(actor):
            return url_for(endpoint)
    return url_for("accounts.profile")


def nav() -> list[tuple[LazyText, list[NavLink]]]:
    """Return the sections of the reader's navigation, each with its links."""
    actor = current_actor()
    sections: dict[LazyText, list[NavLink]] = {}
    for item in NAVIGATION:
        if not item.policy(actor):
            continue
        count, urgent = item.count(actor) if item.count else (None, False)
        url = url_for(item.endpoint, **item.values)
        link = NavLink(item.label, url, item.icon, count, urgent, request.path == url, item.key)
        sections.setdefault(item.section, []).append(link)
    return list(sections.items())


@dataclass(frozen=True, slots=True)
class Brand:
    """The product's and the vendor's name."""

    name: str
    vendor: str


def layout() -> str:
    """Return the page frame that fits the reader."""
    actor = current_actor()
    if not actor.is_signed_in:
        return "layouts/public.html"
    if actor.is_staff:
        return "layouts/desk.html"
    if actor.roles == {"technician"}:
        return "layouts/bench.html"
    return "layouts/portal.html" if actor.tenant_id is not None else "layouts/club.html"


@lru_cache(maxsize=256)
def _fingerprint(root: str, name: str) -> str:
    return hashlib.sha256((Path(root) / "static" / name).read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """Return the address of a static file, with a fingerprint so that it is cached for good."""
    return url_for("static", filename=name, v=_fingerprint(current_app.config["ROOT"], name))


def _day(value: date | None) -> str | Markup:
    if value is None:
        return "–"
    markup = Markup('<time datetime="{}" title="{}">{}</time>')
    return markup.format(value.isoformat(), i18n.long_day_text(value), i18n.day_text(value))


def _time(value: datetime | None, write: Callable[[datetime], str]) -> str | Markup:
    if value is None:
        return "–"
    title = f"{i18n.instant_text(value)} ({i18n.zone()})"
    markup = Markup('<time datetime="{}" title="{}">{}</time>')
    return markup.format(value.isoformat(), title, write(value))


def _number(value: int | Decimal | float | None) -> str:
    return "–" if value is None else i18n.number_text(value)


def init_app(app: Flask) -> None:
    """Give the templates of `app` their globals and filters."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        money=lambda value: "–" if value is None else str(value),
        number=_number,
        points=_number,
        day=_day,
        instant=lambda value: _time(value, i18n.instant_text),
        ago=lambda value: _time(value, i18n.ago_text),
    )
    app.jinja_env.globals.update(nav=nav, layout=layout, asset=asset, home_url=home_url)

    @app.context_processor
    def per_request() -> dict[str, Any]:
        tag = i18n.LANGUAGE_TAGS[i18n.language()]
        brand = Brand("Guildhall", str(setting("vendor.name")))
        return {"actor": current_actor(), "brand": brand, "locale_code": tag}


def joined(parts: Iterable[object], separator: str = " · ") -> str:
    """Return the parts that are not empty, joined."""
    return separator.join(str(part) for part in parts if part)
