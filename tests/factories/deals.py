"""Deals of the named cast, by the operations themselves."""

from datetime import date
from decimal import Decimal
from typing import Any

from portal.deals.models import Deal
from portal.deals.operations import drafts, steps
from portal.foundation.actors import Actor
from portal.foundation.database import transaction

LINES = [{"sku": "HX-900", "quantity": 4, "amount": Decimal("212640.00")}]
STATKRAFT: dict[str, Any] = {
    "customer_name": "Statkraft AS",
    "customer_country": "NO",
    "customer_domain": "statkraft.example",
    "customer_tax_id": "NO 987 059 699",
    "lines": LINES,
    "currency": "EUR",
    "expected_close_on": date(2027, 3, 31),
    "evidence": "Met Kari Berg on 12 November.",
}


def draft(seller: Actor, **values: Any) -> Deal:
    """Register Statkraft's spectrometers as a draft."""
    with transaction():
        return drafts.register_deal(seller, **STATKRAFT | values)


def submitted(seller: Actor, **values: Any) -> Deal:
    """Register a deal and hand it in."""
    deal = draft(seller, **values)
    with transaction():
        steps.submit_deal(seller, deal)
    return deal


def approved(seller: Actor, reviewer: Actor, **values: Any) -> Deal:
    """Register, hand in and approve a deal."""
    deal = submitted(seller, **values)
    with transaction():
        steps.approve_deal(reviewer, deal)
    return deal


def returned(seller: Actor, reviewer: Actor, **values: Any) -> Deal:
    """Register a deal, hand it in and give it back with a question."""
    deal = submitted(seller, **values)
    with transaction():
        steps.return_deal(reviewer, deal, reason="Which site is it for?")
    return deal
