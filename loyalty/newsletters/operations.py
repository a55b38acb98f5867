"""Changes of newsletters, from the draft to the last copy in the outbox."""

from typing import Any

import sqlalchemy as sa

from loyalty.clubs import operations as clubs
from loyalty.clubs.models import Channel, Club, Member, Purpose
from loyalty.clubs.queries import has_agreed
from loyalty.newsletters import mails, queries
from loyalty.newsletters.blocks import checked_blocks, what_is_missing
from loyalty.newsletters.models import (
    NEWSLETTER_STEPS,
    Newsletter,
    NewsletterRecipient,
    NewsletterState,
    RecipientState,
)
from loyalty.points import queries as points
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import changed, record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused, WrongState
from portal.foundation.files.checks import CheckedUpload
from portal.foundation.files.operations import store_upload
from portal.foundation.i18n import LANGUAGES, _l
from portal.foundation.mail.operations import queue_many

BATCH = 200


def create_newsletter(
    actor: Actor,
    *,
    club: Club,
    subject: str,
    language: str | None = None,
    blocks: list[dict[str, Any]] | None = None,
) -> Newsletter:
    """Add a draft; its blocks may be unfinished.

    Refuses an unknown language and blocks that `checked_blocks` refuses.
    """
    newsletter = Newsletter(
        reference="",
        club_id=club.id,
        subject=subject.strip(),
        language=_known_language(language),
        blocks=checked_blocks(blocks or []),
        state=NewsletterState.DRAFT,
        created_by_id=actor.user_id,
        created_at=clock.now(),
    )
    newsletter.reference = f"new:{clock.now().isoformat()}:{actor.user_id}"
    db.session.add(newsletter)
    db.session.flush()  # the reference is made of the key
    newsletter.reference = f"N-{clock.now().year}-{newsletter.id:05d}"
    record(actor, "newsletters.newsletter.created", newsletter)
    return newsletter


def _known_language(language: str | None) -> str:
    wanted = {"zh": "zh_Hans_CN", "zh-Hans": "zh_Hans_CN", None: "en"}.get(language, language)
    if wanted not in LANGUAGES:
        raise Refused(_l("There is no such language."), field="language")
    return str(wanted)


def change_newsletter(
    actor: Actor,
    newsletter: Newsletter,
    *,
    subject: str,
    language: str,
    blocks: list[dict[str, Any]],
) -> None:
    """Change a draft. Refuses (WrongState) any other, and what `create_newsletter` refuses."""
    lock(newsletter)
    if newsletter.state != NewsletterState.DRAFT:
        raise WrongState(_l("Only a draft can be changed."))
    checked = checked_blocks(blocks)
    changes = changed(newsletter, subject=subject.strip(), language=_known_language(language))
    if newsletter.blocks != checked:
        newsletter.blocks = checked
        changes["blocks"] = (None, len(checked))
    if changes:
        record(actor, "newsletters.newsletter.changed", newsletter, **changes)


def add_picture(actor: Actor, upload: CheckedUpload) -> int:
    """Store a picture for a block and return its key."""
    return store_upload(actor, upload, purpose=queries.PICTURE_PURPOSE, kinds=("image",)).id


def approve_newsletter(actor: Actor, newsletter: Newsletter) -> None:
    """Let a draft be sent. Refuses what is unfinished, naming everything that is missing."""
    lock(newsletter)
    target = NEWSLETTER_STEPS.target(newsletter.state, "approve")
    missing = what_is_missing(newsletter.blocks)
    if missing:
        raise Refused(" ".join(missing), code="gate_not_met", missing=missing)
    newsletter.state, newsletter.approved_by_id = target, actor.user_id
    record(actor, "newsletters.newsletter.approved", newsletter)


