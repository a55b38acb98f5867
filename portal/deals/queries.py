"""Reads of deals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import Role, User
from portal.accounts.queries import user_ids_with_role, wants_mail
from portal.deals import policy
from portal.deals.clocks import Drawn, decision_clock, protection_clock
from portal.deals.conflicts import Conflict, claim_of, conflicts_of
from portal.deals.facts import NOTICE, STAFF_ONLY
from portal.deals.models import (
    DEAL_STEPS,
    IS_APPROVED,
    IS_WAITING,
    REMINDER_DAYS,
    SOURCE_LABELS,
    WAITING,
    Deal,
    DealLine,
    DealState,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import TimelineEntry, timeline
from portal.foundation.database import db, starting_with
from portal.foundation.errors import NotFound
from portal.foundation.i18n import LazyText
from portal.foundation.money import Money
from portal.foundation.settings import setting
from portal.foundation.steps import Look, Step
from portal.partners.models import Partner

MOST_IN_QUEUE = 100
MOST_COUNTED = 1_000


def visible_deals(actor: Actor) -> sa.Select[Deal]:
    """Return the select of the deals that the actor may see."""
    return sa.select(Deal).where(policy.visible_to(actor))


def deal_for(actor: Actor, deal_id: int) -> Deal:
    """Return a deal; refuses (NotFound) one that the actor may not see."""
    found = db.session.scalar(visible_deals(actor).where(Deal.id == deal_id))
    if found is None:
        raise NotFound
    return found


def deal_by_reference(actor: Actor, reference: str) -> Deal:
    """Return a deal; refuses (NotFound) one that the actor may not see."""
    found = db.session.scalar(visible_deals(actor).where(Deal.reference == reference))
    if found is None:
        raise NotFound
    return found


def deals_by_reference(references: Iterable[str]) -> dict[str, Deal]:
    """Return those deals that exist, by reference, held until the transaction ends."""
    select = sa.select(Deal).where(Deal.reference.in_(set(references)))
    select = select.order_by(Deal.id).with_for_update()
    found = db.session.scalars(select, execution_options={"populate_existing": True})
    return {deal.reference: deal for deal in found}


def partner_of(deal: Deal) -> Partner:
    """Return whose deal it is."""
    return db.session.get_one(Partner, deal.partner_id)


def partner_references(deals: Iterable[Deal]) -> dict[int, str]:
    """Return the references of the deals' partners by key, in one query."""
    ids = {deal.partner_id for deal in deals}
    columns = sa.select(Partner.id, Partner.reference).where(Partner.id.in_(ids))
    return dict(db.session.execute(columns).all()) if ids else {}


def is_reference_free(reference: str) -> bool:
    """Return whether no deal has this reference."""
    return db.session.scalar(sa.select(Deal.id).where(Deal.reference == reference)) is None


def steps_for(actor: Actor, deal: Deal) -> list[Step[DealState]]:
    """Return the steps that the actor may take with a deal as it is now."""
    return [
        step
        for step in DEAL_STEPS.open_steps(deal.status)
        if step.name in policy.STEP_POLICIES and policy.STEP_POLICIES[step.name](actor, deal)
    ]


def timeline_for(actor: Actor, deal: Deal) -> list[TimelineEntry]:
    """Return what happened to a deal; nothing about others' deals for partners."""
    return timeline(deal, without=() if policy.may_see_conflicts(actor) else STAFF_ONLY)


def conflicts_for(actor: Actor, deal: Deal) -> list[Conflict]:
    """Return the deals that compete with one under decision; none for partners."""
    if not policy.may_see_conflicts(actor) or deal.status not in WAITING:
        return []
    return conflicts_of(claim_of(deal))


def notice_of(deal: Deal) -> str | None:
    """Return all that a partner ever learns of a conflict, while the deal is under review."""
    return "possible_conflict" if deal.has_conflict and deal.status in WAITING else None


@dataclass(frozen=True, slots=True)
class DealPage:
    """Everything that a deal's page shows one reader.

    steps: those the reader may take. conflicts: staff's alone. decision, protection: clocks.
    """

    deal: Deal
    partner: Partner
    steps: list[Step[DealState]]
    conflicts: list[Conflict]
    notice: str | None
    entries: list[TimelineEntry]
    decision: Drawn | None
    protection: Drawn | None
    may_change: bool

    @property
    def state(self) -> Look:
        """Return how the deal's state is drawn."""
        return DEAL_STEPS.look(self.deal.status)

    @property
    def source(self) -> LazyText:
        """Return how the partner came to it, in words."""
        return SOURCE_LABELS[self.deal.source]

    @property
    def amount(self) -> Money | None:
        """Return what the deal is worth; None in a draft without a currency."""
        return self.worth(self.deal.amount)

    def worth(self, amount: Decimal) -> Money | None:
        """Return an amount of the deal with its currency; None in a draft without one."""
        return Money(amount, self.deal.currency) if self.deal.currency else None


