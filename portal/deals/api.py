"""Deals in JSON."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from portal.customers.queries import keys_of
from portal.deals import policy, queries
from portal.deals.conflicts import Claim, conflicts_of
from portal.deals.errors import NotSubmittable
from portal.deals.models import Deal, DealSource, DealState, family_key
from portal.deals.operations import drafts, steps
from portal.foundation.actors import Actor
from portal.foundation.database import transaction
from portal.foundation.imports.columns import COUNTRIES
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    AmountIn,
    Currency,
    DayIn,
    In,
    InstantOut,
    LongText,
    MoneyOut,
    Name,
    Out,
    PageOut,
    PageQuery,
    ShortText,
)
from portal.foundation.web.policies import authorise, requires
from portal.products.models import sku_key
from portal.products.queries import products_by_sku

bp = ApiBlueprint("deals", __name__, tag="Deals")
FIELDS = {
    "customer_name": "customer.name",
    "customer_country": "customer.country",
    "customer_domain": "customer.domain",
    "customer_tax_id": "customer.tax_id",
    "lines": "products",
}


def _known_country(code: str) -> str:
    if code.upper() not in COUNTRIES:
        raise ValueError("is not a country code of two letters")
    return code.upper()


Country = Annotated[str, Field(min_length=2, max_length=2), AfterValidator(_known_country)]
Positive = Annotated[AmountIn, Field(ge=0)]


class CustomerIn(In):
    """The end customer."""

    name: Name | None = None
    country: Country | None = None
    domain: Annotated[str, Field(max_length=253)] | None = None
    tax_id: Annotated[str, Field(max_length=40)] | None = None


class LineIn(In):
    """A product by its article number, or a family of products."""

    sku: ShortText | None = None
    family: ShortText | None = None
    quantity: Annotated[int, Field(ge=1, le=10**9)] = 1
    amount: Positive = Decimal(0)


class DealIn(In):
    """A deal; what is missing can be added until it is submitted."""

    partner: ShortText | None = None
    customer: CustomerIn = CustomerIn()
    products: Annotated[list[LineIn], Field(max_length=100)] = []
    currency: Currency | None = None
    expected_close_on: DayIn | None = None
    evidence: LongText | None = None
    source: DealSource | None = None
    tender: bool = False


class ReasonIn(In):
    """Why; the partner reads it."""

    reason: Annotated[LongText, Field(min_length=1)]


class QuestionIn(In):
    """Which deals would compete with this one."""

    customer: CustomerIn
    products: Annotated[list[LineIn], Field(min_length=1, max_length=100)]


class CustomerOut(Out):
    """The end customer as the partner wrote it down."""

    name: str
    country: str | None
    domain: str | None
    tax_id: str | None


class LineOut(Out):
    """One product of a deal."""

    sku: str | None
    family: str | None
    quantity: int
    amount: MoneyOut | None


class DealOut(Out):
    """A deal.

    protected_until: the last day in the vendor's zone; protection_ends_at: when that day is over.
    notice: possible_conflict is all that is said of other deals.
    """

    reference: str
    status: DealState
    partner: str
    customer: CustomerOut
    products: list[LineOut]
    amount: MoneyOut | None
    expected_close_on: date | None
    evidence: str | None
    source: DealSource
    tender: bool
    submitted_at: InstantOut | None
    decide_by: InstantOut | None
    reason: str | None
    protected_until: date | None
    protection_ends_at: InstantOut | None
    protection_days: int | None
    closed_on: date | None
    notice: str | None


class ConflictOut(Out):
    """A deal that competes: its reference, 0 to 100, why, and what the score means."""

    deal: str
    score: int
    reasons: list[str]
    verdict: str


class ConflictsOut(Out):
    """All deals that compete, those that come first before the others."""

    items: list[ConflictOut]


def _money(amount: Decimal, currency: str | None) -> dict[str, Any] | None:
    return None if currency is None else {"amount": amount, "currency": currency}


def _out(deal: Deal, partner: str) -> dict[str, Any]:
    return {
        "reference": deal.reference,
        "status": deal.status,
        "partner": partner,
        "customer": {
            "name": deal.customer_name,
            "country": deal.customer_country,
            "domain": deal.customer_domain,
            "tax_id": deal.customer_tax_id,
        },
        "products": [
            {
                "sku": line.sku,
                "family": line.family,
                "quantity": line.quantity,
                "amount": _money(line.amount, deal.currency),
            }
            for line in deal.lines
        ],
        "amount": _money(deal.amount, deal.currency),
        "expected_close_on": deal.expected_close_on,
        "evidence": deal.evidence,
        "source": deal.source,
        "tender": deal.is_tender,
        "submitted_at": deal.submitted_at,
        "decide_by": deal.decide_by_at,
        "reason": deal.reason,
        "protected_until": deal.protected_until,
        "protection_ends_at": deal.protection_ends_at,
        "protection_days": deal.protection_days,
        "closed_on": deal.closed_on,
        "notice": queries.notice_of(deal),
    }


def _one(deal: Deal) -> dict[str, Any]:
    return _out(deal, queries.partner_of(deal).reference)


@bp.post("/deals")
@requires(policy.may_register)
@bp.input(DealIn, arg_name="body")
@bp.output(DealOut, status_code=201)
def register(body: DealIn) -> dict[str, Any]:
    """Register a deal as a draft; staff say for which partner."""
    with transaction():
        deal = drafts.register_deal(
            current_actor(),
            partner=body.partner,
            customer_name=body.customer.name,
            customer_country=body.customer.country,
            customer_domain=body.customer.domain,
            customer_tax_id=body.customer.tax_id,
            lines=[line.model_dump() for line in body.products],
            currency=body.currency,
            expected_close_on=body.expected_close_on,
            source=body.source,
            is_tender=body.tender,
            evidence=body.evidence,
        )
        return _one(deal)


@bp.get("/deals")
@requires(policy.may_see_deals)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[DealOut])
def deals(query: PageQuery) -> dict[str, Any]:
    """List the deals that the token's user may see, newest first."""
    found, next_cursor = listed(queries.visible_deals(current_actor()), Deal.id, query)
    partners = queries.partner_references(found)
    items = [_out(deal, partners[deal.partner_id]) for deal in found]
    return {"items": items, "next_cursor": next_cursor}


