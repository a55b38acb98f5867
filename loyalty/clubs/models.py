"""Clubs, the versions of their programmes, members, and what members agreed to."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps


class ProgrammeState(StrEnum):
    """Where a version of a programme stands."""

    AWAITING = "awaiting_approval"
    PUBLISHED = "published"


class MemberState(StrEnum):
    """Where a membership stands."""

    ACTIVE = "active"


class Purpose(StrEnum):
    """What a member may agree to be written to for."""

    MARKETING = "marketing"


class Channel(StrEnum):
    """How a member is written to."""

    EMAIL = "email"


MEMBER_LOOKS = {MemberState.ACTIVE: Look(_l("Active"), "dot", "good")}
PROGRAMME_STEPS: Steps[ProgrammeState] = Steps(
    {
        ProgrammeState.AWAITING: Look(_l("Waits for approval"), "half", "info"),
        ProgrammeState.PUBLISHED: Look(_l("Published"), "dot", "good"),
    },
    [
        Step(
            "approve",
            frozenset({ProgrammeState.AWAITING}),
            ProgrammeState.PUBLISHED,
            _l("Approve"),
            "primary",
        )
    ],
)


class Club(Model):
    """A loyalty club: members earn its points by its programme."""

    __tablename__ = "clubs"

    code: Mapped[str] = mapped_column(
        sa.String(40), unique=True, doc="Short name in addresses and files, lower-case."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="As members read it.")
    currency: Mapped[str] = mapped_column(sa.String(3), doc="ISO 4217; purchases are in it.")
    timezone: Mapped[str] = mapped_column(
        sa.String(64), doc="IANA name; the club's days begin and end there."
    )
    points_name: Mapped[str] = mapped_column(sa.String(40), doc="What a point is called.")
    programme_approval: Mapped[bool] = mapped_column(
        doc="True: a version of the programme needs a second person before it holds."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When the club was made.")


class ProgrammeVersion(Model):
    """A club's rules as they hold from a day on."""

    __tablename__ = "programme_versions"
    __table_args__ = (
        sa.UniqueConstraint("club_id", "version"),
        sa.Index(None, "club_id", "status", "effective_from"),
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Whose rules.")
    version: Mapped[int] = mapped_column(doc="Counts up within the club from 1.")
    status: Mapped[ProgrammeState] = mapped_column(
        enum_type(ProgrammeState), doc="Where the version stands."
    )
    effective_from: Mapped[date] = mapped_column(doc="First day, in the club's zone.")
    document: Mapped[dict[str, Any]] = mapped_column(doc="The rules as they were sent.")
    created_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="Who sent it; none for a command."
    )
    created_by_name: Mapped[str] = mapped_column(sa.String(200), doc="That person's name then.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was sent.")
    approved_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="The second person, where one is needed."
    )
    published_at: Mapped[datetime | None] = mapped_column(doc="When it began to hold.")


class Member(Model):
    """A person in a club; one who is in two clubs is two members."""

    __tablename__ = "members"
    __table_args__ = (
        sa.UniqueConstraint("club_id", "external_id"),
        sa.UniqueConstraint("club_id", "email_key"),
        sa.Index(None, "name_key", "id"),
        sa.Index(None, "club_id", "name_key", "id"),
        sa.Index(None, "joined_on", "id"),
        sa.Index(None, "club_id", "joined_on", "id"),
        sa.Index(None, "email_key", "id"),
        sa.Index(
            "ix_members_club_id_birthday",
            "club_id",
            "birthday",
            "id",
            sqlite_where=sa.text("birthday IS NOT NULL"),
            postgresql_where=sa.text("birthday IS NOT NULL"),
        ),
    )

    club_id: Mapped[int] = mapped_column(sa.ForeignKey("clubs.id"), doc="Of which club.")
    number: Mapped[str] = mapped_column(
        sa.String(20), unique=True, doc="On the card: digits, the last one checks the others."
    )
    external_id: Mapped[str | None] = mapped_column(
        sa.String(80), doc="The key in the shop's own system."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="As written by the member.")
    name_key: Mapped[str] = mapped_column(sa.String(200), doc="Name, lower-case, for sorting.")
    email: Mapped[str | None] = mapped_column(sa.String(254), doc="As written by the member.")
    email_key: Mapped[str | None] = mapped_column(
        sa.String(254), doc="Normalised: what makes two addresses the same person's."
    )
    birth_date: Mapped[date | None] = mapped_column(doc="As the member says.")
    birthday: Mapped[int | None] = mapped_column(
        sa.SmallInteger, doc="Month times 100 plus day of the birth date, to find birthdays by."
    )
    joined_on: Mapped[date] = mapped_column(doc="First day in the club, in its zone.")
    language: Mapped[str | None] = mapped_column(sa.String(12), doc="How the member is written to.")
    country: Mapped[str | None] = mapped_column(sa.String(2), doc="ISO 3166 alpha-2.")
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), index=True, doc="Whom the member signs in as."
    )
    tier: Mapped[str | None] = mapped_column(sa.String(40), doc="Code of the level; none without.")
    state: Mapped[MemberState] = mapped_column(
        enum_type(MemberState), doc="Where the membership stands."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When the member was entered here.")
    version: Mapped[int] = mapped_column(default=1, doc="Counts changes; guards stale forms.")

    __mapper_args__ = {"version_id_col": version}


class Consent(Model):
    """What a member said about being written to; the newest of a purpose and channel holds."""

    __tablename__ = "consents"
    __table_args__ = (
        sa.Index(None, "member_id", "purpose", "channel", "id"),
        {"info": {"append_only": True}},
    )

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), doc="Who said it.")
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose), doc="For what.")
    channel: Mapped[Channel] = mapped_column(enum_type(Channel), doc="By what way.")
    granted: Mapped[bool] = mapped_column(doc="True: agreed; false: taken back.")
    wording_version: Mapped[str] = mapped_column(sa.String(40), doc="Which text was shown.")
    source: Mapped[str] = mapped_column(
        sa.String(80), doc="Where it was said: form, import, unsubscribe link."
    )
    at: Mapped[datetime] = mapped_column(doc="When it was said.")
