"""Clubs, programmes and members in JSON."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from loyalty.clubs import operations, policy, queries
from loyalty.clubs.models import Club, Member, ProgrammeState, ProgrammeVersion
from loyalty.clubs.programme import Programme
from portal.foundation import clock
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound
from portal.foundation.imports.columns import COUNTRIES
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    Currency,
    Email,
    Empty,
    In,
    InstantOut,
    Name,
    Out,
    PageOut,
    PageQuery,
    ShortText,
)
from portal.foundation.web.policies import authorise, requires

bp = ApiBlueprint("clubs", __name__, tag="Clubs")


def _known_country(code: str) -> str:
    if code.upper() not in COUNTRIES:
        raise ValueError("is not a country code of two letters")
    return code.upper()


Country = Annotated[str, Field(min_length=2, max_length=2), AfterValidator(_known_country)]
Language = Literal["en", "zh_Hans_CN"]


class ClubIn(In):
    """A club. programme_approval false lets one person publish a programme alone."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    name: Name
    currency: Currency
    timezone: Annotated[str, Field(min_length=1, max_length=64)]
    points_name: Annotated[str, Field(min_length=1, max_length=40)]
    programme_approval: bool = True


class ClubOut(Out):
    """A club."""

    code: str
    name: str
    currency: str
    timezone: str
    points_name: str
    programme_approval: bool
    created_at: InstantOut


class VersionOut(Out):
    """What became of a version of a programme."""

    version: int
    status: ProgrammeState


class ProgrammeOut(VersionOut):
    """A version of a programme with its rules. effective_from: the first day, in the club's zone.

    current: the version that holds today, null before the first one does.
    """

    effective_from: date
    programme: dict[str, Any]
    created_by: str
    created_at: InstantOut
    published_at: InstantOut | None
    current: int | None


class MemberIn(In):
    """A person who joins a club."""

    external_id: ShortText | None = None
    name: Name
    email: Email | None = None
    birth_date: date | None = None
    joined_on: date | None = None
    language: Language | None = None
    country: Country | None = None


class MemberOut(Out):
    """A member. tier: code of the level, null without."""

    number: str
    external_id: str | None
    club: str
    name: str
    email: str | None
    birth_date: date | None
    joined_on: date
    language: str | None
    country: str | None
    tier: str | None
    state: str


def member_out(member: Member, club: Club) -> MemberOut:
    """Return a member as the API shows one."""
    names = set(MemberOut.model_fields) - {"club", "state"}
    values = {name: getattr(member, name) for name in names}
    return MemberOut(**values, club=club.code, state=member.state.value)


def _programme_out(club: Club, version: ProgrammeVersion) -> ProgrammeOut:
    key, _ = queries.rules_of(club).on(clock.today(club.timezone))
    current = next((one.version for one in queries.versions(club) if one.id == key), None)
    return ProgrammeOut(
        version=version.version,
        status=version.status,
        effective_from=version.effective_from,
        programme=version.document,
        created_by=version.created_by_name,
        created_at=version.created_at,
        published_at=version.published_at,
        current=current,
    )


@bp.post("/clubs")
@requires(policy.may_create_club)
@bp.input(ClubIn, arg_name="body")
@bp.output(ClubOut, status_code=201)
def create_club(body: ClubIn) -> Club:
    """Make a club without rules; until a programme is published nobody earns."""
    with transaction():
        return operations.create_club(current_actor(), **body.model_dump())


@bp.get("/clubs")
@requires(policy.may_look_into_clubs)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[ClubOut])
def list_clubs(query: PageQuery) -> dict[str, Any]:
    """List the clubs that the token's user may see, the newest first."""
    clubs, following = listed(queries.club_select(current_actor()), Club.id, query)
    return {"items": clubs, "next_cursor": following}


@bp.get("/clubs/<club>")
@requires(policy.may_look_into_clubs)
@bp.output(ClubOut)
def show_club(club: str) -> Club:
    """Show one club."""
    return queries.club_for(current_actor(), club)


@bp.put("/clubs/<club>/programme")
@requires(policy.may_send_programme)
@bp.input(Programme, arg_name="body")
@bp.output(VersionOut)
@bp.doc(responses={202: "The version awaits the approval of another person."})
def send_programme(club: str, body: Programme) -> tuple[ProgrammeVersion, int]:
    """Send the next version of a club's rules.

    Answers 200 when it is published and 202 when another person has to approve it. Unknown keys,
    and keys that are not carried out yet, are refused with their path. The same document again
    makes no new version.
    """
    actor = current_actor()
    document = body.model_dump(mode="json", exclude_unset=True)
    with transaction():
        found = queries.club_for(actor, club)
        version = operations.send_programme(actor, club=found, document=document)
    return version, 200 if version.status is ProgrammeState.PUBLISHED else 202


@bp.get("/clubs/<club>/programme")
@requires(policy.may_send_programme)
@bp.output(ProgrammeOut)
def show_programme(club: str) -> ProgrammeOut:
    """Show the newest version of a club's rules, and which one holds today."""
    found = queries.club_for(current_actor(), club)
    newest = queries.newest_version(found)
    if newest is None:
        raise NotFound
    return _programme_out(found, newest)


@bp.get("/clubs/<club>/programme/<int:version>")
@requires(policy.may_send_programme)
@bp.output(ProgrammeOut)
def show_version(club: str, version: int) -> ProgrammeOut:
    """Show one version of a club's rules."""
    found = queries.club_for(current_actor(), club)
    return _programme_out(found, queries.version_for(found, version))


@bp.post("/clubs/<club>/programme/<int:version>/approve")
@requires(policy.may_send_programme)
@bp.input(Empty, arg_name="_body")
@bp.output(VersionOut)
def approve_programme(club: str, version: int, _body: Empty) -> ProgrammeVersion:
    """Let a version that awaits it hold; its author may not."""
    actor = current_actor()
    found = queries.club_for(actor, club)
    awaiting = queries.version_for(found, version)
    authorise(policy.may_approve_programme, awaiting)
    with transaction():
        return operations.approve_programme(actor, club=found, version=awaiting)


@bp.post("/clubs/<club>/members")
@requires(policy.may_enrol)
@bp.input(MemberIn, arg_name="body")
@bp.output(MemberOut, status_code=201)
@bp.doc(responses={200: "The member that there is with this external id or address."})
def enrol_member(club: str, body: MemberIn) -> tuple[MemberOut, int]:
    """Enter a person into a club; the same external id or address gives the member there is."""
    actor = current_actor()
    with transaction():
        found = queries.club_for(actor, club)
        member, is_new = operations.enrol_member(actor, club=found, **body.model_dump())
    return member_out(member, found), 201 if is_new else 200


@bp.get("/clubs/<club>/members")
@requires(policy.may_look_into_clubs)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[MemberOut])
def list_members(club: str, query: PageQuery) -> dict[str, Any]:
    """List the members of a club that the token's user may see, the newest first."""
    actor = current_actor()
    found = queries.club_for(actor, club)
    select = queries.member_select(actor).where(Member.club_id == found.id)
    members, following = listed(select, Member.id, query)
    return {"items": [member_out(one, found) for one in members], "next_cursor": following}


@bp.get("/members/<number>")
@requires(policy.may_look_into_clubs)
@bp.output(MemberOut)
def show_member(number: str) -> MemberOut:
    """Show one member by card number."""
    member = queries.member_for(current_actor(), number)
    return member_out(member, db.session.get_one(Club, member.club_id))
