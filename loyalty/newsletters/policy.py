"""Who may do what with newsletters."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loyalty.newsletters.models import Newsletter, NewsletterState
from portal.accounts.policy import is_marketing_staff, is_system
from portal.foundation.actors import Actor


def may_make_newsletters(actor: Actor) -> bool:
    """Return whether the actor may see, make and send newsletters."""
    return is_marketing_staff(actor) or is_system(actor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for newsletters that the actor may see: marketing all, others none."""
    return sa.true() if may_make_newsletters(actor) else sa.false()


def may_edit(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor may change the newsletter now."""
    return may_make_newsletters(actor) and newsletter.state == NewsletterState.DRAFT


def may_approve(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor is a second person and the newsletter a draft."""
    is_author = newsletter.created_by_id is not None and newsletter.created_by_id == actor.user_id
    return may_make_newsletters(actor) and not is_author


def may_send(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor may send newsletters, this one among them."""
    return may_make_newsletters(actor) and newsletter.id is not None


def may_cancel(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor may stop newsletters, this one among them."""
    return may_make_newsletters(actor) and newsletter.id is not None


STEP_POLICIES = {"approve": may_approve, "send": may_send, "cancel": may_cancel}
