"""Changes of the price list."""

from decimal import Decimal

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.products import queries
from portal.products.models import Product, sku_key


def add_product(
    actor: Actor,
    *,
    sku: str,
    name: str,
    family: str | None = None,
    category: str | None = None,
    list_price: Decimal | None = None,
    currency: str | None = None,
    warranty_months: int | None = None,
) -> Product:
    """Add a product to the price list.

    Refuses an article number that is taken, whatever its letter case.
    """
    if queries.product_by_sku(sku) is not None:
        raise Refused(_l("There is a product with this article number already."), field="sku")
    product = Product(
        sku=sku.strip(),
        sku_key=sku_key(sku),
        name=name.strip(),
        name_key=name.strip().casefold()[:200],
        family=family,
        category=category,
        list_price=list_price,
        currency=currency,
        warranty_months=warranty_months,
        created_at=clock.now(),
    )
    db.session.add(product)
    record(actor, "products.product.added", product, sku=product.sku)
    return product
