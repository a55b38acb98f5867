"""Changes of newsletters, from the draft to the last copy in the outbox."""

import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from loyalty.clubs import operations as clubs
from loyalty.clubs.models import Club, Member
from loyalty.clubs.queries import members_named
from loyalty.newsletters import mails, policy, queries
from loyalty.newsletters.blocks import checked_blocks, file_ids, what_is_missing
from loyalty.newsletters.models import (
    NEWSLETTER_STEPS,
    Newsletter,
    NewsletterPicture,
    NewsletterRecipient,
    NewsletterState,
    RecipientState,
)
from loyalty.points.queries import balances as points
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
    members: Sequence[str] | None = None,
) -> Newsletter:
    """Add a draft; its blocks may be unfinished.

    members: external ids or card numbers of those it is for; everybody who agreed when None.
    Refuses an unknown language, blocks that `checked_blocks` refuses, pictures that are not there,
    and (`member_unknown`) members that the club does not have.
    """
    now = clock.now()
    newsletter = Newsletter(
        reference="~" + secrets.token_hex(16),
        club_id=club.id,
        subject=subject.strip(),
        language=_known_language(language),
        blocks=_checked(blocks or []),
        audience={} if members is None else {"members": _chosen(club, members)},
        state=NewsletterState.DRAFT,
        created_by_id=actor.user_id,
        created_at=now,
    )
    db.session.add(newsletter)
    db.session.flush()  # the reference is made of the key
    newsletter.reference = f"N-{clock.local_date(now, club.timezone).year}-{newsletter.id:05d}"
    _note_pictures(newsletter)
    record(actor, "newsletters.newsletter.created", newsletter)
    return newsletter


def _chosen(club: Club, named: Sequence[str]) -> list[int]:
    found: dict[str, int] = {}
    for start in range(0, len(named), 1_000):
        found |= members_named(club, named[start : start + 1_000])
    unknown = next((text for text in named if text not in found), None)
    if unknown is not None:
        sentence = _l("There is no member %(member)s in this club.", member=unknown)
        raise Refused(sentence, field="audience", code="member_unknown")
    return sorted(set(found.values()))


def _checked(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    checked = checked_blocks(blocks)
    named = file_ids(checked)
    if named - queries.pictures_named(named).keys():
        raise Refused(_l("A picture is not there; upload it again."), field="blocks")
    return checked


def _note_pictures(newsletter: Newsletter) -> None:
    """Keep in rows which pictures the blocks show, so that one look-up says who may see them."""
    shown = file_ids(newsletter.blocks)
    mine = NewsletterPicture.newsletter_id == newsletter.id
    db.session.execute(sa.delete(NewsletterPicture).where(mine))
    rows = [{"newsletter_id": newsletter.id, "file_id": key} for key in sorted(shown)]
    if rows:
        db.session.execute(sa.insert(NewsletterPicture), rows)


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
    checked = _checked(blocks)
    changes = changed(newsletter, subject=subject.strip(), language=_known_language(language))
    if newsletter.blocks != checked:
        newsletter.blocks = checked
        changes["blocks"] = (None, len(checked))
        _note_pictures(newsletter)
    if changes:
        newsletter.changed_by_id = actor.user_id
        record(actor, "newsletters.newsletter.changed", newsletter, **changes)


def add_picture(actor: Actor, upload: CheckedUpload) -> int:
    """Store a picture for a block and return its key."""
    return store_upload(actor, upload, purpose=policy.PICTURE_PURPOSE, kinds=("image",)).id


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
    everybody = queries.audience(newsletter).subquery()
    columns = ("newsletter_id", "member_id", "state")
    values = sa.select(
        sa.literal(newsletter.id), everybody.c.id, sa.literal(RecipientState.QUEUED.value)
    )
    db.session.execute(sa.insert(NewsletterRecipient).from_select(columns, values))
    mine = NewsletterRecipient.newsletter_id == newsletter.id
    count = db.session.scalar(sa.select(sa.func.count(NewsletterRecipient.id)).where(mine)) or 0
    if not count:
        raise Refused(_l("No member that this is for has agreed to newsletters."))
    newsletter.state, newsletter.sent_at = target, clock.now()
    record(actor, "newsletters.newsletter.sending", newsletter, members=count)
    return count


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
        .execution_options(populate_existing=True)
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
        .execution_options(populate_existing=True)
    ).all()
    if not waiting:
        newsletter.state = NEWSLETTER_STEPS.target(newsletter.state, "finish")
        record(actor, "newsletters.newsletter.sent", newsletter)
        return 0
    _mail(newsletter, {copy.member_id: copy for copy in waiting})
    return len(waiting)


def _mail(newsletter: Newsletter, copies: dict[int, NewsletterRecipient]) -> None:
    edition = mails.write_edition(newsletter, queries.club_of(newsletter))
    willing = sa.select(Member).where(Member.id.in_(copies), queries.wants_newsletters())
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
