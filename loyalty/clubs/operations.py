"""Changes of clubs, programmes, members and consents."""

import re
from datetime import date
from typing import Any

import sqlalchemy as sa

from loyalty.clubs import queries
from loyalty.clubs.addresses import email_key
from loyalty.clubs.facts import ConsentGiven, MemberEnrolled
from loyalty.clubs.models import (
    PROGRAMME_STEPS,
    Channel,
    Club,
    Consent,
    Member,
    MemberState,
    ProgrammeState,
    ProgrammeVersion,
    Purpose,
)
from loyalty.clubs.numbers import new_number
from loyalty.clubs.programme import read_programme
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import changed, record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused
from portal.foundation.facts import announce
from portal.foundation.i18n import LANGUAGES, ZONES, _l
from portal.foundation.money import parse_currency

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def create_club(
    actor: Actor,
    *,
    code: str,
    name: str,
    currency: str,
    timezone: str,
    points_name: str,
    programme_approval: bool = True,
) -> Club:
    """Make a club without rules; until a programme is published nobody earns.

    Refuses a code that is taken or holds other than small letters, digits, - and _, an unknown
    currency, an unknown time zone.
    """
    code = code.strip().lower()
    if not CODE.fullmatch(code):
        raise Refused(_l("Use small letters, digits, - and _, such as circle."), field="code")
    if timezone not in ZONES:
        raise Refused(_l("This is not a time zone, such as Europe/Oslo."), field="timezone")
    if db.session.scalar(sa.select(Club.id).where(Club.code == code)) is not None:
        raise Refused(_l("There is a club with this code already."), field="code")
    club = Club(
        code=code,
        name=name.strip(),
        currency=parse_currency(currency),
        timezone=timezone,
        points_name=points_name.strip(),
        programme_approval=programme_approval,
        created_at=clock.now(),
    )
    db.session.add(club)
    record(actor, "clubs.club.created", club, code=code)
    return club


def send_programme(actor: Actor, *, club: Club, document: dict[str, Any]) -> ProgrammeVersion:
    """Add a version of the club's rules: published, or awaiting a second person.

    A document that says what the newest version says adds none. Refuses a document with a wrong
    key, naming its path.
    """
    lock(club)
    programme = read_programme(document)
    newest = queries.newest_version(club)
    if newest is not None and newest.document == document:
        return newest
    version = ProgrammeVersion(
        club_id=club.id,
        version=newest.version + 1 if newest else 1,
        status=ProgrammeState.AWAITING,
        effective_from=programme.effective_from,
        document=document,
        created_by_id=actor.user_id,
        created_by_name=actor.name,
        created_at=clock.now(),
    )
    db.session.add(version)
    record(actor, "clubs.programme.sent", club, version=version.version)
    if not club.programme_approval:
        _publish(actor, club, version)
    db.session.flush()  # what earns later in this transaction reads the rules from the database
    return version


def approve_programme(actor: Actor, *, club: Club, version: ProgrammeVersion) -> ProgrammeVersion:
    """Let a version that awaits it hold from its day on.

    Refuses (WrongState) a version that holds already.
    """
    lock(version)
    PROGRAMME_STEPS.target(version.status, "approve")
    version.approved_by_id = actor.user_id
    _publish(actor, club, version)
    db.session.flush()  # as above
    return version


def _publish(actor: Actor, club: Club, version: ProgrammeVersion) -> None:
    version.status, version.published_at = ProgrammeState.PUBLISHED, clock.now()
    db.session.info.pop("clubs.rules", None)
    record(actor, "clubs.programme.published", club, version=version.version)


