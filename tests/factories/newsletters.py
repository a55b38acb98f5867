"""Newsletters of the named cast, made by the operations themselves."""

from typing import Any

from loyalty.clubs.models import Club, Member
from loyalty.clubs.operations import give_consent
from loyalty.newsletters import operations
from loyalty.newsletters.models import Newsletter
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import transaction
from tests.factories.accounts import actor_of, make_user
from tests.factories.clubs import make_member

BLOCKS: list[dict[str, Any]] = [
    {"kind": "heading", "text": "A quiet season"},
    {"kind": "text", "text": "Dear {name},\n\nyou have {points} points. 冬季保养。"},
    {"kind": "balance", "text": "points are waiting"},
    {"kind": "button", "text": "See your points", "url": "https://vendor.example/club?a=1&b=2"},
]


def marketing() -> Actor:
    """Add the vendor's marketing manager, who makes newsletters."""
    return actor_of(make_user("marketing@vendor.example"))


def colleague() -> Actor:
    """Add a second marketing manager, who approves them."""
    values = {"name": "Mona Colleague", "roles": [Role.MARKETING]}
    return actor_of(make_user("mona@vendor.example", **values))


def agree(member: Member, granted: bool = True) -> Member:
    """Let a member agree to newsletters, or take it back."""
    with transaction():
        give_consent(SYSTEM, member=member, granted=granted, source="tests")
    return member


def willing(club: Club, count: int) -> list[Member]:
    """Enrol members who agree to newsletters."""
    return [
        agree(make_member(club, f"Member {n}", email=f"m{n}@club.example")) for n in range(count)
    ]


def draft(club: Club, maker: Actor = SYSTEM, **values: Any) -> Newsletter:
    """Make a newsletter that could go out."""
    with transaction():
        return operations.create_newsletter(
            maker, club=club, **{"subject": "Winter checks", "blocks": BLOCKS} | values
        )


def approved(club: Club, **values: Any) -> Newsletter:
    """Make a newsletter and approve it."""
    newsletter = draft(club, **values)
    with transaction():
        operations.approve_newsletter(SYSTEM, newsletter)
    return newsletter


def being_sent(club: Club, **values: Any) -> Newsletter:
    """Make a newsletter, approve it and begin to send it."""
    newsletter = approved(club, **values)
    with transaction():
        operations.send_newsletter(SYSTEM, newsletter)
    return newsletter
