"""Files of deals: a pipeline that was kept elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from portal.customers.matching import normal_domain
from portal.customers.operations import add_customers
from portal.customers.queries import CustomerKeys, keys_of, known_customers
from portal.deals import policy, queries
from portal.deals.models import CLOSED, Deal, DealLine, DealSource, DealState, family_key
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record_many
from portal.foundation.database import db
from portal.foundation.i18n import LazyText, _l
from portal.foundation.imports.columns import (
    Choice,
    Column,
    Country,
    Currency,
    Day,
    Decimal4,
    Email,
    Text,
)
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    created,
    register,
    rejected,
    unchanged,
    updated,
)
from portal.foundation.settings import setting
from portal.partners.models import Partner
from portal.partners.queries import partners_by_reference
from portal.products.models import Product, sku_key
from portal.products.queries import products_by_sku_or_name

# How far a deal is; a file never takes one back.
RANKS = {
    DealState.DRAFT: 0,
    DealState.SUBMITTED: 1,
    DealState.IN_REVIEW: 1,
    DealState.RETURNED: 1,
    DealState.APPROVED: 2,
} | dict.fromkeys(CLOSED, 3)
SAME_NAMES = (
    "customer_name",
    "customer_country",
    "customer_domain",
    "customer_tax_id",
    "currency",
    "owner_email",
    "registered_on",
    "expected_close_on",
    "closed_on",
)


@dataclass(slots=True)
class _Found:
    """What the database knows of a batch's rows, each looked up once."""

    partners: dict[str, Partner]
    products: dict[str, Product]
    deals: dict[str, Deal]


@dataclass(slots=True)
class _Work:
    """What a batch comes to."""

    new: list[dict[str, Any]] = field(default_factory=list)
    new_products: list[str | None] = field(default_factory=list)
    customers: list[CustomerKeys] = field(default_factory=list)
    imported: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    changed: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