def send_newsletter(actor: Actor, newsletter: Newsletter) -> int:
    """Begin to send: one copy for each member who agrees now; return how many.

    Refuses an audience of nobody, and (WrongState) what is not approved or was sent before.
    """
    lock(newsletter)
    target = NEWSLETTER_STEPS.target(newsletter.state, "send")
    everybody = queries.audience(newsletter.club_id).subquery()
    columns = ("newsletter_id", "member_id", "state")
    values = sa.select(
        sa.literal(newsletter.id), everybody.c.id, sa.literal(RecipientState.QUEUED.value)
    )
    added = db.session.scalars(
        sa.insert(NewsletterRecipient)
        .from_select(columns, values)
        .returning(NewsletterRecipient.id)
    ).all()
    if not added:
        raise Refused(_l("No member of this club has agreed to newsletters."))
    newsletter.state, newsletter.sent_at = target, clock.now()
    record(actor, "newsletters.newsletter.sending", newsletter, members=len(added))
    return len(added)


def cancel_newsletter(actor: Actor, newsletter: Newsletter) -> None:
    """Stop a newsletter; copies that wait are skipped, those in the outbox go out."""
    lock(newsletter)
    newsletter.state = NEWSLETTER_STEPS.target(newsletter.state, "cancel")
    db.session.execute(
        sa.update(NewsletterRecipient)
        .where(
            NewsletterRecipient.newsletter_id == newsletter.id,
            NewsletterRecipient.state == RecipientState.QUEUED,
        )
        .values(state=RecipientState.SKIPPED, reason="cancelled")
    )
    record(actor, "newsletters.newsletter.cancelled", newsletter)


def mail_next_copies(actor: Actor, *, newsletter_id: int) -> int | None:
    """Put the next 200 copies into the outbox; return how many were dealt with.

    None when the newsletter is not being sent or another process is at it. A member who took the
    agreement back since is skipped; the last batch marks the newsletter as sent.
    """
    newsletter = db.session.scalar(
        sa.select(Newsletter)
        .where(Newsletter.id == newsletter_id, Newsletter.state == NewsletterState.SENDING)
        .with_for_update(skip_locked=True)
    )
    if newsletter is None:
        return None
    waiting = db.session.scalars(
        sa.select(NewsletterRecipient)
        .where(
            NewsletterRecipient.newsletter_id == newsletter.id,
            NewsletterRecipient.state == RecipientState.QUEUED,
        )
        .order_by(NewsletterRecipient.id)
        .limit(BATCH)
    ).all()
    if not waiting:
        newsletter.state = NEWSLETTER_STEPS.target(newsletter.state, "finish")
        record(actor, "newsletters.newsletter.sent", newsletter)
        return 0
    _mail(newsletter, {copy.member_id: copy for copy in waiting})
    return len(waiting)


def _mail(newsletter: Newsletter, copies: dict[int, NewsletterRecipient]) -> None:
    edition = mails.write_edition(newsletter, queries.club_of(newsletter))
    willing = sa.select(Member).where(
        Member.id.in_(copies), has_agreed(Purpose.MARKETING, Channel.EMAIL)
    )
    members = {member.id: member for member in db.session.scalars(willing)}
    balances = points.balances(list(members))
    drafts = {
        member.id: edition.for_member(member, balances.get(member.id, 0))
        for member in members.values()
    }
    keys = queue_many(list(drafts.values()))
    for member_id, copy in copies.items():
        draft = drafts.get(member_id)
        copy.mail_id = keys.get(draft.source) if draft else None
        copy.state = RecipientState.MAILED if copy.mail_id else RecipientState.SKIPPED
        if copy.mail_id is None:
            copy.reason = "no_address" if draft else "took_agreement_back"


def unsubscribe(member: Member) -> None:
    """Note that a member wants no more newsletters; a second time changes nothing."""
    clubs.give_consent(
        Actor(name=member.name), member=member, granted=False, source="unsubscribe link"
    )


STEPS = {"approve": approve_newsletter, "send": send_newsletter, "cancel": cancel_newsletter}
