"""Who may see and change partners."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.accounts.models import Role
from portal.accounts.policy import (
    has_role,
    is_channel_staff,
    is_of_partner,
    is_service_staff,
    is_staff,
    is_system,
)
from portal.foundation.actors import Actor
from portal.partners.models import Partner


def may_list_partners(actor: Actor) -> bool:
    """Return whether the actor may go through the list of partners."""
    return is_staff(actor)


def may_see_partners(actor: Actor) -> bool:
    """Return whether the actor may see any partner: staff all, a partner's people their own."""
    return is_staff(actor) or is_of_partner(actor)


def may_add_partner(actor: Actor) -> bool:
    """Return whether the actor may add partners."""
    return is_channel_staff(actor)


def may_change_partner(actor: Actor) -> bool:
    """Return whether the actor may change a partner's facts."""
    return is_channel_staff(actor)


def may_activate(actor: Actor) -> bool:
    """Return whether the actor may make a partner active."""
    return is_channel_staff(actor)


def may_put_on_notice(actor: Actor) -> bool:
    """Return whether the actor may put a partner on notice."""
    return is_channel_staff(actor)


def may_suspend(actor: Actor) -> bool:
    """Return whether the actor may suspend a partner."""
    return is_channel_staff(actor)


def may_reinstate(actor: Actor) -> bool:
    """Return whether the actor may end a suspension."""
    return is_channel_staff(actor)


def may_see_history(actor: Actor) -> bool:
    """Return whether the actor may read what was done to a partner, reasons included."""
    return is_staff(actor)


def may_follow_deals(actor: Actor) -> bool:
    """Return whether a partner's page leads the actor to its deals."""
    sells = is_of_partner(actor) and has_role(actor, Role.PARTNER_ADMIN, Role.PARTNER_SALES)
    return is_channel_staff(actor) or sells


def may_follow_jobs(actor: Actor) -> bool:
    """Return whether a partner's page leads the actor to its repair jobs."""
    return is_service_staff(actor)


def may_import_partners(actor: Actor) -> bool:
    """Return whether the actor may send files of partners."""
    return is_channel_staff(actor)


STEP_POLICIES = {
    "activate": may_activate,
    "put_on_notice": may_put_on_notice,
    "suspend": may_suspend,
    "reinstate": may_reinstate,
}


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the partners that the actor may see: staff all, a partner's people their own."""
    if is_system(actor) or is_staff(actor):
        return sa.true()
    if is_of_partner(actor):
        return Partner.id == actor.tenant_id
    return sa.false()