@bp.get("/deals/<reference>")
@requires(policy.may_see_deals)
@bp.output(DealOut)
def deal(reference: str) -> dict[str, Any]:
    """Show one deal."""
    return _one(queries.deal_by_reference(current_actor(), reference))


@bp.delete("/deals/<reference>")
@requires(policy.may_see_deals)
@bp.output({}, status_code=204)
def delete(reference: str) -> str:
    """Delete a draft."""
    found = queries.deal_by_reference(current_actor(), reference)
    authorise(policy.may_change, found)
    with transaction():
        drafts.delete_draft(current_actor(), found)
    return ""


def _take(reference: str, step: str, operation: Callable[..., None], **values: str) -> Any:
    actor: Actor = current_actor()
    found = queries.deal_by_reference(actor, reference)
    authorise(policy.STEP_POLICIES[step], found)
    try:
        with transaction():
            operation(actor, found, **values)
            return _one(found)
    except NotSubmittable as refusal:
        named = {FIELDS.get(field, field): text for field, text in refusal.fields.items()}
        raise NotSubmittable(named) from None


@bp.post("/deals/<reference>/submit")
@requires(policy.may_see_deals)
@bp.output(DealOut)
def submit(reference: str) -> Any:
    """Hand a draft in for a decision, or a returned deal again."""
    return _take(reference, "submit", steps.submit_deal)


@bp.post("/deals/<reference>/withdraw")
@requires(policy.may_see_deals)
@bp.output(DealOut)
def withdraw(reference: str) -> Any:
    """Give a deal up."""
    return _take(reference, "withdraw", steps.withdraw_deal)


@bp.post("/deals/<reference>/review")
@requires(policy.may_see_deals)
@bp.output(DealOut)
def review(reference: str) -> Any:
    """Begin the review."""
    return _take(reference, "review", steps.review_deal)


@bp.post("/deals/<reference>/return")
@requires(policy.may_see_deals)
@bp.input(ReasonIn, arg_name="body")
@bp.output(DealOut)
def return_(reference: str, body: ReasonIn) -> Any:
    """Give a deal back with a question."""
    return _take(reference, "return", steps.return_deal, reason=body.reason)


@bp.post("/deals/<reference>/approve")
@requires(policy.may_see_deals)
@bp.output(DealOut)
def approve(reference: str) -> Any:
    """Approve and protect a deal; 422 `conflict` while another one comes first."""
    return _take(reference, "approve", steps.approve_deal)


@bp.post("/deals/<reference>/reject")
@requires(policy.may_see_deals)
@bp.input(ReasonIn, arg_name="body")
@bp.output(DealOut)
def reject(reference: str, body: ReasonIn) -> Any:
    """Reject a deal for good."""
    return _take(reference, "reject", steps.reject_deal, reason=body.reason)


@bp.post("/deals/conflicts")
@requires(policy.may_decide)
@bp.input(QuestionIn, arg_name="body")
@bp.output(ConflictsOut)
def conflicts(body: QuestionIn) -> dict[str, Any]:
    """Say which deals would compete with a customer and products."""
    customer = body.customer
    products = products_by_sku(line.sku for line in body.products if line.sku)
    names = []
    for line in body.products:
        product = products.get(sku_key(line.sku)) if line.sku else None
        names.append((product.family if product else None) or line.family or line.sku or "")
    claim = Claim(
        keys=keys_of(customer.name, customer.country, customer.domain, customer.tax_id),
        families=frozenset(family_key(name) for name in names if name),
        name=customer.name or "",
        domain=customer.domain,
        tax_id=customer.tax_id,
        family_names=tuple(names),
    )
    return {
        "items": [
            {
                "deal": conflict.reference,
                "score": conflict.score,
                "reasons": [str(reason) for reason in conflict.reasons],
                "verdict": conflict.verdict,
            }
            for conflict in conflicts_of(claim)
        ]
    }
