"""Who may know what about devices."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.accounts.policy import is_of_partner, is_service_staff, is_staff, is_system
from portal.foundation.actors import Actor
from portal.installed_base.models import Device


def may_see_devices(actor: Actor) -> bool:
    """Return whether the actor may go through the list of all devices."""
    return is_staff(actor)


def may_look_up(actor: Actor) -> bool:
    """Return whether the actor may ask for a device by its exact serial number.

    Any partner may mend, so any partner may ask; the owner stays masked, see `may_see_owner`.
    """
    return is_staff(actor) or is_of_partner(actor)


def may_see_owner(actor: Actor, device: Device) -> bool:
    """Return whether the actor may know who owns and who sold the device."""
    sold_it = is_of_partner(actor) and device.sold_by_id == actor.tenant_id
    return is_system(actor) or is_staff(actor) or sold_it


def may_import_devices(actor: Actor) -> bool:
    """Return whether the actor may send files of devices."""
    return is_service_staff(actor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the devices that lists may show: all to staff, to a partner those that it sold."""
    if is_system(actor) or is_staff(actor):
        return sa.true()
    if is_of_partner(actor):
        return Device.sold_by_id == actor.tenant_id
    return sa.false()
