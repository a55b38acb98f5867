"""Gifts that a date brings: birthdays."""

from datetime import date, timedelta

import sqlalchemy as sa

from loyalty.clubs import queries as clubs
from loyalty.clubs.models import Club, Member, MemberState
from loyalty.clubs.programme import Gift, Programme
from loyalty.points.awards import Share, award, birthdays_kept_on
from loyalty.points.models import AccountKind, PointTransfer
from loyalty.points.operations.earning import award_posting, post_award
from loyalty.points.operations.ledger import (
    lock_members,
    member_code,
    open_accounts,
    source_code,
    transfer_points,
)
from loyalty.points.queries import balances
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db

RULE = "birthday"
BATCH = 500


def _source(member_id: int, year: int) -> str:
    """Return the source of a member's gift of a year, whatever the birth date is by then."""
    return f"birthday:{member_id}:{year}"


def birthday_days(_actor: Actor, *, club: Club) -> list[date]:
    """Return the days whose birthdays may still bring a gift today in the club's zone."""
    today = clock.today(club.timezone)
    gift = _gift_on(club, today)[2]
    window = gift.window_days if gift is not None else -1
    return [today - timedelta(days=ago) for ago in range(window, -1, -1)]


def _gift_on(club: Club, day: date) -> tuple[int | None, Programme, Gift | None]:
    version_id, programme = clubs.rules_of(club).on(day)
    return version_id, programme, programme.birthday_gift


def give_birthday_gifts(actor: Actor, *, club: Club, day: date, after: int = 0) -> tuple[int, int]:
    """Give the gift of the birthdays kept on `day` to the next members after the key `after`.

    Returns how many got it and the last key that was looked at, 0 when there are no more. Each
    member gets one a year; the 29th of February is kept on the 28th where there is none. Only who
    was a member on the day gets it.
    """
    version_id, programme, gift = _gift_on(club, clock.today(club.timezone))
    if gift is None:
        return 0, 0
    # The day is not over where the club is, or it is the gift of a day that was missed.
    happened_at = min(clock.now(), clock.day_end(day, club.timezone) - timedelta(seconds=1))
    members = _celebrating(club, day, after)
    if not members:
        return 0, 0
    lock_members(actor, member_ids=members)
    given = award(
        programme,
        version_id,
        (Share(RULE, gift.points, {"kind": RULE, "on": day.isoformat()}),),
        happened_at,
        club.timezone,
        at_once=True,
    )
    sources = {_source(member, day.year): member for member in members}
    done = set(
        db.session.scalars(
            sa.select(PointTransfer.source).where(
                PointTransfer.club_id == club.id, PointTransfer.source.in_(sources)
            )
        )
    )
    new = {source: member for source, member in sources.items() if source not in done}
    owing = balances.debts(new.values())
    for source, member in new.items():
        if member in owing:
            post_award(
                actor,
                club_id=club.id,
                member_id=member,
                given=given,
                source=source,
                reason="",
                happened_at=happened_at,
            )
    plain = {source: member for source, member in new.items() if member not in owing}
    codes = {member_code(member, AccountKind.AVAILABLE) for member in plain.values()}
    accounts = open_accounts(actor, club_id=club.id, codes=codes | {source_code(RULE)})
    postings = [
        award_posting(
            actor,
            accounts=accounts,
            club_id=club.id,
            member_id=member,
            given=given,
            source=source,
            reason="",
            happened_at=happened_at,
        )
        for source, member in plain.items()
    ]
    transfer_points(actor, postings=postings)
    return len(new), members[-1] if len(members) == BATCH else 0


def _celebrating(club: Club, day: date, after: int) -> list[int]:
    """Return the next members whose birthday is kept on `day` and who have no gift of that year."""
    transfers = sa.select(PointTransfer.id).where(
        PointTransfer.club_id == club.id,
        PointTransfer.source
        == sa.literal("birthday:") + sa.cast(Member.id, sa.String) + f":{day.year}",
    )
    select = (
        sa.select(Member.id)
        .where(
            Member.club_id == club.id,
            Member.birthday.in_(birthdays_kept_on(day)),
            Member.state == MemberState.ACTIVE,
            Member.joined_on <= day,
            Member.id > after,
            ~transfers.exists(),
        )
        .order_by(Member.id)
        .limit(BATCH)
    )
    return list(db.session.scalars(select))
