"""Reads of clubs, programmes, members and consents."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from loyalty.clubs import policy
from loyalty.clubs.addresses import email_key
from loyalty.clubs.models import (
    Channel,
    Club,
    Consent,
    Member,
    ProgrammeState,
    ProgrammeVersion,
    Purpose,
)
from loyalty.clubs.numbers import is_number, plain_number
from loyalty.clubs.programme import Programme, read_programme
from portal.accounts.models import Role, User, UserRole
from portal.foundation.actors import Actor
from portal.foundation.database import db, starting_with
from portal.foundation.errors import NotFound


def club_select(actor: Actor) -> sa.Select[Any]:
    """Return the clubs that the actor may see."""
    return sa.select(Club).where(policy.clubs_visible_to(actor))


def club_for(actor: Actor, code: str) -> Club:
    """Return a club by its code; refuses (NotFound) one that the actor may not see."""
    club: Club | None = db.session.scalar(club_select(actor).where(Club.code == code.lower()))
    if club is None:
        raise NotFound
    return club


def all_clubs() -> list[Club]:
    """Return every club, for jobs and choices."""
    return list(db.session.scalars(sa.select(Club).order_by(Club.id)))


def member_select(actor: Actor) -> sa.Select[Any]:
    """Return the members that the actor may see."""
    return sa.select(Member).where(policy.visible_to(actor))


def member_for(actor: Actor, number: str) -> Member:
    """Return a member by card number.

    Refuses (NotFound) a mistyped number before any look-up, and one that the actor may not see.
    """
    plain = plain_number(number)
    if not is_number(plain):
        raise NotFound
    member: Member | None = db.session.scalar(member_select(actor).where(Member.number == plain))
    if member is None:
        raise NotFound
    return member


def member_named(club: Club, text: str) -> Member | None:
    """Return the club's member with this external id or card number."""
    named = sa.select(Member).where(Member.club_id == club.id)
    found = db.session.scalar(named.where(Member.external_id == text))
    plain = plain_number(text)
    if found is None and is_number(plain):
        found = db.session.scalar(named.where(Member.number == plain))
    return found


def members_named(club: Club, texts: Iterable[str]) -> dict[str, int]:
    """Return text → member for external ids and card numbers of a club; at most 1,000 texts."""
    wanted = set(texts)
    found: dict[str, int] = {}
    for column in (Member.number, Member.external_id):
        rows = sa.select(column, Member.id).where(Member.club_id == club.id, column.in_(wanted))
        found.update((text, member_id) for text, member_id in db.session.execute(rows) if text)
    return found


def numbers_of(member_ids: Iterable[int]) -> dict[int, str]:
    """Return member → card number."""
    select = sa.select(Member.id, Member.number).where(Member.id.in_(list(member_ids)))
    return {row.id: row.number for row in db.session.execute(select)}


def members_by_email(email: str | None) -> list[Member]:
    """Return the memberships of an address, one a club."""
    key = email_key(email)
    if key is None:
        return []
    select = sa.select(Member).where(Member.email_key == key)
    return list(db.session.scalars(select.order_by(Member.id)))


def memberships(actor: Actor) -> list[tuple[Member, Club]]:
    """Return the actor's own memberships with their clubs, the oldest first."""
    select = sa.select(Member, Club).join(Club, Club.id == Member.club_id)
    mine = select.where(policy.is_own(actor)).order_by(Member.id)
    return [(member, club) for member, club in db.session.execute(mine)]


def user_for_email(email: str | None) -> User | None:
    """Return the active user with the role member and this very address."""
    if not email:
        return None
    select = sa.select(User).join(UserRole).where(UserRole.role == Role.MEMBER, User.is_active)
    return db.session.scalar(select.where(User.email_key == email.strip().lower()))


def newest_version(club: Club) -> ProgrammeVersion | None:
    """Return the version sent last, published or not."""
    select = sa.select(ProgrammeVersion).where(ProgrammeVersion.club_id == club.id)
    return db.session.scalar(select.order_by(ProgrammeVersion.version.desc()).limit(1))


