"""Who may do what with clubs and members."""

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loyalty.clubs.addresses import email_key
from loyalty.clubs.models import Club, Member, ProgrammeVersion
from portal.accounts.policy import is_administrator, is_marketing_staff, is_member, is_system
from portal.foundation.actors import Actor


def may_run_clubs(actor: Actor) -> bool:
    """Return whether the actor looks after clubs, their members and their points."""
    return is_marketing_staff(actor) or is_system(actor)


def may_create_club(actor: Actor) -> bool:
    """Return whether the actor may make a club."""
    return is_administrator(actor) or is_system(actor)


def may_enrol(actor: Actor) -> bool:
    """Return whether the actor may enter members."""
    return may_run_clubs(actor)


def may_change_member(actor: Actor, _member: Member) -> bool:
    """Return whether the actor may change a member's particulars and consents."""
    return may_run_clubs(actor)


def may_send_programme(actor: Actor) -> bool:
    """Return whether the actor may send a version of a programme."""
    return may_run_clubs(actor)


def may_approve_programme(actor: Actor, version: ProgrammeVersion) -> bool:
    """Return whether the actor is a second person, who may let the version hold."""
    is_author = version.created_by_id is not None and version.created_by_id == actor.user_id
    return may_run_clubs(actor) and not is_author


def may_look_into_clubs(actor: Actor) -> bool:
    """Return whether the actor has anything to do with clubs: staff of theirs, and members."""
    return may_run_clubs(actor) or is_member(actor)


def may_see_own_card(actor: Actor) -> bool:
    """Return whether the actor is a member, with a home of their own."""
    return is_member(actor)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for members that the actor may see; others than staff only their own."""
    if may_run_clubs(actor):
        return sa.true()
    if is_member(actor):
        return is_own(actor)
    return sa.false()


def is_own(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the actor's own memberships.

    Those linked to the user, and those of exactly the user's address that nobody is linked to: a
    user's address is proven, and one may have joined at the counter before signing up.
    """
    if actor.user_id is None:
        return sa.false()
    email = actor.email.strip().lower()
    unclaimed = sa.and_(
        Member.user_id.is_(None),
        Member.email_key == email_key(email),
        sa.func.lower(Member.email) == email,
    )
    return sa.or_(Member.user_id == actor.user_id, unclaimed)


def clubs_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for clubs that the actor may see: staff all, members theirs."""
    if may_run_clubs(actor):
        return sa.true()
    return Club.id.in_(sa.select(Member.club_id).where(visible_to(actor)))
