"""What clubs announce, and how their audit entries read."""

from dataclasses import dataclass

from portal.foundation.audit import Sentence, sentences
from portal.foundation.facts import Fact, fact
from portal.foundation.i18n import _l


@fact("clubs.member_enrolled")
@dataclass(frozen=True)
class MemberEnrolled(Fact):
    """A person became a member of a club.

    member_id, club_id: the member and the club.
    """

    member_id: int
    club_id: int


@fact("clubs.consent_given")
@dataclass(frozen=True)
class ConsentGiven(Fact):
    """A member agreed to be written to, or took it back.

    member_id: who. purpose, channel: for what and by what way. granted: whether it is a yes.
    """

    member_id: int
    purpose: str
    channel: str
    granted: bool


sentences(
    {
        "clubs.club.created": Sentence(_l("%(actor)s made the club %(code)s"), "dot", "good"),
        "clubs.programme.sent": Sentence(
            _l("%(actor)s sent version %(version)s of the programme"), "half", "info"
        ),
        "clubs.programme.published": Sentence(
            _l("%(actor)s published version %(version)s of the programme"), "dot", "good"
        ),
        "clubs.member.enrolled": Sentence(
            _l("%(actor)s enrolled the member %(number)s"), "dot", "good"
        ),
        "clubs.member.changed": Sentence(_l("%(actor)s changed the member"), "half"),
        "clubs.consent.given": Sentence(
            _l("%(actor)s noted a yes to %(purpose)s by %(channel)s"), "tick", "good"
        ),
        "clubs.consent.withdrawn": Sentence(
            _l("%(actor)s noted a no to %(purpose)s by %(channel)s"), "bar"
        ),
    }
)
