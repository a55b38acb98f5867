"""Reads of newsletters, their audience and their counts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import Select

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Channel, Club, Member, MemberState, Purpose
from loyalty.newsletters import policy
from loyalty.newsletters.models import Newsletter, NewsletterRecipient, RecipientState
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.errors import NotFound
from portal.foundation.files.models import StoredFile
from portal.foundation.mail.models import MailMessage, MailState

PICTURE_PURPOSE = "newsletters.picture"


def visible_newsletters(actor: Actor) -> Select[Any]:
    """Return the select of newsletters that the actor may see."""
    return sa.select(Newsletter).where(policy.visible_to(actor))


def newsletter_for(actor: Actor, newsletter_id: int) -> Newsletter:
    """Return a newsletter; refuses (NotFound) what the actor may not see."""
    found = db.session.scalar(visible_newsletters(actor).where(Newsletter.id == newsletter_id))
    if found is None:
        raise NotFound
    return found


def newsletter_by_reference(actor: Actor, reference: str) -> Newsletter:
    """Return a newsletter by its reference; refuses (NotFound) what the actor may not see."""
    by_reference = visible_newsletters(actor).where(Newsletter.reference == reference)
    found = db.session.scalar(by_reference)
    if found is None:
        raise NotFound
    return found


def club_of(newsletter: Newsletter) -> Club:
    """Return the club whose newsletter it is."""
    return db.session.get_one(Club, newsletter.club_id)


def audience(club_id: int) -> Select[Any]:
    """Return the keys of the club's active members with an address who agree."""
    return sa.select(Member.id).where(
        Member.club_id == club_id,
        Member.state == MemberState.ACTIVE,
        Member.email.is_not(None),
        clubs.has_agreed(Purpose.MARKETING, Channel.EMAIL),
    )


def audience_size(club_id: int) -> int:
    """Return how many members a newsletter of the club would reach now."""
    everybody = audience(club_id).subquery()
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
    ids = [int(block["file_id"]) for block in newsletter.blocks if block.get("file_id")]
    files = db.session.scalars(
        sa.select(StoredFile).where(StoredFile.id.in_(ids), StoredFile.purpose == PICTURE_PURPOSE)
    )
    return {file.id: file for file in files}


def picture_by_name(storage_name: str) -> StoredFile:
    """Return a newsletter's picture by its random name; refuses (NotFound) any other file.

    Newsletters go to people without a sign-in: their pictures are public once they are named.
    """
    found = db.session.scalar(
        sa.select(StoredFile).where(
            StoredFile.storage_name == storage_name, StoredFile.purpose == PICTURE_PURPOSE
        )
    )
    if found is None:
        raise NotFound
    return found


def member_of(newsletter: Newsletter, number: str) -> Member:
    """Return a member of the newsletter's club by card number; refuses (NotFound) others."""
    mine = (Member.club_id == newsletter.club_id, Member.number == number)
    found = db.session.scalar(sa.select(Member).where(*mine))
    if found is None:
        raise NotFound
    return found
