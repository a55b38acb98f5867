"""Reads of the price list."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from portal.foundation.database import db
from portal.products.models import Product, sku_key


def all_products() -> sa.Select[Product]:
    """Return the select of every product."""
    return sa.select(Product)


def product_by_sku(sku: str) -> Product | None:
    """Return the product with this article number, whatever its letter case."""
    return db.session.scalar(sa.select(Product).where(Product.sku_key == sku_key(sku)))


def products_by_sku(skus: Iterable[str]) -> dict[str, Product]:
    """Return those products that exist, by the key of their article number, in one query."""
    keys = {sku_key(sku) for sku in skus}
    select = sa.select(Product).where(Product.sku_key.in_(keys))
    found = db.session.scalars(select, execution_options={"populate_existing": True})
    return {product.sku_key: product for product in found} if keys else {}


def products_by_sku_or_name(texts: Iterable[str | None]) -> dict[str, Product]:
    """Return the products that `texts` name, by the text in small letters, in one query.

    An article number wins over another product's name; of products with one name the oldest does.
    """
    keys = {sku_key(text) for text in texts if text}
    if not keys:
        return {}
    either = sa.or_(Product.sku_key.in_(keys), Product.name_key.in_(keys))
    select = sa.select(Product).where(either).order_by(Product.id.desc())
    found = db.session.scalars(select, execution_options={"populate_existing": True}).all()
    return {p.name_key: p for p in found} | {p.sku_key: p for p in found}


def known_families() -> dict[str, str]:
    """Return every family of the price list, by its name in small letters."""
    select = sa.select(Product.family).where(Product.family.is_not(None)).distinct()
    return {family.casefold(): family for family in db.session.scalars(select) if family}


def product_choices(limit: int = 500) -> list[tuple[str, str]]:
    """Return article number and name of the first products by name, for a form to offer."""
    columns = sa.select(Product.sku, Product.name).order_by(Product.name_key, Product.id)
    return [(sku, name) for sku, name in db.session.execute(columns.limit(limit))]


def rows_for_export() -> Iterator[dict[str, Any]]:
    """Yield every product by the columns of its file, in the order of article numbers."""
    names = ("sku", "name", "family", "category", "list_price", "currency", "warranty_months")
    columns = [getattr(Product, name) for name in names]
    options = {"yield_per": 1_000}
    for row in db.session.execute(
        sa.select(*columns).order_by(Product.sku), execution_options=options
    ):
        yield dict(row._mapping)
