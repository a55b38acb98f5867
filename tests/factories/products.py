"""The price list of the named vendor."""

from typing import Any

from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.products.models import Product
from portal.products.operations import add_product

PRICE_LIST = {
    "HX-900": ("HX-900 spectrometer", "Spectrometers"),
    "HX-950": ("HX-950 spectrometer", "Spectrometers"),
    "PT-40": ("PT-40 probe", "Probes"),
}


def product(sku: str = "HX-900", **values: Any) -> Product:
    """Add one product."""
    name, family = PRICE_LIST.get(sku, (sku, None))
    with transaction():
        return add_product(SYSTEM, sku=sku, **{"name": name, "family": family} | values)


def price_list() -> list[Product]:
    """Add two families of products."""
    return [product(sku) for sku in PRICE_LIST]
