"""The list of products."""

from typing import Any

from sqlalchemy.sql import Select

from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import StartsFilter
from portal.foundation.web.lists.page import ListPage
from portal.products import queries
from portal.products.models import Product


class ProductList(ListPage):
    """The price list."""

    title = _l("Products")
    key = Product.id
    default_order = "sku"
    empty_title = _l("No products")
    empty_reason = _l("The price list is read from a file: import products.")
    columns = [
        Column("sku", _l("Article"), Product.sku, phone="name"),
        Column("name", _l("Name"), Product.name, phone="second"),
        Column("family", _l("Family"), Product.family, nullable=True),
        Column("category", _l("Category"), Product.category, nullable=True),
        Column(
            "list_price",
            _l("List price"),
            Product.list_price,
            "money",
            currency=Product.currency,
            nullable=True,
            phone="amount",
        ),
        Column(
            "warranty_months",
            _l("Warranty, months"),
            Product.warranty_months,
            "number",
            nullable=True,
        ),
    ]
    filters = [
        StartsFilter("name", _l("Name starts with"), Product.name_key, str.casefold),
        StartsFilter("sku", _l("Article starts with"), Product.sku_key, str.casefold),
    ]

    def select(self) -> Select[Any]:
        """Return every product."""
        return queries.all_products()
