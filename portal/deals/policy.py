"""Who may see deals and take their steps."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.accounts.facts import Notice, notices
from portal.accounts.models import Role
from portal.accounts.policy import has_role, is_channel_staff, is_of_partner, is_system
from portal.deals.facts import NOTICE
from portal.deals.models import Deal
from portal.foundation.actors import Actor
from portal.foundation.i18n import _l


def _sells(actor: Actor) -> bool:
    return is_of_partner(actor) and has_role(actor, Role.PARTNER_ADMIN, Role.PARTNER_SALES)


def _owns(actor: Actor, deal: Deal) -> bool:
    return _sells(actor) and deal.partner_id == actor.tenant_id


def may_see_deals(actor: Actor) -> bool:
    """Return whether the actor has to do with deals: channel staff and partners' sellers."""
    return is_channel_staff(actor) or _sells(actor)


def starts_with_deals(actor: Actor) -> bool:
    """Return whether deals are what the actor's day begins with; a technician's is the bench."""
    return _sells(actor) and not has_role(actor, Role.TECHNICIAN)


def may_register(actor: Actor) -> bool:
    """Return whether the actor may register deals: sellers for theirs, staff for any partner."""
    return is_channel_staff(actor) or _sells(actor)


def may_register_for_any(actor: Actor) -> bool:
    """Return whether the actor says for which partner a deal is."""
    return is_system(actor) or is_channel_staff(actor)


def may_change(actor: Actor, deal: Deal) -> bool:
    """Return whether the actor may edit the deal's draft, answer a return, or delete the draft."""
    return is_channel_staff(actor) or _owns(actor, deal)


def may_submit(actor: Actor, deal: Deal) -> bool:
    """Return whether the actor may hand the deal in."""
    return is_channel_staff(actor) or _owns(actor, deal)


def may_withdraw(actor: Actor, deal: Deal) -> bool:
    """Return whether the actor may give the deal up."""
    return is_channel_staff(actor) or _owns(actor, deal)


def may_decide(actor: Actor) -> bool:
    """Return whether the actor reviews deals at all: the queue and the look for conflicts."""
    return is_channel_staff(actor)


def may_review(actor: Actor, _deal: Deal) -> bool:
    """Return whether the actor may begin a review."""
    return may_decide(actor)


def may_return(actor: Actor, _deal: Deal) -> bool:
    """Return whether the actor may give a deal back with a question."""
    return may_decide(actor)


def may_approve(actor: Actor, _deal: Deal) -> bool:
    """Return whether the actor may approve."""
    return may_decide(actor)


def may_reject(actor: Actor, _deal: Deal) -> bool:
    """Return whether the actor may reject."""
    return may_decide(actor)


def may_see_conflicts(actor: Actor) -> bool:
    """Return whether the actor may know which deals compete; a partner never may."""
    return is_system(actor) or is_channel_staff(actor)


def may_import_deals(actor: Actor) -> bool:
    """Return whether the actor may send files of deals."""
    return is_channel_staff(actor)


notices({NOTICE: Notice(_l("Deals: decisions and reminders"), may_see_deals)})
STEP_POLICIES = {
    "submit": may_submit,
    "resubmit": may_submit,
    "review": may_review,
    "approve": may_approve,
    "return": may_return,
    "reject": may_reject,
    "withdraw": may_withdraw,
}


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the deals that the actor may see: channel staff all, sellers their partner's."""
    if is_system(actor) or is_channel_staff(actor):
        return sa.true()
    if _sells(actor):
        return Deal.partner_id == actor.tenant_id
    return sa.false()