class DealImport:
    """Adds deals that are new and brings forward those that are there."""

    def __init__(self, actor: Actor, _context: Context) -> None:
        self.actor = actor
        self.now = clock.now()
        self.zone: str = setting("vendor.zone")
        self.today = clock.local_date(self.now, self.zone)
        self.protection_days: int = setting("deals.protection_days")
        self.decision_days: int = setting("deals.decision_days")

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch: partners, products, deals and customers are each looked up once."""
        found = _Found(
            partners=partners_by_reference(row.values["partner"] for row in batch),
            products=products_by_sku_or_name(row.values["product"] for row in batch),
            deals=queries.deals_by_reference(row.values["reference"] for row in batch),
        )
        work = _Work()
        outcomes = [self._row(row.values, found, work) for row in batch]
        self._store(work, found)
        return outcomes

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing for the end."""
        return None

    def _row(self, values: dict[str, Any], found: _Found, work: _Work) -> Outcome:
        partner = found.partners.get(values["partner"])
        if partner is None:
            return rejected("partner", _l("There is no partner %(name)s.", name=values["partner"]))
        stage = DealState(values["stage"] or DealState.DRAFT)
        for name in ("customer_name", "amount"):
            if values[name] is None and RANKS[stage] > 1:
                return rejected(name, _l("A deal that was decided needs this."))
        warnings: list[tuple[str, LazyText]] = []
        product = values["product"]
        if product and sku_key(product) not in found.products:
            sentence = _l("There is no product %(sku)s; kept as written.", sku=product)
            warnings.append(("product", sentence))
        if values["customer_domain"] and normal_domain(values["customer_domain"]) is None:
            sentence = _l("%(domain)s is no web domain; kept.", domain=values["customer_domain"])
            warnings.append(("customer_domain", sentence))
        deal = found.deals.get(values["reference"])
        if deal is None:
            keys = self._keys(values)
            work.customers.append(keys)
            work.new.append(self._new(values, partner, keys))
            work.new_products.append(product)
            return created(*warnings)
        is_changed = self._change(deal, values, partner, found, work, warnings)
        return (updated if is_changed else unchanged)(*warnings)

    @staticmethod
    def _keys(values: dict[str, Any]) -> CustomerKeys:
        return keys_of(
            values["customer_name"],
            values["customer_country"],
            values["customer_domain"],
            values["customer_tax_id"],
        )

    def _new(self, values: dict[str, Any], partner: Partner, keys: CustomerKeys) -> dict[str, Any]:
        stage = DealState(values["stage"] or DealState.DRAFT)
        registered_on = values["registered_on"] or self.today
        return {
            **{name: values[name] for name in SAME_NAMES},
            "customer_name": values["customer_name"] or "",
            "reference": values["reference"],
            "partner_id": partner.id,
            "customer_name_key": keys.name,
            "customer_domain_key": keys.domain,
            "customer_tax_key": keys.tax_id,
            "amount": values["amount"] or Decimal(0),
            "registered_on": registered_on,
            "source": DealSource.OWN,
            "is_tender": False,
            "has_conflict": False,
            "created_at": self.now,
            "version": 1,
            **self._standing(stage, registered_on, None),
        }

    def _standing(
        self, stage: DealState, registered_on: date, submitted_at: datetime | None
    ) -> dict[str, Any]:
        """Return state, clocks and protection of a deal that a file says is at `stage`."""
        start = clock.day_start(registered_on, self.zone)
        standing: dict[str, Any] = {
            "status": stage,
            "submitted_at": submitted_at,
            "decide_by_at": None,
            "approved_at": None,
            "protection_days": None,
            "protected_until": None,
            "protection_ends_at": None,
        }
        if stage is DealState.DRAFT:
            return standing
        standing["submitted_at"] = submitted_at or min(start, self.now)
        if RANKS[stage] == 1:
            standing["decide_by_at"] = self.now + timedelta(days=self.decision_days)
        if stage is DealState.APPROVED:
            until = registered_on + timedelta(days=self.protection_days)
            standing["approved_at"] = min(start, self.now)
            standing["protection_days"] = self.protection_days
            standing["protected_until"] = until
            standing["protection_ends_at"] = clock.day_end(until, self.zone)
        return standing

    def _change(
        self,
        deal: Deal,
        values: dict[str, Any],
        partner: Partner,
        found: _Found,
        work: _Work,
        warnings: list[tuple[str, LazyText]],
    ) -> bool:
        """Write what differs and is given; return whether anything did."""
        wanted = {name: values[name] for name in SAME_NAMES if values[name] is not None}
        wanted["partner_id"] = partner.id
        if values["amount"] is not None:
            wanted["amount"] = values["amount"]
        stage = DealState(values["stage"]) if values["stage"] else deal.status
        if RANKS[stage] > RANKS[deal.status]:
            wanted |= self._standing(stage, deal.registered_on, deal.submitted_at)
        elif RANKS[stage] < RANKS[deal.status]:
            sentence = _l("This deal is further than %(stage)s; left as it is.", stage=stage.value)
            warnings.append(("stage", sentence))
        differences = {
            name: (getattr(deal, name), value)
            for name, value in wanted.items()
            if getattr(deal, name) != value
        }
        for name, (_, value) in differences.items():
            setattr(deal, name, value)
        if self._change_line(deal, values, found):
            differences["product"] = (None, values["product"])
        if not differences:
            return False
        keys = keys_of(
            deal.customer_name, deal.customer_country, deal.customer_domain, deal.customer_tax_id
        )
        deal.customer_name_key, deal.customer_domain_key = keys.name, keys.domain
        deal.customer_tax_key = keys.tax_id
        work.changed.append((deal.id, differences))
        return True

    @staticmethod
    def _change_line(deal: Deal, values: dict[str, Any], found: _Found) -> bool:
        """Write the product and amount of a deal with at most one line; leave longer ones alone."""
        product, amount = values["product"], values["amount"]
        if not product or len(deal.lines) > 1:
            return False
        if not deal.lines:
            deal.lines = [DealLine(**_line(product, deal.amount, found.products))]
            return True
        line = deal.lines[0]
        line.amount = line.amount if amount is None else amount
        wanted = _line(product, line.amount, found.products)
        now = sku_key(line.sku or line.family or "")
        if now in {sku_key(product), sku_key(wanted["sku"])}:
            return False
        for name, value in wanted.items():
            setattr(line, name, value)
        return True

    def _store(self, work: _Work, found: _Found) -> None:
        if work.new:
            self._link_customers(work)
            ids = db.session.scalars(
                sa.insert(Deal).returning(Deal.id, sort_by_parameter_order=True), work.new
            ).all()
            lines = [
                {"deal_id": deal_id, **_line(product, deal["amount"], found.products)}
                for deal_id, deal, product in zip(ids, work.new, work.new_products, strict=True)
                if product
            ]
            if lines:
                db.session.execute(sa.insert(DealLine), lines)
            work.imported = [
                (deal_id, {"stage": deal["status"].value})
                for deal_id, deal in zip(ids, work.new, strict=True)
            ]
        db.session.flush()
        record_many(self.actor, "deals.deal.imported", Deal, work.imported)
        record_many(self.actor, "deals.deal.updated_by_file", Deal, work.changed)

    def _link_customers(self, work: _Work) -> None:
        """Give each new deal its customer, adding those that nobody knew."""
        named = [
            (keys, deal)
            for keys, deal in zip(work.customers, work.new, strict=True)
            if keys.name and deal["status"] is not DealState.DRAFT
        ]
        known = known_customers([keys for keys, _ in named])
        missing = [
            (keys, deal["customer_name"], deal["customer_tax_id"])
            for keys, deal in named
            if known.find(keys) is None
        ]
        added = add_customers(self.actor, customers=missing)
        for deal in work.new:
            deal["customer_id"] = None
        for keys, deal in named:
            deal["customer_id"] = known.find(keys) or added.get(keys.identity)


