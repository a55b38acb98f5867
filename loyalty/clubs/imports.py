"""Members from files."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from loyalty.clubs import policy, queries
from loyalty.clubs.addresses import email_key
from loyalty.clubs.models import Channel, Club, Consent, Member, MemberState, Purpose
from loyalty.clubs.numbers import new_number
from loyalty.clubs.operations import birthday_of
from portal.accounts.models import Role, User, UserRole
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.i18n import LANGUAGES, _l
from portal.foundation.imports.columns import (
    Boolean,
    Choice,
    Column,
    Country,
    Day,
    Email,
    Text,
)
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    created,
    register,
    rejected,
    unchanged,
    updated,
)

OPTIONAL = ("email", "birth_date", "language", "country")
WORDING, SOURCE = "import", "import"


class MemberImport:
    """Stores the members of one club; an empty cell leaves what is known as it is."""

    def __init__(self, actor: Actor, context: Context) -> None:
        """Get ready; refuses (NotFound) a club that is not there."""
        self.actor = actor
        self.club = queries.club_for(actor, context.club or "")
        self.today = clock.today(self.club.timezone)

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch: reads by key, one insert, one write for each changed member."""
        known = self._known(Member.external_id, {row.values["external_id"] for row in batch})
        keys = {email_key(row.values["email"]) for row in batch} - {None}
        by_email = self._known(Member.email_key, keys)
        new: dict[str, dict[str, Any]] = {}
        consents: list[tuple[str, bool]] = []
        agreed = self._agreed(known.values())
        taken: set[str | None] = set()
        outcomes = []
        for row in batch:
            values = row.values
            refusal = self._refusal(values, by_email, taken)
            if refusal is not None:
                outcomes.append(refusal)
                continue
            taken.add(email_key(values["email"]))
            member = known.get(values["external_id"])
            if member is None:
                new[values["external_id"]] = self._new(values)
                outcomes.append(created())
            else:
                changed = self._change(member, values)
                said = values["marketing_consent"]
                changed = changed or (said is not None and said != (member.id in agreed))
                outcomes.append(updated() if changed else unchanged())
            if values["marketing_consent"] is not None:
                consents.append((values["external_id"], values["marketing_consent"]))
        self._insert(new)
        self._note(consents)
        return outcomes

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing to do."""
        return None

    def _known(self, column: Any, keys: set[Any]) -> dict[str, Member]:
        select = sa.select(Member).where(Member.club_id == self.club.id, column.in_(keys))
        return {getattr(member, column.key): member for member in db.session.scalars(select)}

    def _refusal(
        self,
        values: dict[str, Any],
        by_email: dict[str, Member],
        taken: set[str | None],
    ) -> Outcome | None:
        """Return why a row cannot be: days to come, or an address that is another member's."""
        for name in ("birth_date", "joined_on"):
            if values[name] is not None and values[name] > self.today:
                return rejected(name, _l("This day is still to come."))
        key = email_key(values["email"])
        owner = by_email.get(key or "")
        if owner is not None and owner.external_id != values["external_id"]:
            return rejected("email", _l("Another member has this address."))
        if key is not None and key in taken:
            return rejected("email", _l("Another member has this address."))
        return None

    def _new(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "club_id": self.club.id,
            "external_id": values["external_id"],
            "name": values["name"],
            "name_key": values["name"].lower(),
            "email": values["email"],
            "email_key": email_key(values["email"]),
            "birth_date": values["birth_date"],
            "birthday": birthday_of(values["birth_date"]),
            "joined_on": values["joined_on"] or self.today,
            "language": values["language"],
            "country": values["country"],
            "state": MemberState.ACTIVE,
            "created_at": clock.now(),
            "version": 1,
        }

    def _insert(self, new: dict[str, dict[str, Any]]) -> None:
        if not new:
            return
        rows = list(new.values())
        numbers: set[str] = set()
        while len(numbers) < len(rows):
            drawn = {new_number() for _ in range(len(rows) - len(numbers))}
            numbers |= drawn - queries.is_taken(list(drawn))
        users = self._users({row["email"].lower() for row in rows if row["email"]})
        for row, number in zip(rows, numbers, strict=True):
            row["number"] = number
            row["user_id"] = users.get((row["email"] or "").lower())
        db.session.execute(sa.insert(Member), rows)

    @staticmethod
    def _users(emails: set[str]) -> dict[str, int]:
        """Return address → user for the members among the users."""
        select = sa.select(User.email_key, User.id).join(UserRole)
        of_members = select.where(UserRole.role == Role.MEMBER, User.is_active)
        rows = db.session.execute(of_members.where(User.email_key.in_(emails)))
        return {row.email_key: row.id for row in rows}

    @staticmethod
    def _change(member: Member, values: dict[str, Any]) -> bool:
        """Write what the file says and the member does not; return whether anything was."""
        names = ("name", "joined_on", *OPTIONAL)
        wanted = {name: values[name] for name in names if values[name] is not None}
        changes = {name: v for name, v in wanted.items() if getattr(member, name) != v}
        for name, value in changes.items():
            setattr(member, name, value)
        if changes:
            member.name_key = member.name.lower()
            member.email_key = email_key(member.email)
            member.birthday = birthday_of(member.birth_date)
        return bool(changes)

    @staticmethod
    def _agreed(members: Iterable[Member]) -> set[int]:
        """Return those of the members whose newest word on newsletters is a yes."""
        ids = [member.id for member in members]
        agreed = queries.has_agreed(Purpose.MARKETING, Channel.EMAIL)
        return set(db.session.scalars(sa.select(Member.id).where(Member.id.in_(ids), agreed)))

    def _note(self, said: list[tuple[str, bool]]) -> None:
        """Note consents that differ from what holds; never having agreed is a no."""
        if not said:
            return
        keys = [key for key, _ in said]
        agreed = queries.has_agreed(Purpose.MARKETING, Channel.EMAIL)
        rows = db.session.execute(
            sa.select(Member.external_id, Member.id, agreed.label("agreed")).where(
                Member.club_id == self.club.id, Member.external_id.in_(keys)
            )
        )
        held = {row.external_id: (row.id, bool(row.agreed)) for row in rows}
        new = [
            {
                "member_id": held[key][0],
                "purpose": Purpose.MARKETING,
                "channel": Channel.EMAIL,
                "granted": granted,
                "wording_version": WORDING,
                "source": SOURCE,
                "at": clock.now(),
            }
            for key, granted in said
            if held[key][1] != granted
        ]
        if new:
            db.session.execute(sa.insert(Consent), new)


