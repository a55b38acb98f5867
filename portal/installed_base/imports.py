"""Devices from files."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from portal.accounts.queries import email_key
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.i18n import _l
from portal.foundation.imports.columns import Column, Country, Day, Email, Text
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
from portal.installed_base import policy
from portal.installed_base.models import Device, serial_key, warranty_end
from portal.partners.models import Partner
from portal.products.models import Product, sku_key
from portal.products.queries import products_by_sku

OPTIONAL = ("sold_on", "owner_name", "owner_email", "country")


class DeviceImport:
    """Stores devices; an empty cell leaves what is known as it is."""

    def __init__(self, actor: Actor, context: Context) -> None:
        self.actor = actor
        self.now = clock.now()

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch: one read of each kind of thing, one insert, one write a changed device."""
        keys = [serial_key(row.values["serial"]) for row in batch]
        known = {
            device.serial_key: device
            for device in db.session.scalars(sa.select(Device).where(Device.serial_key.in_(keys)))
        }
        products = products_by_sku({row.values["sku"] for row in batch})
        partners = self._partners({row.values["sold_by"] for row in batch} - {None})
        new: dict[str, dict[str, Any]] = {}
        outcomes = []
        for row, key in zip(batch, keys, strict=True):
            if not key or key in new:
                outcomes.append(rejected("serial", self._serial_reason(key)))
                continue
            values, warnings = self._values(row, products, partners)
            device = known.get(key)
            if device is None:
                new[key] = {"serial_key": key, "registered_at": self.now, "version": 1, **values}
                outcomes.append(created(*warnings))
            else:
                did = updated if self._change(device, values, products) else unchanged
                outcomes.append(did(*warnings))
        if new:
            insert = sa.insert(Device).execution_options(render_nulls=True)
            db.session.execute(insert, list(new.values()))
        return outcomes

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing to do."""
        return None

    @staticmethod
    def _serial_reason(key: str) -> Any:
        if key:
            return _l("An earlier line has this serial number written otherwise.")
        return _l("A serial number has letters or digits.")

    @staticmethod
    def _partners(references: set[str]) -> dict[str, int]:
        rows = db.session.execute(
            sa.select(Partner.reference, Partner.id).where(Partner.reference.in_(references))
        )
        return {row.reference: row.id for row in rows}

    @staticmethod
    def _values(
        row: Row, products: dict[str, Product], partners: dict[str, int]
    ) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
        given = row.values
        warnings: list[tuple[str, Any]] = []
        product = products.get(sku_key(given["sku"]))
        if product is None:
            warnings.append(("sku", _l("There is no product %(sku)s; kept.", sku=given["sku"])))
        seller = partners.get(given["sold_by"] or "")
        if given["sold_by"] and seller is None:
            reason = _l("There is no partner %(name)s; left empty.", name=given["sold_by"])
            warnings.append(("sold_by", reason))
        email = given["owner_email"]
        months = product.warranty_months if product else None
        values = {
            **{name: given[name] for name in ("serial", "sku", *OPTIONAL)},
            "product_id": product.id if product else None,
            "sold_by_id": seller,
            "owner_email_key": email_key(email) if email else None,
            "warranty_until": warranty_end(given["sold_on"], months),
            "is_confirmed": True,
        }
        return values, warnings

    @staticmethod
    def _change(
        device: Device,
        values: dict[str, Any],
        products: dict[str, Product],
    ) -> bool:
        """Write what differs; return whether anything did."""
        wanted = {name: value for name, value in values.items() if value is not None}
        sold_on = values["sold_on"] or device.sold_on
        product = products.get(sku_key(values["sku"]))
        wanted["product_id"] = values["product_id"]
        wanted["warranty_until"] = warranty_end(
            sold_on, product.warranty_months if product else None
        )
        changes = {name: v for name, v in wanted.items() if getattr(device, name) != v}
        for name, value in changes.items():
            setattr(device, name, value)
        return bool(changes)


def export(_context: Context) -> Iterator[dict[str, Any]]:
    """Yield all devices by serial number."""
    select = (
        sa.select(
            Device.serial,
            Device.sku,
            Device.sold_on,
            Partner.reference.label("sold_by"),
            Device.owner_name,
            Device.owner_email,
            Device.country,
        )
        .outerjoin(Partner, Partner.id == Device.sold_by_id)
        .order_by(Device.serial_key)
    )
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        yield row._asdict()


register(
    ImportKind(
        name="devices",
        label=_l("Devices"),
        key=("serial",),
        columns=[
            Column("serial", Text(80), True, _l("The serial number; capitals and dashes are one.")),
            Column(
                "sku", Text(80), True, _l("The product's article number; unknown ones are kept.")
            ),
            Column("sold_on", Day(), doc=_l("The day of the sale; the warranty begins then.")),
            Column("sold_by", Text(40), doc=_l("Reference of the partner that sold it.")),
            Column("owner_name", Text(200), doc=_l("Who owns it.")),
            Column("owner_email", Email(), doc=_l("The owner's address.")),
            Column("country", Country(), doc=_l("Where it is, as ISO 3166 alpha-2.")),
        ],
        handler=DeviceImport,
        policy=policy.may_import_devices,
        export=export,
    )
)
