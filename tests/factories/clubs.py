"""Clubs and members of the named cast, made by the operations themselves."""

from typing import Any

from loyalty.clubs.models import Club, Member
from loyalty.clubs.operations import create_club, enrol_member, send_programme
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction

PROGRAMME: dict[str, Any] = {
    "effective_from": "2020-01-01",
    "earning": [
        {"name": "base", "phase": "base", "points_per": "1.00", "points": 1},
        {"name": "repair", "phase": "bonus", "points": 150, "where": {"source": ["service_job"]}},
    ],
    "excluded": {"category": ["gift_card"]},
    "expiry": {"mode": "after_days", "days": 365},
    "redemption": {"minimum": 1, "step": 1},
    "gifts": [{"job": "birthday", "points": 200, "window_days": 7}],
}


def make_club(code: str = "circle", programme: dict[str, Any] | None = None, **values: Any) -> Club:
    """Make the Halden Circle, or another club, with a programme that holds since 2020."""
    given: dict[str, Any] = {
        "name": "Halden Circle",
        "currency": "EUR",
        "timezone": "Europe/Oslo",
        "points_name": "points",
        "programme_approval": False,
    }
    with transaction():
        club = create_club(SYSTEM, code=code, **given | values)
        send_programme(SYSTEM, club=club, document=PROGRAMME if programme is None else programme)
    return club


def make_member(club: Club, name: str = "林晓雯", **values: Any) -> Member:
    """Enrol Lin, or another member."""
    with transaction():
        return enrol_member(SYSTEM, club=club, name=name, **values)[0]


def make_lin(club: Club, **values: Any) -> Member:
    """Enrol Lin, who has an address."""
    return make_member(club, **({"email": "lin@club.example", "external_id": "lin"} | values))


def make_marta(club: Club, **values: Any) -> Member:
    """Enrol Marta, who has an address too."""
    values = {"email": "marta@club.example", "external_id": "marta"} | values
    return make_member(club, "Marta Lind", **values)
