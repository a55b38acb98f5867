"""A newsletter as mail: written once, then filled for each reader."""

import html
from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from loyalty.clubs.models import Club, Member
from loyalty.newsletters import queries
from loyalty.newsletters.documents import Filling, filled_blocks
from loyalty.newsletters.models import Newsletter
from portal.foundation.i18n import in_language, number_text
from portal.foundation.links import absolute_url
from portal.foundation.mail.operations import Draft
from portal.foundation.mail.writing import Written, write_mail

# Signs from a private area of Unicode: they pass through escaping and cannot be typed by mistake.
NAME, POINTS, TOKEN = "\ue000n\ue001", "\ue000p\ue001", "\ue000t\ue001"
STAND_IN = "here-goes-the-word"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="newsletters.unsubscribe")


def unsubscribe_token(member_id: int) -> str:
    """Return the signed word by which a mail's link names its reader."""
    return str(_signer().dumps(member_id))


def member_id_of(token: str) -> int | None:
    """Return whom an unsubscribe link names; None when it was not signed here."""
    try:
        found = _signer().loads(token)
    except BadSignature:
        return None
    return found if isinstance(found, int) else None


@dataclass(frozen=True, slots=True)
class Edition:
    """A newsletter written as mail, with signs where each reader's own words go."""

    newsletter: Newsletter
    written: Written
    unsubscribe: str

    def for_member(self, member: Member, balance: int) -> Draft:
        """Return the mail of one member; text as it is, HTML escaped."""
        token = unsubscribe_token(member.id)
        with in_language(self.newsletter.language):
            words = {NAME: member.name, POINTS: number_text(balance), TOKEN: token}
        text, page = self.written.text, self.written.html
        for sign, word in words.items():
            text = text.replace(sign, word)
            page = page.replace(sign, html.escape(word))
        link = self.unsubscribe.replace(TOKEN, token)
        return Draft(
            kind="newsletters/newsletter",
            address=member.email or "",
            name=member.name,
            language=self.newsletter.language,
            source=f"newsletter:{self.newsletter.id}:{member.id}",
            user_id=member.user_id,
            written=Written(subject=self.written.subject, text=text, html=page),
            headers={
                "List-Unsubscribe": f"<{link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Precedence": "bulk",
            },
        )


def write_edition(newsletter: Newsletter, club: Club) -> Edition:
    """Return the newsletter as mail with signs for name, balance and link."""
    files = queries.pictures(newsletter)
    anybody = absolute_url("newsletters.unsubscribe", token=STAND_IN)
    unsubscribe = anybody.replace(STAND_IN, TOKEN)
    written = write_mail(
        "newsletters/newsletter",
        language=newsletter.language,
        zone=club.timezone,
        newsletter=newsletter,
        club=club,
        blocks=filled_blocks(newsletter, Filling(NAME, POINTS), files),
        unsubscribe_url=unsubscribe,
    )
    return Edition(newsletter, written, unsubscribe)
