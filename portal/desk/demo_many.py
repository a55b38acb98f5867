"""Large sets of partners and deals, written in bulk by the rules that single ones follow."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa

from portal.customers.operations import add_customers
from portal.customers.queries import CustomerKeys, keys_of
from portal.deals.models import Deal, DealLine, DealSource, DealState, family_key
from portal.desk.demo_words import PRODUCTS
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import record_many
from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import Context, Row
from portal.foundation.settings import setting
from portal.partners.imports import PartnerImport
from portal.partners.models import Partner, PartnerKind, PartnerState
from portal.products import operations as products
from portal.products.models import Product

DEALS = cast(sa.Table, Deal.__table__)
LINES = cast(sa.Table, DealLine.__table__)
BATCH = 2_000
SEED = 9173
PLACES = (("NO", "Oslo"), ("SE", "Malmö"), ("DE", "Essen"), ("NL", "Rotterdam"), ("CN", "上海"))
TRADES = ("Instruments", "Messtechnik", "Laboratory Supply", "仪器", "Analytics")
BUYERS = ("Waterworks", "Hospital", "University", "Brewery", "Refinery", "检测中心")
# How many of a hundred deals stand where; those that wait are few, as on a well-kept desk.
SHARES = {
    DealState.DRAFT: 8,
    DealState.SUBMITTED: 1,
    DealState.IN_REVIEW: 1,
    DealState.RETURNED: 2,
    DealState.APPROVED: 18,
    DealState.WON: 26,
    DealState.LOST: 16,
    DealState.EXPIRED: 14,
    DealState.WITHDRAWN: 5,
    DealState.REVOKED: 1,
    DealState.REJECTED: 8,
}
# Those that were protected at some time, and those whose days ended in a decision of the vendor.
WERE_PROTECTED = {
    DealState.APPROVED,
    DealState.WON,
    DealState.LOST,
    DealState.EXPIRED,
    DealState.REVOKED,
}
WAIT = {DealState.SUBMITTED, DealState.IN_REVIEW}


def _batches(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, BATCH):
        yield range(start, min(start + BATCH, first + count))


def add_many_partners(count: int) -> int:
    """Add partners as a file would bring them; return how many."""
    first = (db.session.scalar(sa.select(sa.func.max(Partner.id))) or 0) + 1
    kinds = list(PartnerKind)
    for numbers in _batches(first, count):
        rows = []
        for number in numbers:
            country, city = PLACES[number % len(PLACES)]
            values = {
                "reference": f"S-{number:06d}",
                "name": f"{city} {TRADES[number // 5 % len(TRADES)]} {number}",
                "kind": kinds[number % len(kinds)],
                "country": country,
                "city": city,
                "domain": f"partner{number}.example",
                "email": f"office@partner{number}.example",
                "status": PartnerState.ACTIVE,
            }
            empty = dict.fromkeys(("tax_id", "tier", "latitude", "longitude"))
            rows.append(Row(number, values | empty, []))
        with transaction():
            PartnerImport(SYSTEM, Context()).apply(rows)
    return count


def add_many_deals(count: int) -> int:
    """Add deals in every state, two for each customer, never two for the same family."""
    _see_to_products()
    sellers = _sellers()
    if not sellers:
        add_many_partners(20)
        sellers = _sellers()
    first = (db.session.scalar(sa.select(sa.func.max(Deal.id))) or 0) + 1
    maker = _Maker(sellers)
    for numbers in _batches(first, count):
        with transaction():
            maker.add(numbers)
    return count


def _sellers() -> list[int]:
    sells = Partner.kind != PartnerKind.REPAIR_STATION
    select = sa.select(Partner.id).where(sells, Partner.status == PartnerState.ACTIVE)
    return list(db.session.scalars(select.order_by(Partner.id).limit(20_000)))


def _see_to_products() -> None:
    known = set(db.session.scalars(sa.select(Product.sku)))
    with transaction():
        for sku, name, family, price, months in PRODUCTS:
            if sku not in known:
                products.add_product(
                    SYSTEM,
                    sku=sku,
                    name=name,
                    family=family,
                    category=family,
                    list_price=Decimal(price),
                    currency="EUR",
                    warranty_months=months,
                )


class _Maker:
    """Makes rows of deals as they came about up to now."""

    def __init__(self, sellers: list[int]) -> None:
        self.dice = random.Random(SEED)  # noqa: S311 - the same set each time
        self.sellers = sellers
        self.now = clock.now()
        self.zone: str = setting("vendor.zone")
        self.protection_days: int = setting("deals.protection_days")
        self.decision_days: int = setting("deals.decision_days")
        self.states = self.dice.choices(list(SHARES), list(SHARES.values()), k=10_007)
        wanted = [sku for sku, *_rest in PRODUCTS]
        select = sa.select(Product.sku, Product.id, Product.family).where(Product.sku.in_(wanted))
        self.products = sorted(tuple(row) for row in db.session.execute(select))

    def add(self, numbers: range) -> None:
        """Write the deals of these numbers with customers, lines and audit."""
        buyers = {number: self._customer(number // 2) for number in numbers}
        rows = [self._row(number, *buyers[number]) for number in numbers]
        both = list(zip(rows, buyers.values(), strict=True))
        known: list[tuple[CustomerKeys, str, str | None]] = [
            (keys, name, None) for row, (keys, name) in both if row["submitted_at"]
        ]
        ids = add_customers(SYSTEM, customers=known)
        for row, (keys, _name) in both:
            row["customer_id"] = ids[keys.identity] if row["submitted_at"] else None
        # Past the mapper, which would send apart what differs in the columns that are empty.
        connection = db.session.connection()
        insert = sa.insert(DEALS).returning(DEALS.c.reference, DEALS.c.id)
        found: dict[str, int] = dict(connection.execute(insert, rows).all())
        made = [found[row["reference"]] for row in rows]
        lines = [
            self._line(number, deal_id, row["amount"])
            for number, deal_id, row in zip(numbers, made, rows, strict=True)
        ]
        connection.execute(sa.insert(LINES), lines)
        stages = [{"stage": row["status"].value} for row in rows]
        record_many(SYSTEM, "deals.deal.imported", Deal, zip(made, stages, strict=True))

    @staticmethod
    def _customer(number: int) -> tuple[CustomerKeys, str]:
        country, city = PLACES[number % len(PLACES)]
        name = f"{city} {BUYERS[number // 5 % len(BUYERS)]} {number}"
        return keys_of(name, country, f"buyer{number}.example", None), name

    def _line(self, number: int, deal_id: int, amount: Decimal) -> dict[str, Any]:
        # A customer's two deals are next to each other in number, so in different families.
        families = ("Calibration", "Flow meters", "Probes", "Spectrometers")
        family = families[number % len(families)]
        fitting = [one for one in self.products if one[2] == family]
        sku, product_id, _family = fitting[number // 4 % len(fitting)]
        return {
            "deal_id": deal_id,
            "position": 1,
            "product_id": product_id,
            "sku": sku,
            "family": family,
            "family_key": family_key(family),
            "quantity": number % 9 + 1,
            "amount": amount,
        }

    def _row(self, number: int, keys: CustomerKeys, name: str) -> dict[str, Any]:
        state = self.states[number % len(self.states)]
        begun = self.now - self._age(state)
        registered_on = clock.local_date(begun, self.zone)
        row: dict[str, Any] = {
            "reference": f"D-{registered_on.year}-S{number:07d}",
            "partner_id": self.sellers[self.dice.randrange(len(self.sellers))],
            "status": state,
            "registered_on": registered_on,
            "customer_name": name,
            "customer_country": keys.country,
            "customer_domain": keys.domain,
            "customer_name_key": keys.name,
            "customer_domain_key": keys.domain,
            "amount": Decimal(self.dice.randint(80, 90_000) * 10),
            "currency": "EUR",
            "expected_close_on": registered_on + timedelta(days=self.dice.randint(60, 240)),
            "source": DealSource.OWN,
            "is_tender": number % 9 == 0,
            "has_conflict": False,
            "created_at": begun,
            "version": 1,
        }
        return row | self._standing(state, begun)

    def _age(self, state: DealState) -> timedelta:
        """Return how long ago a deal that stands here now was registered."""
        if state in WAIT:
            return timedelta(minutes=self.dice.randint(5, self.decision_days * 1_440 - 60))
        if state is DealState.APPROVED:
            return timedelta(hours=self.dice.randint(20, self.protection_days * 24 - 60))
        least = self.protection_days + 5
        return timedelta(hours=self.dice.randint(least * 24, (least + 640) * 24))

    def _standing(self, state: DealState, begun: datetime) -> dict[str, Any]:
        """Return clocks, decision and protection of a deal registered at `begun`."""
        names = (
            "submitted_at", "decide_by_at", "decided_at", "reason", "approved_at",
            "protection_days", "protected_until", "protection_ends_at", "closed_on",
        )  # fmt: skip
        found: dict[str, Any] = dict.fromkeys(names)
        if state is DealState.DRAFT:
            return found
        found["submitted_at"] = begun + timedelta(minutes=4)
        decided = begun + timedelta(hours=self.dice.randint(1, 18))
        if state in WAIT:
            found["decide_by_at"] = found["submitted_at"] + timedelta(days=self.decision_days)
        elif state is DealState.RETURNED:
            found["reason"] = "Please add a dated note of the visit."
        elif state is DealState.REJECTED:
            found["reason"] = "The customer is a named account of the vendor."
            found["decided_at"] = decided
        elif state in WERE_PROTECTED:
            until = clock.local_date(decided, self.zone) + timedelta(days=self.protection_days)
            found |= {"approved_at": decided, "decided_at": decided, "protected_until": until}
            found["protection_days"] = self.protection_days
            found["protection_ends_at"] = clock.day_end(until, self.zone)
            if state in {DealState.WON, DealState.LOST}:
                later = timedelta(days=self.dice.randint(1, self.protection_days))
                found["closed_on"] = clock.local_date(decided + later, self.zone)
        return found
