"""Changes of devices."""

from datetime import date, timedelta

from portal.accounts.queries import email_key
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.installed_base import queries
from portal.installed_base.models import Device, serial_key, warranty_end
from portal.products.queries import product_by_sku


def register_device(
    actor: Actor,
    *,
    serial: str,
    sku: str,
    sold_on: date | None = None,
    sold_by_id: int | None = None,
    owner_name: str | None = None,
    owner_email: str | None = None,
    country: str | None = None,
    is_confirmed: bool = True,
) -> Device:
    """Add a device to the installed base.

    sold_by_id: a partner's key. is_confirmed: False where a station registers it on a proof of
    purchase. Refuses a serial number without a letter or digit, one that is known, and a sale in
    the future.
    """
    key = serial_key(serial)
    if not key:
        raise Refused(_l("Write the serial number as it stands on the device."), field="serial")
    if queries.device_by_serial(serial) is not None:
        raise Refused(_l("This serial number is registered already."), field="serial")
    if sold_on is not None and sold_on > clock.today() + timedelta(days=1):
        raise Refused(_l("This day has not come yet."), field="sold_on")
    product = product_by_sku(sku)
    device = Device(
        serial=serial.strip(),
        serial_key=key,
        sku=sku.strip(),
        product_id=product.id if product else None,
        sold_on=sold_on,
        sold_by_id=sold_by_id,
        owner_name=owner_name,
        owner_email=owner_email,
        owner_email_key=email_key(owner_email) if owner_email else None,
        country=country,
        warranty_until=warranty_end(sold_on, product.warranty_months if product else None),
        is_confirmed=is_confirmed,
        registered_at=clock.now(),
    )
    db.session.add(device)
    name = "registered" if is_confirmed else "registered_at_intake"
    record(actor, f"installed_base.device.{name}", device, serial=device.serial)
    return device
