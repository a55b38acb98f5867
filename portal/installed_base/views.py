"""Pages of the installed base."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.foundation import clock, i18n
from portal.foundation.actors import Actor
from portal.foundation.audit import timeline
from portal.foundation.database import db
from portal.foundation.i18n import _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import requires
from portal.foundation.web.templating import NavItem, navigation
from portal.foundation.web.views.search import Hit, finds
from portal.installed_base import policy, queries
from portal.installed_base.lists import DeviceList
from portal.partners.models import Partner

bp = Blueprint("installed_base", __name__)
navigation(
    NavItem(
        _l("Devices"),
        "installed_base.index",
        "device-desktop",
        policy.may_see_devices,
        _l("Service and club"),
        32,
    )
)


@bp.get("/devices")
@requires(policy.may_see_devices)
def index() -> ResponseReturnValue:
    """List devices."""
    return DeviceList(current_actor()).respond("portal/installed_base/list.html")


@bp.get("/devices/<path:serial>")
@requires(policy.may_look_up)
def show(serial: str) -> ResponseReturnValue:
    """Show a device by its exact serial number, with what was ever done to it."""
    actor = current_actor()
    device = queries.device_for(actor, serial)
    sees_owner = policy.may_see_owner(actor, device)
    seller = None
    if sees_owner and device.sold_by_id is not None:
        seller = db.session.get(Partner, device.sold_by_id)
    return render_template(
        "portal/installed_base/show.html",
        device=device,
        product=queries.product_of(device),
        seller=seller,
        sees_owner=sees_owner,
        warranty=queries.warranty_look(device, clock.today(i18n.zone())),
        lines=queries.warranty_lines(device),
        visits=queries.history(actor, device.serial_key),
        entries=timeline(device) if actor.is_staff else None,
    )


@finds(_l("Devices"), policy.may_see_devices)
def find_devices(actor: Actor, text: str) -> list[Hit]:
    """Find devices by the start of the serial number."""
    return [
        Hit(found.serial, found.sku, url_for("installed_base.show", serial=found.serial))
        for found in queries.devices_found(actor, text)
    ]