def page_for(actor: Actor, deal: Deal) -> DealPage:
    """Return what `actor` is shown of a deal that is visible to them."""
    is_protected = deal.status is DealState.APPROVED
    days = setting("deals.decision_days")
    return DealPage(
        deal=deal,
        partner=partner_of(deal),
        steps=steps_for(actor, deal),
        conflicts=conflicts_for(actor, deal),
        notice=None if policy.may_see_conflicts(actor) else notice_of(deal),
        entries=timeline_for(actor, deal),
        decision=decision_clock(deal.decide_by_at, days) if deal.status in WAITING else None,
        protection=protection_clock(
            deal.protected_until, deal.protection_ends_at, deal.protection_days
        )
        if is_protected
        else None,
        may_change=policy.may_change(actor, deal),
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is told by mail."""

    email: str
    name: str
    language: str | None = None
    zone: str = "UTC"
    user_id: int | None = None


def _reader(user: User) -> Reader:
    return Reader(user.email, user.name, user.language, user.zone, user.id)


def readers_of(deal: Deal) -> list[Reader]:
    """Return whom to tell about a deal: who registered it, else the partner's own address."""
    partner = partner_of(deal)
    user = db.session.get(User, deal.registered_by_id) if deal.registered_by_id else None
    if user is not None and user.is_active and user.partner_id == partner.id:
        return [_reader(user)] if wants_mail(user, NOTICE) else []
    return [Reader(partner.email, partner.name, None, partner.zone)] if partner.email else []


def reviewers() -> list[Reader]:
    """Return the channel managers who take mail about deals."""
    users = db.session.scalars(
        sa.select(User).where(User.id.in_(user_ids_with_role(Role.CHANNEL_MANAGER)))
    )
    return [_reader(user) for user in users if wants_mail(user, NOTICE)]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deal in the review queue."""

    id: int
    reference: str
    customer_name: str
    partner_name: str
    amount: Any
    currency: str | None
    submitted_at: datetime
    decide_by_at: datetime
    has_conflict: bool
    is_tender: bool


def waiting_deals(actor: Actor) -> list[Waiting]:
    """Return the first hundred deals that wait for a decision, the most urgent first."""
    columns = (
        Deal.id,
        Deal.reference,
        Deal.customer_name,
        Partner.name,
        Deal.amount,
        Deal.currency,
        Deal.submitted_at,
        Deal.decide_by_at,
        Deal.has_conflict,
        Deal.is_tender,
    )
    select = (
        sa.select(*columns)
        .join(Partner, Partner.id == Deal.partner_id)
        .where(policy.visible_to(actor), IS_WAITING)
        .order_by(Deal.decide_by_at, Deal.id)
        .limit(MOST_IN_QUEUE)
    )
    return [Waiting(*tuple(row)) for row in db.session.execute(select)]


def waiting_count(actor: Actor) -> tuple[int, bool]:
    """Return how many deals wait for a decision, at most 1,000, and whether any is late."""
    if not policy.may_decide(actor):
        return 0, False
    waiting = sa.select(Deal.id).where(IS_WAITING).limit(MOST_COUNTED).subquery()
    is_late = sa.exists().where(IS_WAITING, Deal.decide_by_at <= clock.now())
    count, late = db.session.execute(
        sa.select(sa.select(sa.func.count()).select_from(waiting).scalar_subquery(), is_late)
    ).one()
    return count, bool(late)


def returned_count(actor: Actor) -> tuple[int, bool]:
    """Return how many deals wait for the partner's answer."""
    if policy.may_decide(actor):
        return 0, False
    select = sa.select(sa.func.count()).where(
        policy.visible_to(actor), Deal.status == DealState.RETURNED
    )
    return db.session.scalar(select) or 0, False


def expired_ids(now: datetime, limit: int = 500) -> list[int]:
    """Return approved deals whose protection was over at `now`, the longest first."""
    select = (
        sa.select(Deal.id)
        .where(IS_APPROVED, Deal.protection_ends_at <= now)
        .order_by(Deal.protection_ends_at, Deal.id)
        .limit(limit)
    )
    return list(db.session.scalars(select))


def ids_to_remind(now: datetime, after: int = 0, limit: int = 500) -> list[int]:
    """Return deals, by key and after one, whose next reminder is due at `now`."""
    due = []
    for days in REMINDER_DAYS:
        nearer = sa.or_(Deal.reminded_days.is_(None), Deal.reminded_days > days)
        soon = Deal.protection_ends_at <= now + timedelta(days=days)
        # A protection that was shorter from the start has no reminder of that length.
        was_longer = Deal.protection_days > days
        due.append(sa.and_(nearer, soon, was_longer))
    select = (
        sa.select(Deal.id)
        .where(IS_APPROVED, Deal.protection_ends_at > now, Deal.id > after, sa.or_(*due))
        .order_by(Deal.id)
        .limit(limit)
    )
    return list(db.session.scalars(select))


def rows_for_export() -> Iterator[dict[str, Any]]:
    """Yield every deal by the columns of its file, in the order of references.

    The product of a deal with several lines is its first. Drafts without a currency are left out:
    no file could bring them back.
    """
    first = (
        sa.select(sa.func.coalesce(DealLine.sku, DealLine.family))
        .where(DealLine.deal_id == Deal.id, DealLine.position == 1)
        .scalar_subquery()
    )
    columns = (
        Deal.reference,
        Partner.reference.label("partner"),
        Deal.customer_name,
        Deal.amount,
        Deal.currency,
        Deal.customer_country,
        Deal.customer_domain,
        Deal.customer_tax_id,
        first.label("product"),
        Deal.status.label("stage"),
        Deal.owner_email,
        Deal.registered_on,
        Deal.expected_close_on,
        Deal.closed_on,
    )
    has_currency = Deal.currency.is_not(None)
    select = sa.select(*columns).join(Partner).where(has_currency).order_by(Deal.reference)
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        yield dict(row._mapping)


def deals_found(actor: Actor, text: str) -> list[Deal]:
    """Return at most ten deals by how the reference or the customer's name starts."""
    starts = sa.or_(
        starting_with(Deal.reference, text.upper()), starting_with(Deal.customer_name, text)
    )
    select = visible_deals(actor).where(starts).order_by(Deal.id.desc())
    return list(db.session.scalars(select.limit(10)))
