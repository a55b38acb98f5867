"""Registering, editing and deleting drafts, and answering a reviewer."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm.attributes import flag_modified

from portal.accounts.queries import ACTIVE_PARTNER_STATES
from portal.customers.queries import keys_of
from portal.deals import queries
from portal.deals.errors import DealLocked, NotADraft
from portal.deals.facts import DealRegistered
from portal.deals.models import (
    EDITABLE,
    Deal,
    DealLine,
    DealSource,
    DealState,
    family_key,
)
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import changed, record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused
from portal.foundation.facts import announce
from portal.foundation.i18n import _l
from portal.foundation.money import LARGEST
from portal.foundation.settings import setting
from portal.partners.models import Partner
from portal.partners.queries import partner_by_reference, partner_for
from portal.products.models import sku_key
from portal.products.queries import known_families, products_by_sku


def register_deal(
    actor: Actor,
    *,
    partner: str | None = None,
    customer_name: str | None = None,
    customer_country: str | None = None,
    customer_domain: str | None = None,
    customer_tax_id: str | None = None,
    lines: Iterable[Mapping[str, Any]] = (),
    currency: str | None = None,
    expected_close_on: date | None = None,
    source: DealSource | str | None = None,
    is_tender: bool = False,
    evidence: str | None = None,
) -> Deal:
    """Begin a draft, with anything or nothing filled in.

    partner: a reference; the actor's own when None. lines: each with sku or family, quantity and
    amount. Refuses a partner that the actor may not see or that may not act.
    """
    owner = _owner(actor, partner)
    now = clock.now()
    deal = Deal(
        reference="~" + secrets.token_hex(16),
        partner_id=owner.id,
        status=DealState.DRAFT,
        registered_by_id=actor.user_id,
        registered_on=clock.local_date(now, setting("vendor.zone")),
        created_at=now,
    )
    _fill(
        deal,
        customer_name=customer_name,
        customer_country=customer_country,
        customer_domain=customer_domain,
        customer_tax_id=customer_tax_id,
        currency=currency or setting("vendor.currency"),
        expected_close_on=expected_close_on,
        source=DealSource(source or DealSource.OWN),
        is_tender=is_tender,
        evidence=evidence,
    )
    _set_lines(deal, lines)
    db.session.add(deal)
    db.session.flush()  # the reference is made of the key
    deal.reference = _reference(deal)
    record(actor, "deals.deal.registered", deal)
    announce(DealRegistered(deal.id, deal.reference, deal.partner_id))
    return deal


def _owner(actor: Actor, reference: str | None) -> Partner:
    if reference:
        owner = partner_by_reference(actor, reference)
        if owner is None:
            raise Refused(_l("There is no partner with this reference."), field="partner")
    elif actor.tenant_id is None:
        raise Refused(_l("Say which partner this deal is for."), field="partner")
    else:
        owner = partner_for(actor, actor.tenant_id)
    if owner.status.value not in ACTIVE_PARTNER_STATES:
        raise Refused(_l("This partner may not register deals at present."), field="partner")
    return owner


def _reference(deal: Deal) -> str:
    wanted = f"D-{deal.registered_on.year}-{deal.id:05d}"
    # A file may have brought this reference from another house.
    taken = 1
    while not queries.is_reference_free(wanted):
        taken += 1
        wanted = f"D-{deal.registered_on.year}-{deal.id:05d}-{taken}"
    return wanted


def change_deal(
    actor: Actor, deal: Deal, *, lines: Iterable[Mapping[str, Any]] = (), **values: Any
) -> None:
    """Change a draft: the parameters of `register_deal` but the partner.

    Refuses (DealLocked) a deal that was submitted.
    """
    lock(deal)
    if deal.status not in EDITABLE:
        raise DealLocked
    values["source"] = DealSource(values.get("source") or DealSource.OWN)
    values["currency"] = values.get("currency") or deal.currency
    before = deal.amount
    differences = _fill(deal, **values)
    _set_lines(deal, lines)
    if deal.amount != before:
        differences["amount"] = (before, deal.amount)
    flag_modified(deal, "amount")  # counts as a change also where only a line differs
    record(actor, "deals.deal.changed", deal, **differences)


def answer_reviewer(
    actor: Actor, deal: Deal, *, evidence: str | None, expected_close_on: date | None
) -> None:
    """Add what the reviewer asked for to a returned deal; its place among others is kept.

    Refuses (DealLocked) in any other state.
    """
    lock(deal)
    if deal.status is not DealState.RETURNED:
        raise DealLocked
    differences = changed(deal, evidence=evidence, expected_close_on=expected_close_on)
    record(actor, "deals.deal.answered", deal, **differences)


def delete_draft(actor: Actor, deal: Deal) -> None:
    """Delete a draft with its lines; refuses (NotADraft) anything that was ever submitted."""
    lock(deal)
    if deal.status is not DealState.DRAFT:
        raise NotADraft
    record(actor, "deals.deal.deleted", deal, reference=deal.reference)
    db.session.delete(deal)


def _fill(deal: Deal, **values: Any) -> dict[str, tuple[object, object]]:
    """Set a draft's own fields and what conflicts compare of them; return what changed."""
    values["customer_name"] = values.get("customer_name") or ""
    differences = changed(deal, **values)
    keys = keys_of(
        deal.customer_name, deal.customer_country, deal.customer_domain, deal.customer_tax_id
    )
    deal.customer_name_key, deal.customer_domain_key = keys.name, keys.domain
    deal.customer_tax_key = keys.tax_id
    return differences


def _set_lines(deal: Deal, given: Iterable[Mapping[str, Any]]) -> None:
    """Replace the lines by those given, leaving out empty ones, and add up the amount.

    A text that is no article number but names a family of the price list means the family.
    """
    wanted = [line for line in given if any(line.get(key) for key in ("sku", "family", "amount"))]
    products = products_by_sku(line["sku"] for line in wanted if line.get("sku"))
    families = known_families() if len(products) < len(wanted) else {}
    made = []
    for position, line in enumerate(wanted, start=1):
        sku, family = line.get("sku") or None, line.get("family") or None
        product = products.get(sku_key(sku)) if sku else None
        if product is not None:
            sku, family = product.sku, product.family or family
        elif sku is not None and family is None:
            family = families.get(sku.casefold())
            sku = None if family else sku
        made.append(
            DealLine(
                position=position,
                product_id=product.id if product else None,
                sku=sku,
                family=family,
                family_key=family_key(family or sku or ""),
                quantity=line.get("quantity") or 1,
                amount=line.get("amount") or Decimal(0),
            )
        )
    total = sum((line.amount for line in made), Decimal(0))
    if total > LARGEST:
        raise Refused(_l("This amount is out of range."), field="lines")
    if deal.lines:
        deal.lines.clear()
        db.session.flush()  # the old ones' places are free before the new ones take them
    deal.lines = made
    deal.amount = total
