"""Reads of newsletters, their audience and their counts."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import Select

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Channel, Club, Member, MemberState, Purpose
from loyalty.clubs.numbers import plain_number
from loyalty.newsletters import policy
from loyalty.newsletters.blocks import file_ids
from loyalty.newsletters.models import Newsletter, NewsletterRecipient, RecipientState
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.errors import NotFound
from portal.foundation.files.models import StoredFile
from portal.foundation.mail.models import MailMessage, MailState


def visible_newsletters(actor: Actor) -> Select[Any]:
    """Return the select of newsletters that the actor may see."""
    return sa.select(Newsletter).where(policy.visible_to(actor))


def newsletter_for(actor: Actor, newsletter_id: int) -> Newsletter:
    """Return a newsletter; refuses (NotFound) what the actor may not see."""
    by_id = visible_newsletters(actor).where(Newsletter.id == newsletter_id)
    found: Newsletter | None = db.session.scalar(by_id)
    if found is None:
        raise NotFound
    return found


def newsletter_by_reference(actor: Actor, reference: str) -> Newsletter:
    """Return a newsletter by its reference; refuses (NotFound) what the actor may not see."""
    by_reference = visible_newsletters(actor).where(Newsletter.reference == reference)
    found: Newsletter | None = db.session.scalar(by_reference)
    if found is None:
        raise NotFound
    return found


def club_of(newsletter: Newsletter) -> Club:
    """Return the club whose newsletter it is."""
    return db.session.get_one(Club, newsletter.club_id)


def wants_newsletters() -> sa.ColumnElement[bool]:
    """Return the condition for active members with an address whose newest word is a yes."""
    return sa.and_(
        Member.state == MemberState.ACTIVE,
        Member.email.is_not(None),
        clubs.has_agreed(Purpose.MARKETING, Channel.EMAIL),
    )


def audience(newsletter: Newsletter) -> Select[Any]:
    """Return the keys of the members that the newsletter would go to now."""
    select = sa.select(Member.id).where(Member.club_id == newsletter.club_id, wants_newsletters())
    chosen = newsletter.audience.get("members")
    return select if chosen is None else select.where(Member.id.in_(chosen))


def audience_size(newsletter: Newsletter) -> int:
    """Return how many members the newsletter would reach now."""
    everybody = audience(newsletter).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(everybody)) or 0


def counts(newsletter: Newsletter) -> dict[str, int]:
    """Return how many copies stand where, by the interface's names."""
    found = dict.fromkeys(
        ("queued", "leased", "handed_over", "delivered", "bounced", "complained", "skipped"), 0
    )
    found["unknown"] = 0
    names = {
        MailState.QUEUED: "queued",
        MailState.LEASED: "leased",
        MailState.HANDED_OVER: "handed_over",
        MailState.FAILED: "bounced",
        MailState.SUPPRESSED: "skipped",
    }
    rows = db.session.execute(
        sa.select(NewsletterRecipient.state, MailMessage.state, sa.func.count())
        .outerjoin(MailMessage, MailMessage.id == NewsletterRecipient.mail_id)
        .where(NewsletterRecipient.newsletter_id == newsletter.id)
        .group_by(NewsletterRecipient.state, MailMessage.state)
    )
    for state, mail_state, count in rows:
        name = {RecipientState.QUEUED: "queued", RecipientState.SKIPPED: "skipped"}.get(state)
        found[name or names.get(mail_state, "unknown")] += count
    return found


def pictures(newsletter: Newsletter) -> dict[int, StoredFile]:
    """Return the stored pictures that the newsletter's blocks name."""
    return pictures_named(file_ids(newsletter.blocks))


def pictures_named(ids: Iterable[int]) -> dict[int, StoredFile]:
    """Return those of the stored files that are pictures of newsletters, by key."""
    wanted = list(ids)
    if not wanted:
        return {}
    is_picture = StoredFile.purpose == policy.PICTURE_PURPOSE
    files = db.session.scalars(sa.select(StoredFile).where(StoredFile.id.in_(wanted), is_picture))
    return {file.id: file for file in files}


def picture_for(actor: Actor, storage_name: str) -> StoredFile:
    """Return a newsletter's picture by its random name.

    Refuses (NotFound) any other file, and pictures of drafts to all but marketing.
    """
    found = db.session.scalar(
        sa.select(StoredFile).where(
            StoredFile.storage_name == storage_name, policy.pictures_visible_to(actor)
        )
    )
    if found is None:
        raise NotFound
    return found


def member_of(newsletter: Newsletter, number: str) -> Member:
    """Return a member of the newsletter's club by card number; refuses (NotFound) others."""
    mine = (Member.club_id == newsletter.club_id, Member.number == plain_number(number))
    found = db.session.scalar(sa.select(Member).where(*mine))
    if found is None:
        raise NotFound
    return found
