"""What partners announce, and how their audit entries read."""

from dataclasses import dataclass

from portal.foundation.audit import Sentence, sentences
from portal.foundation.facts import Fact, fact
from portal.foundation.i18n import _l


@fact("partners.partner_suspended")
@dataclass(frozen=True)
class PartnerSuspended(Fact):
    """A partner may not act for the time being.

    partner_id: which. reference: the vendor's.
    """

    partner_id: int
    reference: str


@fact("partners.partner_reinstated")
@dataclass(frozen=True)
class PartnerReinstated(Fact):
    """A suspended partner may act again.

    partner_id: which. reference: the vendor's.
    """

    partner_id: int
    reference: str


sentences(
    {
        "partners.partner.added": Sentence(_l("%(actor)s added the partner"), "dot"),
        "partners.partner.changed": Sentence(_l("%(actor)s changed the partner"), "half"),
        "partners.partner.activated": Sentence(
            _l("%(actor)s made the partner active"), "dot", "good"
        ),
        "partners.partner.put_on_notice": Sentence(
            _l("%(actor)s put the partner on notice: %(reason)s"), "triangle", "warn"
        ),
        "partners.partner.suspended": Sentence(
            _l("%(actor)s suspended the partner: %(reason)s"), "cross", "bad"
        ),
        "partners.partner.reinstated": Sentence(
            _l("%(actor)s reinstated the partner"), "dot", "good"
        ),
        "partners.partner.imported": Sentence(
            _l("%(actor)s brought the partner from a file"), "bar"
        ),
    }
)
