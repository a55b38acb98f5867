"""Reads of devices, their warranty, and what was ever done to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db, starting_with
from portal.foundation.errors import NotFound
from portal.foundation.i18n import LazyText, _l, day_text, zone
from portal.foundation.steps import Look
from portal.installed_base import policy
from portal.installed_base.models import Device, serial_key
from portal.products.models import Product

LINES = ("parts", "labour", "travel")
LINE_LABELS = {"parts": _l("Parts"), "labour": _l("Labour"), "travel": _l("Travel")}
MOST_VISITS = 20


@dataclass(frozen=True, slots=True)
class WarrantyLine:
    """What the vendor pays of one kind of cost. percent: 0 to 100. until: the last day."""

    line: str
    percent: int
    until: date

    @property
    def label(self) -> LazyText:
        """Return the kind of cost in words."""
        return LINE_LABELS[self.line]


@dataclass(frozen=True, slots=True)
class Visit:
    """One time that a device was worked on, as far as the reader may know it.

    title, note: what was done and where. began_at, ended_at: instants. look, status: how it
    stands. reference, endpoint, values: its page, none where it is another station's.
    """

    title: str | LazyText
    note: str | LazyText
    began_at: datetime
    ended_at: datetime | None
    look: Look
    status: str
    reference: str | None = None
    endpoint: str | None = None
    values: dict[str, Any] | None = None

    @property
    def day(self) -> date:
        """Return the day on which it ended, else began, where the reader is."""
        return clock.local_date(self.ended_at or self.began_at, zone())


Teller = Callable[[Actor, str], list[Visit]]
_tellers: list[Teller] = []


def tells_history(teller: Teller) -> Teller:
    """Register a higher slice's function: actor and serial key to visits, newest first."""
    _tellers.append(teller)
    return teller


def history(actor: Actor, key: str) -> list[Visit]:
    """Return what was done to the device of a serial key, newest first, as the actor may know."""
    found = [visit for teller in _tellers for visit in teller(actor, key)]
    return sorted(found, key=lambda visit: visit.began_at, reverse=True)[:MOST_VISITS]


def device_by_serial(serial: str) -> Device | None:
    """Return the device of a serial number, however it is written."""
    return db.session.scalar(sa.select(Device).where(Device.serial_key == serial_key(serial)))


def device_for(actor: Actor, serial: str) -> Device:
    """Return the device of a serial number; refuses (NotFound) who may not look up and others."""
    device = device_by_serial(serial) if policy.may_look_up(actor) else None
    if device is None:
        raise NotFound
    return device


def product_of(device: Device) -> Product | None:
    """Return the product of a device, when its article number is known."""
    return None if device.product_id is None else db.session.get(Product, device.product_id)


def warranty_lines(device: Device) -> list[WarrantyLine]:
    """Return what the vendor's warranty covers, also when it is over; empty when none is known."""
    if device.warranty_until is None:
        return []
    return [WarrantyLine(line, 100, device.warranty_until) for line in LINES]


def is_in_warranty(device: Device, on: date) -> bool:
    """Return whether the vendor's warranty covers the device on a day."""
    return device.warranty_until is not None and on <= device.warranty_until


def warranty_look(device: Device, on: date) -> Look:
    """Return the device's warranty on a day as a badge."""
    if device.warranty_until is None:
        return Look(_l("No warranty known"), "ring", "neutral")
    day = LazyText(day_text, device.warranty_until)
    if is_in_warranty(device, on):
        return Look(_l("In warranty to %(day)s", day=day), "dot", "good")
    return Look(_l("Warranty ended %(day)s", day=day), "bar", "neutral")


def devices_found(actor: Actor, text: str) -> list[Device]:
    """Return at most ten devices by how the serial number starts, however it is written."""
    key = serial_key(text)
    if not key:
        return []
    starts = starting_with(Device.serial_key, key)
    select = sa.select(Device).where(policy.visible_to(actor), starts)
    return list(db.session.scalars(select.order_by(Device.serial_key).limit(10)))
