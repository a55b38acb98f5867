"""Devices of the named cast."""

from datetime import date
from typing import Any

from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.installed_base import operations
from portal.installed_base.models import Device
from portal.products.models import Product


def spectrometer() -> Product:
    """Add the HX-900 with two years of warranty."""
    product = Product(
        sku="HX-900",
        sku_key="hx-900",
        name="HX-900 spectrometer",
        name_key="hx-900 spectrometer",
        warranty_months=24,
        created_at=clock.now(),
    )
    with transaction():
        db.session.add(product)
    return product


def device(serial: str = "HX9-2231-00847", **values: Any) -> Device:
    """Register a spectrometer sold to Marta on 15 March 2025."""
    given = {
        "sku": "HX-900",
        "sold_on": date(2025, 3, 15),
        "owner_name": "Marta Lind",
        "owner_email": "marta@club.example",
        "country": "SE",
        **values,
    }
    with transaction():
        return operations.register_device(SYSTEM, serial=serial, **given)
