"""What deals announce, how their audit entries read, and their settings."""

from dataclasses import dataclass
from datetime import date

from portal.foundation.audit import Sentence, sentences
from portal.foundation.facts import Fact, fact
from portal.foundation.i18n import _l
from portal.foundation.settings import Definition, define


@dataclass(frozen=True)
class DealFact(Fact):
    """What every fact about a deal tells.

    deal_id: which. reference: as people say it. partner_id: whose.
    """

    deal_id: int
    reference: str
    partner_id: int


@fact("deals.deal_registered")
@dataclass(frozen=True)
class DealRegistered(DealFact):
    """A partner, or staff for one, began a draft."""


@fact("deals.deal_submitted")
@dataclass(frozen=True)
class DealSubmitted(DealFact):
    """A deal was handed in for a decision, perhaps again.

    possible_conflict: whether another deal may come first.
    """

    possible_conflict: bool


@fact("deals.deal_approved")
@dataclass(frozen=True)
class DealApproved(DealFact):
    """A deal was approved.

    customer_id: whose opportunity. protected_until: last day of the protection, vendor-local.
    """

    customer_id: int | None
    protected_until: date


@fact("deals.deal_rejected")
@dataclass(frozen=True)
class DealRejected(DealFact):
    """A deal was rejected for good."""


@fact("deals.deal_returned")
@dataclass(frozen=True)
class DealReturned(DealFact):
    """A deal was given back to the partner with a question."""


@fact("deals.deal_withdrawn")
@dataclass(frozen=True)
class DealWithdrawn(DealFact):
    """The partner gave a deal up."""


@fact("deals.deal_expired")
@dataclass(frozen=True)
class DealExpired(DealFact):
    """A deal's protection is over."""


# The kind of mail that a reader may do without.
NOTICE = "deals.decided"

# Entries that tell of others' deals: never for partners.
STAFF_ONLY = ("deals.conflict.found",)

sentences(
    {
        "deals.deal.registered": Sentence(_l("%(actor)s registered the deal"), "ring"),
        "deals.deal.changed": Sentence(_l("%(actor)s changed the draft"), "ring"),
        "deals.deal.answered": Sentence(_l("%(actor)s answered the reviewer"), "half", "info"),
        "deals.deal.submitted": Sentence(_l("%(actor)s submitted the deal"), "ring", "info"),
        "deals.deal.resubmitted": Sentence(
            _l("%(actor)s submitted the deal again"), "ring", "info"
        ),
        "deals.deal.review_started": Sentence(_l("%(actor)s began the review"), "half", "info"),
        "deals.deal.returned": Sentence(
            _l("%(actor)s returned the deal: %(reason)s"), "diamond", "warn"
        ),
        "deals.deal.approved": Sentence(
            _l("%(actor)s approved the deal; protected until %(protected_until)s"), "dot", "good"
        ),
        "deals.deal.rejected": Sentence(
            _l("%(actor)s rejected the deal: %(reason)s"), "cross", "bad"
        ),
        "deals.deal.withdrawn": Sentence(_l("%(actor)s withdrew the deal"), "bar"),
        "deals.deal.expired": Sentence(_l("The protection ended"), "bar"),
        "deals.deal.reminded": Sentence(
            _l("%(actor)s reminded the partner: %(days)s days of protection left"), "triangle"
        ),
        "deals.deal.deleted": Sentence(_l("%(actor)s deleted the draft %(reference)s"), "bar"),
        "deals.deal.imported": Sentence(
            _l("%(actor)s brought the deal from a file as %(stage)s"), "bar"
        ),
        "deals.deal.updated_by_file": Sentence(_l("%(actor)s updated the deal from a file"), "bar"),
        "deals.conflict.found": Sentence(
            _l("The check found what may conflict: %(deals)s, score %(score)s"),
            "diamond",
            "warn",
        ),
    }
)
define(
    Definition(
        "deals.protection_days",
        90,
        _l("Protection of an approved deal"),
        unit=_l("days"),
        help=_l("Holds for deals approved from now on; ends with the last day, local time."),
        minimum=1,
        maximum=1_000,
    ),
    Definition(
        "deals.decision_days",
        2,
        _l("Time to decide on a deal"),
        unit=_l("days"),
        minimum=1,
        maximum=60,
    ),
    Definition(
        "deals.evidence_required",
        False,
        _l("Submitting a deal needs evidence of engagement"),
    ),
)
