"""Who may do what with newsletters."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loyalty.newsletters.models import Newsletter, NewsletterPicture, NewsletterState
from portal.accounts.policy import is_marketing_staff, is_system
from portal.foundation.actors import Actor
from portal.foundation.files.models import StoredFile

PICTURE_PURPOSE = "newsletters.picture"
GOING_OUT = (NewsletterState.APPROVED, NewsletterState.SENDING, NewsletterState.SENT)


def may_make_newsletters(actor: Actor) -> bool:
    """Return whether the actor may see, make and send newsletters."""
    return is_marketing_staff(actor) or is_system(actor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for newsletters that the actor may see: marketing all, others none."""
    return sa.true() if may_make_newsletters(actor) else sa.false()


def pictures_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for stored files that the actor may see as a newsletter's picture.

    Mail programs ask without a sign-in, so that pictures of what was approved are open to all who
    know their random names; those of drafts only to marketing.
    """
    is_picture = StoredFile.purpose == PICTURE_PURPOSE
    if may_make_newsletters(actor):
        return is_picture
    is_out = sa.or_(Newsletter.state.in_(GOING_OUT), Newsletter.sent_at.is_not(None))
    shown = (
        sa.select(NewsletterPicture.id)
        .join(Newsletter, Newsletter.id == NewsletterPicture.newsletter_id)
        .where(NewsletterPicture.file_id == StoredFile.id, is_out)
    )
    return sa.and_(is_picture, shown.exists())


def may_edit(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor may change the newsletter now."""
    return may_make_newsletters(actor) and newsletter.state == NewsletterState.DRAFT


def may_approve(actor: Actor, newsletter: Newsletter) -> bool:
    """Return whether the actor is a second person, who neither made it nor changed it last."""
    if not may_make_newsletters(actor):
        return False
    authors = {newsletter.created_by_id, newsletter.changed_by_id}
    return actor.user_id is None or actor.user_id not in authors


def may_send(actor: Actor, _newsletter: Newsletter) -> bool:
    """Return whether the actor may send an approved newsletter."""
    return may_make_newsletters(actor)


def may_cancel(actor: Actor, _newsletter: Newsletter) -> bool:
    """Return whether the actor may stop a newsletter."""
    return may_make_newsletters(actor)


STEP_POLICIES = {"approve": may_approve, "send": may_send, "cancel": may_cancel}
