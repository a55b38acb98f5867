"""Files of products."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.i18n import _l
from portal.foundation.imports.columns import Column, Currency, Decimal4, Text, Whole
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
from portal.products import policy, queries
from portal.products.models import Product, sku_key

FIELDS = ("sku", "name", "family", "category", "list_price", "currency", "warranty_months")


class ProductImport:
    """Adds products that are new and changes those that differ."""

    def __init__(self, actor: Actor, _context: Context) -> None:
        self.actor = actor

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch by one look-up, one insert and one update."""
        known = queries.products_by_sku(row.values["sku"] for row in batch)
        inserts: dict[str, dict[str, Any]] = {}
        changes: list[dict[str, Any]] = []
        outcomes = []
        for row in batch:
            values = {name: row.values[name] for name in FIELDS}
            if values["list_price"] is not None and values["currency"] is None:
                outcomes.append(rejected("currency", _l("A price needs a currency.")))
                continue
            key = sku_key(values["sku"])
            before = known.get(key)
            if before is None and key not in inserts:
                inserts[key] = self._new(values, key)
                outcomes.append(created())
            elif before is None:
                outcomes.append(
                    rejected("sku", _l("The file has this article in other letter case too."))
                )
            else:
                # An empty cell leaves alone what is there.
                merged = {n: getattr(before, n) if v is None else v for n, v in values.items()}
                if all(getattr(before, name) == value for name, value in merged.items()):
                    outcomes.append(unchanged())
                    continue
                changes.append({"id": before.id, **merged, "name_key": _name_key(values["name"])})
                outcomes.append(updated())
        if inserts:
            db.session.execute(sa.insert(Product), list(inserts.values()))
        if changes:
            db.session.execute(sa.update(Product), changes)
        if inserts or changes:
            record(
                self.actor,
                "products.file.imported",
                created=len(inserts),
                updated=len(changes),
                unchanged=len(batch) - len(inserts) - len(changes),
            )
        return outcomes

    def _new(self, values: dict[str, Any], key: str) -> dict[str, Any]:
        extra = {"sku_key": key, "name_key": _name_key(values["name"])}
        return {**values, **extra, "created_at": clock.now()}

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing for the end."""
        return None


def _name_key(name: str) -> str:
    return name.casefold()[:200]


register(
    ImportKind(
        name="products",
        label=_l("Products"),
        key=("sku",),
        columns=[
            Column("sku", Text(80), required=True, doc=_l("Article number; names the product.")),
            Column("name", Text(200), required=True, doc=_l("Name on the price list.")),
            Column("family", Text(100), doc=_l("Family that deals are compared by.")),
            Column("category", Text(100), doc=_l("Wider group of families.")),
            Column("list_price", Decimal4(minimum=0), doc=_l("Price of one, without tax.")),
            Column("currency", Currency(), doc=_l("Currency of the price.")),
            Column(
                "warranty_months", Whole(maximum=1_200), doc=_l("Months of warranty from the sale.")
            ),
        ],
        handler=ProductImport,
        policy=policy.may_import_products,
        export=lambda _context: queries.rows_for_export(),
    )
)
