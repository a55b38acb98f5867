"""What points announces, and how its audit entries read."""

from dataclasses import dataclass

from portal.foundation.audit import Sentence, sentences
from portal.foundation.facts import Fact, fact
from portal.foundation.i18n import _l


@fact("points.redeemed")
@dataclass(frozen=True)
class PointsRedeemed(Fact):
    """A member spent points.

    redemption_id, member_id: the redemption and the member. points: how many.
    """

    redemption_id: int
    member_id: int
    points: int


sentences(
    {
        "points.redemption.confirmed": Sentence(
            _l("%(actor)s redeemed %(points)s points: %(reason)s"), "diamond"
        ),
        "points.transfer.reversed": Sentence(
            _l("%(actor)s took %(points)s points back: %(reason)s"), "cross", "bad"
        ),
    }
)