def _line(written: str, amount: Decimal, products: dict[str, Product]) -> dict[str, Any]:
    product = products.get(sku_key(written))
    family = product.family if product else None
    sku = product.sku if product else written
    return {
        "position": 1,
        "product_id": product.id if product else None,
        "sku": sku,
        "family": family,
        "family_key": family_key(family or sku),
        "quantity": 1,
        "amount": amount,
    }


register(
    ImportKind(
        name="deals",
        label=_l("Deals"),
        key=("reference",),
        columns=[
            Column("reference", Text(40), required=True, doc=_l("Names the deal for good.")),
            Column("partner", Text(40), required=True, doc=_l("The partner's reference.")),
            Column(
                "customer_name",
                Text(200),
                required=True,
                may_be_empty=True,
                doc=_l("Customer's legal name; deals that are still open may lack it."),
            ),
            Column(
                "amount",
                Decimal4(0, 10**12),
                required=True,
                may_be_empty=True,
                doc=_l("Worth, without tax; deals that are still open may lack it."),
            ),
            Column("currency", Currency(), required=True, doc=_l("Currency of the amount.")),
            Column("customer_country", Country(), doc=_l("The customer's country.")),
            Column("customer_domain", Text(253), doc=_l("The customer's web domain.")),
            Column("customer_tax_id", Text(40), doc=_l("The customer's tax id.")),
            Column(
                "product",
                Text(80),
                doc=_l("Article number or name; one that is unknown is kept as written."),
            ),
            Column(
                "stage", Choice(DealState), doc=_l("Where the deal stands; a draft when empty.")
            ),
            Column("owner_email", Email(), doc=_l("Who works on it.")),
            Column("registered_on", Day(), doc=_l("Day of registration; today when empty.")),
            Column("expected_close_on", Day(), doc=_l("When the order is expected.")),
            Column("closed_on", Day(), doc=_l("Day it was won or lost.")),
        ],
        handler=DealImport,
        policy=policy.may_import_deals,
        export=lambda _context: queries.rows_for_export(),
    )
)