def version_for(club: Club, version: int) -> ProgrammeVersion:
    """Return one version of a programme; refuses (NotFound) one that does not exist."""
    found = db.session.scalar(
        sa.select(ProgrammeVersion).where(
            ProgrammeVersion.club_id == club.id, ProgrammeVersion.version == version
        )
    )
    if found is None:
        raise NotFound
    return found


def versions(club: Club) -> list[ProgrammeVersion]:
    """Return all versions of a club's programme, the newest first."""
    select = sa.select(ProgrammeVersion).where(ProgrammeVersion.club_id == club.id)
    return list(db.session.scalars(select.order_by(ProgrammeVersion.version.desc())))


NO_RULES = Programme(effective_from=date.min)


class Rules:
    """A club's published programmes, to ask which one holds on a day."""

    def __init__(self, club: Club) -> None:
        published = (
            sa.select(ProgrammeVersion.id, ProgrammeVersion.document)
            .where(
                ProgrammeVersion.club_id == club.id,
                ProgrammeVersion.status == ProgrammeState.PUBLISHED,
            )
            .order_by(ProgrammeVersion.effective_from, ProgrammeVersion.version)
        )
        self._versions = [
            (version_id, read_programme(document))
            for version_id, document in db.session.execute(published)
        ]

    def on(self, day: date) -> tuple[int | None, Programme]:
        """Return the key and the rules of the version that holds on `day` in the club's zone.

        Before the first version there are no rules: nothing is earned and nothing expires.
        """
        held: tuple[int | None, Programme] = (None, NO_RULES)
        for version_id, programme in self._versions:
            if programme.effective_from <= day:
                held = (version_id, programme)
        return held


def rules_of(club: Club) -> Rules:
    """Return the club's published rules, read once in a session's transaction."""
    cached = db.session.info.setdefault("clubs.rules", {})
    if club.id not in cached:
        cached[club.id] = Rules(club)
    rules: Rules = cached[club.id]
    return rules


def member_count(club: Club) -> int:
    """Return how many members a club has; beyond 1,000 it says 1,001."""
    some = sa.select(Member.id).where(Member.club_id == club.id).limit(1_001).subquery()
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def members_found(actor: Actor, text: str) -> list[Member]:
    """Return at most ten members by card number, or by how the address or the name starts."""
    select = member_select(actor).limit(10)
    plain = plain_number(text)
    if is_number(plain):
        return list(db.session.scalars(select.where(Member.number == plain)))
    start = text.strip().lower()
    column = Member.email_key if "@" in start else Member.name_key
    starts = starting_with(column, start)
    return list(db.session.scalars(select.where(starts).order_by(column, Member.id)))


def consents(member: Member) -> list[Consent]:
    """Return what a member said about being written to, the newest first."""
    select = sa.select(Consent).where(Consent.member_id == member.id)
    return list(db.session.scalars(select.order_by(Consent.id.desc())))


def current_consents(member: Member) -> list[Consent]:
    """Return the consent that holds for each purpose and channel that was ever spoken of."""
    held: dict[tuple[Purpose, Channel], Consent] = {}
    for consent in consents(member):
        held.setdefault((consent.purpose, consent.channel), consent)
    return list(held.values())


def has_agreed(purpose: Purpose, channel: Channel) -> sa.ColumnElement[bool]:
    """Return the condition for members whose newest word on a purpose and channel is a yes."""
    newer = aliased(Consent)
    same = (newer.purpose == purpose, newer.channel == channel)
    overtaken = sa.exists().where(
        newer.member_id == Consent.member_id, *same, newer.id > Consent.id
    )
    return sa.exists().where(
        Consent.member_id == Member.id,
        Consent.purpose == purpose,
        Consent.channel == channel,
        Consent.granted,
        ~overtaken,
    )


def agrees(member: Member, purpose: Purpose, channel: Channel) -> bool:
    """Return whether the member's newest word on a purpose and channel is a yes."""
    newest = (
        sa.select(Consent.granted)
        .where(
            Consent.member_id == member.id,
            Consent.purpose == purpose,
            Consent.channel == channel,
        )
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return bool(db.session.scalar(newest))


def is_taken(numbers: list[str]) -> set[str]:
    """Return those of `numbers` that are on somebody's card."""
    return set(db.session.scalars(sa.select(Member.number).where(Member.number.in_(numbers))))
