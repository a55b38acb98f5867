"""A newsletter as mail: written once, then filled for each reader."""

import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from loyalty.clubs.models import Club, Member
from loyalty.newsletters import queries
from loyalty.newsletters.documents import Filling, filled_blocks
from loyalty.newsletters.models import Newsletter
from portal.foundation.i18n import in_language, number_text
from portal.foundation.links import absolute_url
from portal.foundation.mail.operations import Draft
from portal.foundation.mail.writing import Written, write_mail


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="newsletters.unsubscribe")


def unsubscribe_token(member_id: int) -> str:
    """Return the signed word by which a mail's link names its reader."""
    return str(_signer().dumps(member_id))


def member_id_of(token: str) -> int | None:
    """Return whom an unsubscribe link names; None when it was not signed here."""
    try:
        found = _signer().loads(token)
    except BadData:
        return None
    return found if isinstance(found, int) else None


class Signs:
    """Words that stand for a reader's own in a mail written once.

    Letters and digits pass through escaping and addresses unchanged; drawn anew for each edition,
    they cannot be typed into a block or a name.
    """

    def __init__(self) -> None:
        drawn = secrets.token_hex(8)
        self.name, self.points, self.token = (f"x{drawn}{part}x" for part in "npt")
        self._any = re.compile(f"x{drawn}[npt]x")

    def replaced(self, text: str, words: Mapping[str, str]) -> str:
        """Return `text` with each sign replaced once; what is put in is not looked at."""
        return self._any.sub(lambda found: words[found[0]], text)


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter written as mail, with signs where each reader's own words go."""

    newsletter: Newsletter
    written: Written
    unsubscribe: str
    signs: Signs

    def for_member(self, member: Member, balance: int) -> Draft:
        """Return the mail of one member; text as it is, HTML escaped."""
        signs, token = self.signs, unsubscribe_token(member.id)
        with in_language(self.newsletter.language):
            points = number_text(balance)
        words = {signs.name: member.name, signs.points: points, signs.token: token}
        escaped = {sign: html.escape(word) for sign, word in words.items()}
        link = signs.replaced(self.unsubscribe, words)
        return Draft(
            kind="newsletters/newsletter",
            address=member.email or "",
            name=member.name,
            language=self.newsletter.language,
            source=f"newsletter:{self.newsletter.id}:{member.id}",
            user_id=member.user_id,
            written=Written(
                subject=self.written.subject,
                text=signs.replaced(self.written.text, words),
                html=signs.replaced(self.written.html, escaped),
            ),
            headers={
                "List-Unsubscribe": f"<{link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Precedence": "bulk",
            },
        )


def write_edition(newsletter: Newsletter, club: Club) -> Edition:
    """Return the newsletter as mail with signs for name, balance and link."""
    signs, files = Signs(), queries.pictures(newsletter)
    unsubscribe = absolute_url("newsletters.unsubscribe", token=signs.token)
    written = write_mail(
        "newsletters/newsletter",
        language=newsletter.language,
        zone=club.timezone,
        newsletter=newsletter,
        club=club,
        blocks=filled_blocks(newsletter, Filling(signs.name, signs.points), files),
        unsubscribe_url=unsubscribe,
    )
    return Edition(newsletter, written, unsubscribe, signs)
