"""A newsletter as a page for print."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loyalty.clubs.models import Member
from loyalty.newsletters import queries
from loyalty.newsletters.blocks import filled, paragraphs
from loyalty.newsletters.models import Newsletter
from loyalty.points.queries import balances as points
from portal.foundation.files.models import StoredFile
from portal.foundation.i18n import in_language, number_text
from portal.foundation.pdf import render_pdf


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled into a newsletter for one reader."""

    name: str
    points: str


def filling_for(newsletter: Newsletter, member: Member | None) -> Filling:
    """Return a member's name and balance, or a sample's."""
    with in_language(newsletter.language):
        if member is None:
            return Filling("Marta Sample", number_text(1_234))
        return Filling(member.name, number_text(points.balances([member.id]).get(member.id, 0)))


def filled_blocks(
    newsletter: Newsletter, filling: Filling, files: Mapping[int, StoredFile]
) -> list[dict[str, Any]]:
    """Return the blocks with names and balances put in: plain replacement, escaped later."""
    words = {"name": filling.name, "points": filling.points}
    found = []
    for block in newsletter.blocks:
        text = filled(block.get("text", ""), words)
        drawn = {**block, "text": text, "paragraphs": paragraphs(text), "points": filling.points}
        if block["kind"] == "picture":
            drawn["file"] = files.get(int(block.get("file_id") or 0))
        found.append(drawn)
    return found


def print_edition(newsletter: Newsletter, member: Member | None = None) -> bytes:
    """Return the newsletter as a PDF on A4, with a member's balance or a sample's.

    Refuses (PdfFailed) what the drawing process refuses; not inside `transaction()`.
    """
    club = queries.club_of(newsletter)
    files = queries.pictures(newsletter)
    return render_pdf(
        "pdf/newsletters/print.html",
        language=newsletter.language,
        title=newsletter.subject,
        club=club,
        newsletter=newsletter,
        blocks=filled_blocks(newsletter, filling_for(newsletter, member), files),
    )