def enrol_member(
    actor: Actor,
    *,
    club: Club,
    name: str,
    external_id: str | None = None,
    email: str | None = None,
    birth_date: date | None = None,
    joined_on: date | None = None,
    language: str | None = None,
    country: str | None = None,
) -> tuple[Member, bool]:
    """Enter a person into the club; return the member and whether it is a new one.

    One with the same external id, or the same address, is returned as it is. A user who signs in
    with that address and is a member sees the membership at once. Refuses days that are still to
    come, and an unknown language.
    """
    external_id = (external_id or "").strip() or None
    today = clock.today(club.timezone)
    check_days(today, birth_date=birth_date, joined_on=joined_on)
    if language is not None and language not in LANGUAGES:
        raise Refused(_l("This language is not spoken here."), field="language")
    lock(club)
    found = _known(club, external_id, email)
    if found is not None:
        return found, False
    user = queries.user_for_email(email)
    member = Member(
        club_id=club.id,
        number=_free_number(),
        external_id=external_id,
        name=name.strip(),
        name_key=name.strip().lower(),
        email=email.strip() if email else None,
        email_key=email_key(email),
        birth_date=birth_date,
        birthday=birthday_of(birth_date),
        joined_on=joined_on or today,
        language=language,
        country=country,
        user_id=user.id if user else None,
        state=MemberState.ACTIVE,
        created_at=clock.now(),
    )
    db.session.add(member)
    db.session.flush()  # the fact and the audit need the member's key
    record(actor, "clubs.member.enrolled", member, number=member.number)
    announce(MemberEnrolled(member.id, club.id))
    return member, True


def check_days(today: date, *, birth_date: date | None, joined_on: date | None) -> None:
    """Refuse a birth date and a day of joining that are still to come."""
    if birth_date is not None and not date(1900, 1, 1) <= birth_date <= today:
        raise Refused(_l("This is not a day of the past since 1900."), field="birth_date")
    if joined_on is not None and not date(1900, 1, 1) <= joined_on <= today:
        raise Refused(_l("This is not a day of the past since 1900."), field="joined_on")


def birthday_of(birth_date: date | None) -> int | None:
    """Return month times 100 plus day."""
    return None if birth_date is None else birth_date.month * 100 + birth_date.day


def _known(club: Club, external_id: str | None, email: str | None) -> Member | None:
    """Return the member who has the external id, else the one who has the address."""
    key = email_key(email)
    mine = sa.select(Member).where(Member.club_id == club.id)
    if external_id is not None:
        found = db.session.scalar(mine.where(Member.external_id == external_id))
        if found is not None:
            return found
    return db.session.scalar(mine.where(Member.email_key == key)) if key else None


def _free_number() -> str:
    while True:
        number = new_number()
        if not queries.is_taken([number]):
            return number


def change_member(
    actor: Actor,
    *,
    member: Member,
    name: str,
    email: str | None = None,
    birth_date: date | None = None,
    language: str | None = None,
    country: str | None = None,
) -> None:
    """Change a member's particulars.

    Refuses an address that another member of the club has, and a birth date still to come.
    """
    lock(member)
    club = db.session.get_one(Club, member.club_id)
    check_days(clock.today(club.timezone), birth_date=birth_date, joined_on=None)
    key = email_key(email)
    if key is not None and key != member.email_key:
        other = sa.select(Member.id).where(Member.club_id == club.id, Member.email_key == key)
        if db.session.scalar(other) is not None:
            raise Refused(_l("Another member has this address."), field="email")
    changes = changed(
        member,
        name=name.strip(),
        email=email.strip() if email else None,
        birth_date=birth_date,
        language=language,
        country=country.upper() if country else None,
    )
    member.name_key, member.email_key = member.name.lower(), key
    member.birthday = birthday_of(birth_date)
    if changes:
        record(actor, "clubs.member.changed", member, **changes)


def give_consent(
    actor: Actor,
    *,
    member: Member,
    granted: bool,
    purpose: Purpose = Purpose.MARKETING,
    channel: Channel = Channel.EMAIL,
    wording_version: str = "1",
    source: str,
) -> None:
    """Note what a member says about being written to; saying the same again adds nothing."""
    lock(member)
    said = queries.current_consents(member)
    held = next((c for c in said if (c.purpose, c.channel) == (purpose, channel)), None)
    if held is not None and held.granted == granted and held.wording_version == wording_version:
        return
    if held is None and not granted:
        return
    db.session.add(
        Consent(
            member_id=member.id,
            purpose=purpose,
            channel=channel,
            granted=granted,
            wording_version=wording_version,
            source=source,
            at=clock.now(),
        )
    )
    name = "clubs.consent.given" if granted else "clubs.consent.withdrawn"
    record(actor, name, member, purpose=purpose.value, channel=channel.value)
    announce(ConsentGiven(member.id, purpose.value, channel.value, granted))
