"""The lists of clubs and members."""

from typing import Any

from flask import url_for
from sqlalchemy.sql import Select

from loyalty.clubs import queries
from loyalty.clubs.models import Club, Member
from loyalty.clubs.numbers import plain_number
from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Cell, Column
from portal.foundation.web.lists.filters import ChoiceFilter, DayFilter, StartsFilter
from portal.foundation.web.lists.page import ListPage


class ClubList(ListPage):
    """The clubs, by name."""

    title = _l("Clubs")
    key = Club.id
    default_order = "name"
    columns = [
        Column("name", _l("Club"), Club.name, "link"),
        Column("code", _l("Code"), Club.code, "reference", phone="second"),
        Column("currency", _l("Currency"), Club.currency),
        Column("timezone", _l("Time zone"), Club.timezone),
    ]
    empty_title = _l("No club yet")
    empty_reason = _l("Make one, send its programme, and people can join.")

    def select(self) -> Select[Any]:
        """Return the clubs that the actor may see."""
        return queries.club_select(self.actor)

    def extra_columns(self) -> list[Any]:
        """Return the code, which the address of a club is made of."""
        return [Club.code.label("code")]

    def row_url(self, row: Any) -> str:
        """Return the club's page."""
        return url_for("clubs.show", code=row.code)


def _clubs() -> dict[int, str]:
    return {club.id: club.name for club in queries.all_clubs()}


def _email(text: str) -> str:
    return text.strip().lower()


class NameColumn(Column):
    """The name as it is written, sorted without regard to case."""

    def cell(self, row: Any) -> Cell:
        """Return the written name."""
        return Cell("text", row.written_name, row.written_name)

    def plain(self, row: Any) -> object:
        """Return the written name, for files too."""
        return row.written_name


class MemberList(ListPage):
    """The members of all clubs."""

    title = _l("Members")
    key = Member.id
    default_order = "-joined"
    columns = [
        NameColumn("name", _l("Name"), Member.name_key, "link"),
        Column("number", _l("Card"), Member.number, "reference", phone="second"),
        Column("email", _l("E-mail"), Member.email_key, nullable=True),
        Column("club", _l("Club"), Club.name, sortable=False),
        Column("external_id", _l("Own key"), Member.external_id, sortable=False, shown=False),
        Column("joined", _l("Joined"), Member.joined_on, "date", phone="amount"),
    ]
    filters = [
        StartsFilter("name", _l("Name starts with"), Member.name_key),
        StartsFilter("card", _l("Card starts with"), Member.number, plain_number),
        StartsFilter("email", _l("E-mail starts with"), Member.email_key, _email),
        ChoiceFilter("club", _l("Club"), Member.club_id, _clubs),
        DayFilter("joined_from", _l("Joined from"), Member.joined_on, "from"),
        DayFilter("joined_until", _l("Joined until"), Member.joined_on, "until"),
    ]
    empty_title = _l("No members here")
    empty_reason = _l("Enrol one, or send a file of members. With a filter: take it away.")

    def select(self) -> Select[Any]:
        """Return the members that the actor may see, with their clubs."""
        select = queries.member_select(self.actor)
        return select.join(Club, Club.id == Member.club_id)

    def extra_columns(self) -> list[Any]:
        """Return what the address and the first cell are made of."""
        return [Member.number.label("number"), Member.name.label("written_name")]

    def row_url(self, row: Any) -> str:
        """Return the member's page."""
        return url_for("points.member", number=row.number)
