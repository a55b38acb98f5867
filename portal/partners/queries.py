"""Reads of partners."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from portal.foundation.actors import Actor
from portal.foundation.database import db, starting_with
from portal.foundation.errors import NotFound
from portal.foundation.steps import Step
from portal.partners import policy
from portal.partners.models import PARTNER_STEPS, Partner, PartnerState

FILE_FIELDS = (
    "reference",
    "name",
    "kind",
    "country",
    "domain",
    "tax_id",
    "tier",
    "city",
    "latitude",
    "longitude",
    "email",
    "status",
)


def visible_partners(actor: Actor) -> sa.Select[Partner]:
    """Return the select of the partners that the actor may see."""
    return sa.select(Partner).where(policy.visible_to(actor))


def partner_for(actor: Actor, partner_id: int) -> Partner:
    """Return a partner; refuses (NotFound) one that the actor may not see."""
    found = db.session.scalar(visible_partners(actor).where(Partner.id == partner_id))
    if found is None:
        raise NotFound
    return found


def partner_by_reference(actor: Actor, reference: str) -> Partner | None:
    """Return the partner with this reference, None where the actor may see none."""
    return db.session.scalar(visible_partners(actor).where(Partner.reference == reference.strip()))


def partners_by_reference(references: Iterable[str]) -> dict[str, Partner]:
    """Return those partners that exist, by reference, in one query."""
    wanted = set(references)
    select = sa.select(Partner).where(Partner.reference.in_(wanted))
    found = db.session.scalars(select, execution_options={"populate_existing": True})
    return {partner.reference: partner for partner in found} if wanted else {}


def steps_for(actor: Actor, partner: Partner) -> list[Step[PartnerState]]:
    """Return the steps that the actor may take with a partner as it is now."""
    return [
        step
        for step in PARTNER_STEPS.open_steps(partner.status)
        if policy.STEP_POLICIES[step.name](actor)
    ]


def rows_for_export() -> Iterator[dict[str, Any]]:
    """Yield every partner by the columns of its file, in the order of references."""
    columns = [getattr(Partner, name) for name in FILE_FIELDS]
    select = sa.select(*columns).order_by(Partner.reference)
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        yield dict(row._mapping)


def partners_found(actor: Actor, text: str) -> list[Partner]:
    """Return at most ten partners by how the name or the reference starts."""
    starts = sa.or_(
        starting_with(Partner.name_key, text.lower()), starting_with(Partner.reference, text)
    )
    select = visible_partners(actor).where(starts).order_by(Partner.name_key, Partner.id)
    return list(db.session.scalars(select.limit(10)))
