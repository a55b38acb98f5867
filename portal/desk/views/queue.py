"""Deals that wait for a decision: the list at the left, one deal at the right."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.deals import policy, queries
from portal.deals.clocks import Drawn, decision_clock
from portal.deals.queries import Waiting
from portal.desk.views.base import bp
from portal.foundation.countries import country_name
from portal.foundation.errors import NotFound
from portal.foundation.i18n import _, _l
from portal.foundation.money import Money
from portal.foundation.settings import setting
from portal.foundation.steps import Look
from portal.foundation.web.actors import current_actor
from portal.foundation.web.keys import key_of
from portal.foundation.web.policies import requires
from portal.foundation.web.templating import NavItem, home, joined, navigation

navigation(
    NavItem(
        _l("Deals to review"),
        "desk.queue",
        "gavel",
        policy.may_decide,
        _l("Waiting"),
        10,
        key="q",
        count=queries.waiting_count,
    )
)
home(policy.may_decide, "desk.queue")


@dataclass(frozen=True, slots=True)
class Entry:
    """A deal as the queue draws it."""

    url: str
    title: str
    note: str
    current: bool
    clock: Drawn | None
    flag: Look | None


@bp.get("/queue")
@requires(policy.may_decide)
def queue() -> ResponseReturnValue:
    """Show what waits for a decision, the most urgent first, and one of them in full."""
    actor = current_actor()
    waiting = queries.waiting_deals(actor)
    chosen = request.args.get("deal", type=key_of)
    if chosen is None and "deal" in request.args:
        raise NotFound
    # Without a choice wide windows show the first; narrow ones have room for the list alone.
    shown = chosen or (waiting[0].id if waiting else None)
    page = queries.page_for(actor, queries.deal_for(actor, shown)) if shown else None
    count, _late = queries.waiting_count(actor)
    return render_template(
        "portal/desk/queue.html",
        entries=[_entry(one, shown) for one in waiting],
        count=count,
        page=page,
        is_preview=chosen is None,
        country_name=country_name,
    )


def _entry(one: Waiting, chosen: int | None) -> Entry:
    amount: Any = Money(one.amount, one.currency) if one.currency else None
    flag = None
    if one.has_conflict:
        flag = Look(_l("Conflict"), "triangle", "warn")
    elif one.is_tender:
        flag = Look(_l("Tender"), "bar", "neutral")
    return Entry(
        url_for("desk.queue", deal=one.id),
        one.customer_name or _("No name yet"),
        joined([one.partner_name, amount]),
        one.id == chosen,
        decision_clock(one.decide_by_at, setting("deals.decision_days")),
        flag,
    )
