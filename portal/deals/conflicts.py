"""Which deals compete for the same customer and products, how strongly, and which comes first.

Exact for now: the same tax id, the same web domain (never a free-mail provider's), or the same
normalised name in the same country; and a product family that both have. Two deals with different
tax ids never compete by name alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from portal.customers.queries import CustomerKeys
from portal.deals.models import WAITING, Deal, DealLine, DealState, family_key
from portal.foundation import clock
from portal.foundation.countries import country_name
from portal.foundation.database import Model, db
from portal.foundation.i18n import LazyText, _l, instant_text, long_day_text
from portal.foundation.steps import Look

SAME_TAX_ID, SAME_DOMAIN, SAME_NAME = 100, 90, 80
BLOCKS, WARNS = 80, 60
MOST_SHOWN = 20

_SAME = Look(_l("Same"), "triangle", "bad")
_OVERLAP = Look(_l("Overlap"), "triangle", "bad")
_DIFFERENT = Look(_l("Different"), "ring", "neutral")
_UNKNOWN = Look(_l("Not comparable"), "bar", "neutral")


@dataclass(frozen=True, slots=True)
class Claim:
    """What of a deal is compared with others.

    keys: of the customer. families: normalised. deal_id, submitted_at: None for a deal that is
    only asked about. name, domain, tax_id, family_names: as people wrote them.
    """

    keys: CustomerKeys
    families: frozenset[str]
    deal_id: int | None = None
    submitted_at: datetime | None = None
    name: str = ""
    domain: str | None = None
    tax_id: str | None = None
    family_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the comparison: what is compared, both sides, how they look beside each other."""

    label: LazyText
    mine: str | None
    theirs: str | None
    look: Look


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another deal that competes.

    score: 0 to 100. reasons: sentences for staff. comes_first: whether it keeps the other from
    being approved.
    """

    deal_id: int
    reference: str
    partner_name: str
    customer_name: str
    status: DealState
    amount: Decimal
    currency: str | None
    score: int
    reasons: tuple[LazyText, ...]
    findings: tuple[Finding, ...]
    comes_first: bool

    @property
    def verdict(self) -> str:
        """Return what the score means: conflict from 80, warning from 60."""
        return "conflict" if self.score >= BLOCKS else "warning"


@dataclass(frozen=True, slots=True)
class _Other:
    claim: Claim
    reference: str
    partner_name: str
    status: DealState
    amount: Decimal
    currency: str | None
    protected_until: date | None


def claim_of(deal: Deal) -> Claim:
    """Return what of a deal is compared."""
    return Claim(
        keys=CustomerKeys(
            deal.customer_name_key,
            deal.customer_country,
            deal.customer_domain_key,
            deal.customer_tax_key,
        ),
        families=frozenset(line.family_key for line in deal.lines),
        deal_id=deal.id,
        submitted_at=deal.submitted_at,
        name=deal.customer_name,
        domain=deal.customer_domain,
        tax_id=deal.customer_tax_id,
        family_names=_names(deal.lines),
    )


def _names(lines: Iterable[DealLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.family or line.sku or "" for line in lines))


def _same_customer(keys: CustomerKeys) -> ColumnElement[bool] | None:
    """Return the condition that an index on each key answers; None where nothing is known."""
    ways: list[ColumnElement[bool]] = []
    if keys.tax_id is not None:
        ways.append(Deal.customer_tax_key == keys.tax_id)
    if keys.domain is not None:
        ways.append(Deal.customer_domain_key == keys.domain)
    if keys.name and keys.country is not None:
        same_name = sa.and_(
            Deal.customer_name_key == keys.name, Deal.customer_country == keys.country
        )
        ways.append(same_name)
    return sa.or_(*ways) if ways else None


def _in_force() -> ColumnElement[bool]:
    protected = sa.and_(Deal.status == DealState.APPROVED, Deal.protection_ends_at > clock.now())
    return sa.or_(protected, Deal.status.in_(WAITING))


def _competing(claim: Claim) -> sa.Select[int] | None:
    same_customer = _same_customer(claim.keys)
    if same_customer is None or not claim.families:
        return None
    overlap = sa.exists().where(
        DealLine.deal_id == Deal.id, DealLine.family_key.in_(sorted(claim.families))
    )
    select = sa.select(Deal.id).where(same_customer, _in_force(), overlap)
    return select if claim.deal_id is None else select.where(Deal.id != claim.deal_id)


def lock_rivals(deal: Deal) -> None:
    """Hold the rows of a deal and of all that compete with it until the transaction ends.

    Rows are taken in the order of their keys, so that of two approvals of twins one waits for the
    other and then sees what it did. Rivals that came in between hold this deal's row in turn.
    """
    select = _competing(claim_of(deal))
    ids = {deal.id, *(db.session.scalars(select) if select is not None else ())}
    db.session.execute(
        sa.select(Deal.id).where(Deal.id.in_(ids)).order_by(Deal.id).with_for_update()
    ).all()
    db.session.refresh(deal)


def conflicts_of(claim: Claim) -> list[Conflict]:
    """Return the deals that compete with `claim`: those that come first, then by score."""
    found = (_compare(claim, other) for other in _others(claim))
    kept = [conflict for conflict in found if conflict is not None]
    return sorted(kept, key=lambda one: (not one.comes_first, -one.score, one.deal_id))


def first_comers(claim: Claim) -> list[Conflict]:
    """Return the conflicts that keep `claim` from being approved."""
    return [one for one in conflicts_of(claim) if one.comes_first and one.score >= BLOCKS]


def _others(claim: Claim) -> list[_Other]:
    select = _competing(claim)
    if select is None:
        return []
    partners = Model.metadata.tables["partners"]
    rows = db.session.execute(
        sa.select(
            Deal.id,
            Deal.reference,
            Deal.status,
            Deal.customer_name,
            Deal.customer_country,
            Deal.customer_domain,
            Deal.customer_tax_id,
            Deal.customer_name_key,
            Deal.customer_domain_key,
            Deal.customer_tax_key,
            Deal.amount,
            Deal.currency,
            Deal.submitted_at,
            Deal.protected_until,
            partners.c.name.label("partner_name"),
        )
        .join(partners, partners.c.id == Deal.partner_id)
        .where(Deal.id.in_(select))
        .order_by(Deal.id)
        .limit(MOST_SHOWN)
    ).all()
    lines: dict[int, list[DealLine]] = {}
    for line in db.session.scalars(
        sa.select(DealLine).where(DealLine.deal_id.in_([row.id for row in rows]))
    ):
        lines.setdefault(line.deal_id, []).append(line)
    return [
        _Other(
            Claim(
                keys=CustomerKeys(
                    row.customer_name_key,
                    row.customer_country,
                    row.customer_domain_key,
                    row.customer_tax_key,
                ),
                families=frozenset(line.family_key for line in lines.get(row.id, [])),
                deal_id=row.id,
                submitted_at=row.submitted_at,
                name=row.customer_name,
                domain=row.customer_domain,
                tax_id=row.customer_tax_id,
                family_names=_names(lines.get(row.id, [])),
            ),
            row.reference,
            row.partner_name,
            row.status,
            row.amount,
            row.currency,
            row.protected_until,
        )
        for row in rows
    ]


def likeness(one: CustomerKeys, other: CustomerKeys) -> int:
    """Return how surely two customers are the same, 0 to 100; the same both ways round."""
    if one.tax_id is not None and one.tax_id == other.tax_id:
        return SAME_TAX_ID
    if one.domain is not None and one.domain == other.domain:
        return SAME_DOMAIN
    same_country = one.country is not None and one.country == other.country
    if not (one.name and one.name == other.name and same_country):
        return 0
    return 0 if one.tax_id is not None and other.tax_id is not None else SAME_NAME


def competes(one: Claim, other: Claim) -> int:
    """Return the score of two claims: of their customers, 0 where no family overlaps."""
    return likeness(one.keys, other.keys) if one.families & other.families else 0


def _compare(claim: Claim, other: _Other) -> Conflict | None:
    score = competes(claim, other.claim)
    if score < WARNS:
        return None
    comes_first = other.status is DealState.APPROVED or _is_earlier(other.claim, claim)
    return Conflict(
        deal_id=other.claim.deal_id or 0,
        reference=other.reference,
        partner_name=other.partner_name,
        customer_name=other.claim.name,
        status=other.status,
        amount=other.amount,
        currency=other.currency,
        score=score,
        reasons=(*_reasons(claim, other), _standing(other, comes_first)),
        findings=_findings(claim, other),
        comes_first=comes_first,
    )


def _is_earlier(one: Claim, other: Claim) -> bool:
    if one.submitted_at is None:
        return False
    if other.submitted_at is None or other.deal_id is None:
        return True
    return (one.submitted_at, one.deal_id) < (other.submitted_at, other.deal_id)


def _reasons(claim: Claim, other: _Other) -> list[LazyText]:
    mine, theirs = claim.keys, other.claim.keys
    reasons = []
    if mine.tax_id is not None and mine.tax_id == theirs.tax_id:
        reasons.append(_l("Both customers have the tax id %(tax_id)s.", tax_id=other.claim.tax_id))
    if mine.domain is not None and mine.domain == theirs.domain:
        reasons.append(_l("Both customers have the domain %(domain)s.", domain=theirs.domain))
    if mine.name and mine.name == theirs.name and mine.country == theirs.country:
        reasons.append(
            _l(
                "Both customers are called %(name)s in %(country)s.",
                name=other.claim.name,
                country=country_name(theirs.country),
            )
        )
    families = ", ".join(_overlap(claim, other.claim))
    reasons.append(_l("Both deals are about %(families)s.", families=families))
    return reasons


def _overlap(claim: Claim, other: Claim) -> list[str]:
    return [name for name in other.family_names if family_key(name) in claim.families]


def _standing(other: _Other, comes_first: bool) -> LazyText:
    if other.status is DealState.APPROVED and other.protected_until is not None:
        return _l("It is protected until %(day)s.", day=long_day_text(other.protected_until))
    if comes_first and other.claim.submitted_at is not None:
        when = instant_text(other.claim.submitted_at)
        return _l("It waits for a decision and was submitted first, %(when)s.", when=when)
    return _l("It waits for a decision and was submitted later.")


def _findings(claim: Claim, other: _Other) -> tuple[Finding, ...]:
    mine, theirs = claim.keys, other.claim.keys
    return (
        Finding(_l("Legal name"), claim.name, other.claim.name, _look(mine.name, theirs.name)),
        Finding(
            _l("Country"),
            mine.country and country_name(mine.country),
            theirs.country and country_name(theirs.country),
            _look(mine.country, theirs.country),
        ),
        Finding(_l("Tax id"), claim.tax_id, other.claim.tax_id, _look(mine.tax_id, theirs.tax_id)),
        Finding(_l("Domain"), claim.domain, other.claim.domain, _look(mine.domain, theirs.domain)),
        Finding(
            _l("Family"),
            ", ".join(claim.family_names),
            ", ".join(other.claim.family_names),
            _OVERLAP,
        ),
    )


def _look(mine: str | None, theirs: str | None) -> Look:
    if not mine or not theirs:
        return _UNKNOWN
    return _SAME if mine == theirs else _DIFFERENT