def _zone(context: Context) -> str:
    select = sa.select(Club.timezone).where(Club.code == (context.club or "").lower())
    return db.session.scalar(select) or "UTC"


def export(context: Context) -> Iterator[dict[str, Any]]:
    """Yield the members of the club that have an external id, by it."""
    agreed = queries.has_agreed(Purpose.MARKETING, Channel.EMAIL)
    names = ("external_id", "name", "email", "birth_date", "joined_on", "language", "country")
    columns = [getattr(Member, name) for name in names]
    select = (
        sa.select(*columns, agreed.label("marketing_consent"))
        .join(Club, Club.id == Member.club_id)
        .where(Club.code == (context.club or "").lower(), Member.external_id.is_not(None))
        .order_by(Member.external_id)
    )
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        yield row._asdict()


register(
    ImportKind(
        name="members",
        label=_l("Members"),
        key=("external_id",),
        columns=(
            Column("external_id", Text(80), True, _l("The key in your own system.")),
            Column("name", Text(200), True, _l("The member's name.")),
            Column("email", Email(), doc=_l("One address belongs to one member of a club.")),
            Column("birth_date", Day(), doc=_l("For the birthday's gift.")),
            Column("joined_on", Day(), doc=_l("First day in the club; today when empty.")),
            Column("language", Choice(LANGUAGES), doc=_l("How the member is written to.")),
            Column(
                "marketing_consent",
                Boolean(),
                doc=_l("Whether the member agreed to newsletters; empty leaves it as it is."),
            ),
            Column("country", Country(), doc=_l("Where the member lives.")),
        ),
        handler=MemberImport,
        policy=policy.may_enrol,
        export=export,
        needs_club=True,
        zone=_zone,
    )
)
