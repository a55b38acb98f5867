"""The price list in JSON."""

from typing import Any

from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import MoneyOut, Out, PageOut, PageQuery
from portal.foundation.web.policies import requires
from portal.products import policy, queries
from portal.products.models import Product

bp = ApiBlueprint("products", __name__, tag="Products")


class ProductOut(Out):
    """A product of the price list."""

    sku: str
    name: str
    family: str | None
    category: str | None
    list_price: MoneyOut | None
    warranty_months: int | None


def _out(product: Product) -> dict[str, Any]:
    price = None
    if product.list_price is not None and product.currency is not None:
        price = {"amount": product.list_price, "currency": product.currency}
    names = ("sku", "name", "family", "category", "warranty_months")
    return {name: getattr(product, name) for name in names} | {"list_price": price}


@bp.get("/products")
@requires(policy.may_see_products)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[ProductOut])
def products(query: PageQuery) -> dict[str, Any]:
    """List the price list, newest first."""
    found, next_cursor = listed(queries.all_products(), Product.id, query)
    return {"items": [_out(product) for product in found], "next_cursor": next_cursor}
