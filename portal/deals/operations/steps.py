"""The steps of a deal from its submission to its end."""

from datetime import timedelta

from portal.customers.matching import normal_domain
from portal.customers.operations import find_or_add_customer
from portal.deals import mails
from portal.deals.conflicts import Conflict, claim_of, first_comers, lock_rivals
from portal.deals.errors import DealConflict, NotSubmittable
from portal.deals.facts import (
    DealApproved,
    DealExpired,
    DealRejected,
    DealReturned,
    DealSubmitted,
    DealWithdrawn,
)
from portal.deals.models import DEAL_STEPS, REMINDER_DAYS, Deal, DealState
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import lock
from portal.foundation.errors import WrongState
from portal.foundation.facts import announce
from portal.foundation.i18n import LazyText, _l, long_day_text
from portal.foundation.settings import setting


def submit_deal(actor: Actor, deal: Deal) -> None:
    """Hand a draft in for a decision, or a returned deal again.

    The first submission settles its place among others for good. Refuses (NotSubmittable) with
    every field that lacks something.
    """
    lock(deal)
    is_again = deal.status is DealState.RETURNED
    target = DEAL_STEPS.target(deal.status, "resubmit" if is_again else "submit")
    lacking = _lacking(deal)
    if lacking:
        raise NotSubmittable(lacking)
    customer = find_or_add_customer(
        actor,
        name=deal.customer_name,
        country=deal.customer_country,
        domain=deal.customer_domain,
        tax_id=deal.customer_tax_id,
    )
    now = clock.now()
    deal.customer_id = customer.id
    deal.status = target
    deal.submitted_at = deal.submitted_at or now
    deal.decide_by_at = now + timedelta(days=setting("deals.decision_days"))
    deal.reason = None
    record(actor, f"deals.deal.{'resubmitted' if is_again else 'submitted'}", deal)
    conflicts = first_comers(claim_of(deal))
    deal.has_conflict = bool(conflicts)
    if conflicts:
        _note(actor, deal, conflicts)
    announce(DealSubmitted(deal.id, deal.reference, deal.partner_id, deal.has_conflict))
    mails.submitted(deal)


def _note(actor: Actor, deal: Deal, conflicts: list[Conflict]) -> None:
    record(
        actor,
        "deals.conflict.found",
        deal,
        score=max(conflict.score for conflict in conflicts),
        deals=", ".join(conflict.reference for conflict in conflicts),
    )


def _lacking(deal: Deal) -> dict[str, str | LazyText]:
    """Return what submitting still needs, field by field."""
    found: dict[str, str | LazyText] = {}
    if not deal.customer_name_key:
        found["customer_name"] = _l("Write the customer's legal name.")
    if not deal.customer_country:
        found["customer_country"] = _l("Choose the customer's country.")
    if deal.customer_domain and normal_domain(deal.customer_domain) is None:
        found["customer_domain"] = _l("Write a web domain such as north.example.")
    lines = _lacking_lines(deal)
    if lines is not None:
        found["lines"] = lines
    if not deal.currency:
        found["currency"] = _l("Choose the currency.")
    today = clock.today(setting("vendor.zone"))
    if deal.expected_close_on is None:
        found["expected_close_on"] = _l("Say when you expect the order.")
    elif deal.expected_close_on < today:
        found["expected_close_on"] = _l(
            "%(day)s has passed. Give today or a later day.",
            day=long_day_text(deal.expected_close_on),
        )
    if setting("deals.evidence_required") and not deal.evidence:
        found["evidence"] = _l("Write a dated note, so that the reviewer can see the work.")
    return found


def _lacking_lines(deal: Deal) -> LazyText | None:
    if not deal.lines:
        return _l("Name at least one product or family.")
    for line in deal.lines:
        if not line.sku and not line.family:
            return _l("Line %(line)s names no product or family.", line=line.position)
        if line.product_id is None and line.family is None:
            return _l(
                "Line %(line)s: the price list has no product or family %(sku)s.",
                line=line.position,
                sku=line.sku,
            )
        if line.amount <= 0:
            return _l("Line %(line)s needs an amount above zero.", line=line.position)
    return None


