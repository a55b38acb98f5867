"""Devices over the API."""

from datetime import date
from typing import Any

from portal.foundation import clock
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint
from portal.foundation.web.api.schemas import InstantOut, Out
from portal.foundation.web.policies import requires
from portal.installed_base import policy, queries

bp = ApiBlueprint("installed_base", __name__, tag="Devices")


class ProductOut(Out):
    """What the device is."""

    sku: str
    name: str


class WarrantyLineOut(Out):
    """What the vendor pays of one kind of cost, until and including a day."""

    line: str
    percent: int
    until: date


class OwnerOut(Out):
    """Who owns the device."""

    name: str | None
    email: str | None


class VisitOut(Out):
    """One time that the device was worked on; reference is null where it was another station's."""

    reference: str | None
    status: str
    began_at: InstantOut
    ended_at: InstantOut | None
    what: str
    where: str


class DeviceOut(Out):
    """A device; owner is null for readers who may not know it."""

    serial: str
    sku: str
    product: ProductOut | None
    sold_on: date | None
    country: str | None
    owner: OwnerOut | None
    is_confirmed: bool
    warranty_until: date | None
    in_warranty: bool
    warranty: list[WarrantyLineOut]
    plans: list[str]
    bulletins: list[str]
    history: list[VisitOut]


def visit_out(visit: queries.Visit) -> dict[str, Any]:
    """Return a visit as `VisitOut` takes it."""
    return {
        "reference": visit.reference,
        "status": visit.status,
        "began_at": visit.began_at,
        "ended_at": visit.ended_at,
        "what": str(visit.title),
        "where": str(visit.note),
    }


@bp.get("/devices/<path:serial>")
@requires(policy.may_look_up)
@bp.output(DeviceOut)
def show_device(serial: str) -> dict[str, Any]:
    """Return a device by its serial number, however it is written.

    No plans and no bulletins exist yet, so both lists are empty.
    """
    actor = current_actor()
    device = queries.device_for(actor, serial)
    owner = None
    if policy.may_see_owner(actor, device):
        owner = {"name": device.owner_name, "email": device.owner_email}
    return {
        "serial": device.serial,
        "sku": device.sku,
        "product": queries.product_of(device),
        "sold_on": device.sold_on,
        "country": device.country,
        "owner": owner,
        "is_confirmed": device.is_confirmed,
        "warranty_until": device.warranty_until,
        "in_warranty": queries.is_in_warranty(device, clock.today(actor.zone)),
        "warranty": queries.warranty_lines(device),
        "plans": [],
        "bulletins": [],
        "history": [visit_out(visit) for visit in queries.history(actor, device.serial_key)],
    }
