"""The list of devices."""

from typing import Any

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.sql import Select

from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import DayFilter, StartsFilter, YesFilter
from portal.foundation.web.lists.page import ListPage
from portal.installed_base import policy
from portal.installed_base.models import Device, serial_key
from portal.partners.models import Partner
from portal.products.models import Product


class DeviceList(ListPage):
    """Devices that the reader may see, the latest registered first."""

    title = _l("Devices")
    key = Device.id
    default_order = "-registered_at"
    columns = [
        Column("serial", _l("Serial number"), Device.serial, kind="link"),
        Column("product", _l("Product"), Product.name, phone="second", sortable=False),
        Column("sku", _l("Article number"), Device.sku, kind="reference"),
        Column("owner", _l("Owner"), Device.owner_name, sortable=False),
        Column("sold_by", _l("Sold by"), Partner.name, sortable=False),
        Column("sold_on", _l("Sold"), Device.sold_on, kind="date", sortable=False),
        Column(
            "warranty_until",
            _l("Warranty until"),
            Device.warranty_until,
            kind="date",
            nullable=True,
            phone="amount",
        ),
        Column("country", _l("Country"), Device.country, sortable=False, shown=False),
        Column(
            "registered_at", _l("Registered"), Device.registered_at, kind="instant", phone="clock"
        ),
    ]
    filters = [
        StartsFilter("serial", _l("Serial number"), column=Device.serial_key, normal=serial_key),
        StartsFilter("sku", _l("Article number"), column=Device.sku, normal=str.strip),
        StartsFilter("email", _l("Owner's e-mail"), column=Device.owner_email_key),
        DayFilter("warranty_from", _l("Warranty until or after"), column=Device.warranty_until),
        YesFilter(
            "to_confirm",
            _l("Known from a station alone"),
            condition=lambda: Device.is_confirmed.is_(False),
        ),
    ]
    views = [(_l("All"), {}), (_l("Known from a station alone"), {"to_confirm": "yes"})]
    empty_title = _l("No devices")
    empty_reason = _l("Devices come by import, or when a repair station takes one in.")

    def select(self) -> Select[Any]:
        """Return the devices that the reader may see."""
        return (
            sa.select(Device)
            .outerjoin(Product, Product.id == Device.product_id)
            .outerjoin(Partner, Partner.id == Device.sold_by_id)
            .where(policy.visible_to(self.actor))
        )

    def extra_columns(self) -> list[Any]:
        """Return the key that addresses are made of."""
        return [Device.serial_key]

    def row_url(self, row: Any) -> str | None:
        """Return the device's page."""
        return url_for("installed_base.show", serial=row.serial_key)