def review_deal(actor: Actor, deal: Deal) -> None:
    """Begin the review, so that colleagues see that somebody is at it."""
    lock(deal)
    deal.status = DEAL_STEPS.target(deal.status, "review")
    record(actor, "deals.deal.review_started", deal)


def return_deal(actor: Actor, deal: Deal, *, reason: str) -> None:
    """Give a deal back with a question; it keeps the time of its submission."""
    lock(deal)
    deal.status = DEAL_STEPS.target(deal.status, "return")
    deal.reason, deal.decide_by_at = reason, None
    record(actor, "deals.deal.returned", deal, reason=reason)
    announce(DealReturned(deal.id, deal.reference, deal.partner_id))
    mails.returned(deal)


def approve_deal(actor: Actor, deal: Deal) -> None:
    """Approve a deal and protect it from now to the end of the last local day.

    Refuses (DealConflict) while another deal for the same customer and family is protected, or
    waits and was submitted earlier. Of twins approved at the same moment the earlier one succeeds.
    """
    lock_rivals(deal)
    target = DEAL_STEPS.target(deal.status, "approve")
    conflicts = first_comers(claim_of(deal))
    if conflicts:
        first = conflicts[0]
        sentence = _l(
            "%(reference)s of %(partner)s comes first. %(why)s",
            reference=first.reference,
            partner=first.partner_name,
            why=first.reasons[-1],
        )
        raise DealConflict(sentence, [conflict.reference for conflict in conflicts])
    now, zone = clock.now(), setting("vendor.zone")
    deal.status = target
    deal.approved_at = deal.decided_at = now
    deal.decided_by_id = actor.user_id
    deal.decide_by_at, deal.reason = None, None
    deal.protection_days = setting("deals.protection_days")
    until = clock.local_date(now, zone) + timedelta(days=deal.protection_days or 0)
    deal.protected_until, deal.protection_ends_at = until, clock.day_end(until, zone)
    deal.reminded_days = None
    record(actor, "deals.deal.approved", deal, protected_until=until)
    announce(DealApproved(deal.id, deal.reference, deal.partner_id, deal.customer_id, until))
    mails.approved(deal)


def reject_deal(actor: Actor, deal: Deal, *, reason: str) -> None:
    """Reject a deal for good."""
    lock(deal)
    deal.status = DEAL_STEPS.target(deal.status, "reject")
    deal.reason, deal.decide_by_at = reason, None
    deal.decided_at, deal.decided_by_id = clock.now(), actor.user_id
    record(actor, "deals.deal.rejected", deal, reason=reason)
    announce(DealRejected(deal.id, deal.reference, deal.partner_id))
    mails.rejected(deal)


def withdraw_deal(actor: Actor, deal: Deal) -> None:
    """Give a deal up, its protection included."""
    lock(deal)
    deal.status = DEAL_STEPS.target(deal.status, "withdraw")
    deal.decide_by_at = None
    record(actor, "deals.deal.withdrawn", deal)
    announce(DealWithdrawn(deal.id, deal.reference, deal.partner_id))


def expire_deal(actor: Actor, deal: Deal) -> None:
    """End a deal whose protection is over; refuses (WrongState) one that is still protected."""
    lock(deal)
    target = DEAL_STEPS.target(deal.status, "expire")
    if deal.protection_ends_at is None or deal.protection_ends_at > clock.now():
        raise WrongState(_l("This deal is still protected."))
    deal.status = target
    record(actor, "deals.deal.expired", deal)
    announce(DealExpired(deal.id, deal.reference, deal.partner_id))
    mails.expired(deal)


def remind_of_deal(actor: Actor, deal: Deal) -> bool:
    """Tell the partner once that the protection ends soon; return whether it was time.

    Of several reminders that are due only the nearest is sent.
    """
    lock(deal)
    if deal.status is not DealState.APPROVED or deal.protection_ends_at is None:
        return False
    left = deal.protection_ends_at - clock.now()
    due = [days for days in REMINDER_DAYS if left <= timedelta(days=days)]
    if not due or left <= timedelta() or (deal.reminded_days or 10**6) <= min(due):
        return False
    if (deal.protection_days or 0) <= min(due):
        return False
    deal.reminded_days = min(due)
    record(actor, "deals.deal.reminded", deal, days=min(due))
    mails.reminder(deal, days=min(due))
    return True
