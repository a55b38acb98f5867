"""Newsletters over REST."""

from typing import Annotated, Any, Literal

from pydantic import Field

from loyalty.clubs import queries as clubs
from loyalty.newsletters import operations, policy, queries
from loyalty.newsletters.models import Newsletter
from portal.foundation.database import transaction
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    In,
    LongText,
    Name,
    Out,
    PageOut,
    PageQuery,
    ShortText,
    Text,
    Whole,
)
from portal.foundation.web.policies import authorise, requires

bp = ApiBlueprint("newsletters", __name__, tag="Newsletters")


class BlockIn(In):
    """A block: `text` for heading, text and button, `url` for button, `file_id` for picture."""

    kind: Literal["heading", "text", "picture", "button", "balance"]
    text: LongText | None = None
    url: Text | None = None
    alt: Text | None = None
    file_id: Whole | None = None


class AudienceIn(In):
    """Whom it is for: external ids or card numbers; of them those who agreed get it."""

    members: Annotated[list[ShortText], Field(min_length=1, max_length=10_000)]


class NewsletterIn(In):
    """A newsletter to be made; it is a draft until somebody else approves it.

    Without an audience it is for every member who agreed to newsletters.
    """

    subject: Name
    language: Annotated[str, Field(max_length=12)] | None = None
    blocks: Annotated[list[BlockIn], Field(max_length=40)] = []
    audience: AudienceIn | None = None


class NewsletterRow(Out):
    """A newsletter in a list."""

    reference: str
    subject: str
    status: str


class NewsletterOut(NewsletterRow):
    """A newsletter and where its copies stand."""

    audience: int
    counts: dict[str, int]


def _row(newsletter: Newsletter) -> dict[str, Any]:
    return {
        "reference": newsletter.reference,
        "subject": newsletter.subject,
        "status": newsletter.state.value,
    }


def _out(newsletter: Newsletter) -> dict[str, Any]:
    counts = queries.counts(newsletter)
    audience = sum(counts.values()) or queries.audience_size(newsletter)
    return {**_row(newsletter), "audience": audience, "counts": counts}


@bp.get("/newsletters")
@requires(policy.may_make_newsletters)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[NewsletterRow])
def list_newsletters(query: PageQuery) -> dict[str, Any]:
    """List newsletters, newest first."""
    select = queries.visible_newsletters(current_actor())
    rows, cursor = listed(select, Newsletter.id, query)
    return {"items": [_row(row) for row in rows], "next_cursor": cursor}


@bp.post("/clubs/<club>/newsletters")
@requires(policy.may_make_newsletters)
@bp.input(NewsletterIn, arg_name="body")
@bp.output(NewsletterOut, status_code=201)
def create_newsletter(club: str, body: NewsletterIn) -> dict[str, Any]:
    """Make a draft."""
    actor = current_actor()
    with transaction():
        made = operations.create_newsletter(
            actor,
            club=clubs.club_for(actor, club),
            subject=body.subject,
            language=body.language,
            blocks=[block.model_dump() for block in body.blocks],
            members=body.audience.members if body.audience else None,
        )
    return _out(made)


@bp.get("/newsletters/<reference>")
@requires(policy.may_make_newsletters)
@bp.output(NewsletterOut)
def show_newsletter(reference: str) -> dict[str, Any]:
    """Show a newsletter with the counts of its copies."""
    return _out(queries.newsletter_by_reference(current_actor(), reference))


@bp.post("/newsletters/<reference>/<any(approve, send, cancel):step>")
@requires(policy.may_make_newsletters)
@bp.output(NewsletterOut)
def take_step(reference: str, step: str) -> dict[str, Any]:
    """Approve (by another person than its maker), send or cancel a newsletter."""
    actor = current_actor()
    newsletter = queries.newsletter_by_reference(actor, reference)
    authorise(policy.STEP_POLICIES[step], newsletter)
    with transaction():
        operations.STEPS[step](actor, newsletter)
    return _out(newsletter)
