"""Partners in JSON."""

from typing import Any

from portal.foundation.errors import NotFound
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import InstantOut, Out, PageOut, PageQuery
from portal.foundation.web.policies import requires
from portal.partners import policy, queries
from portal.partners.models import Partner, PartnerKind, PartnerState

bp = ApiBlueprint("partners", __name__, tag="Partners")


class PartnerOut(Out):
    """A partner."""

    reference: str
    name: str
    kind: PartnerKind
    country: str
    city: str | None
    domain: str | None
    tax_id: str | None
    tier: str | None
    email: str | None
    latitude: float | None
    longitude: float | None
    status: PartnerState
    created_at: InstantOut


@bp.get("/partners")
@requires(policy.may_see_partners)
@bp.input(PageQuery, location="query", arg_name="query")
@bp.output(PageOut[PartnerOut])
def partners(query: PageQuery) -> dict[str, Any]:
    """List the partners that the token's user may see, newest first."""
    found, next_cursor = listed(queries.visible_partners(current_actor()), Partner.id, query)
    return {"items": found, "next_cursor": next_cursor}


@bp.get("/partners/<reference>")
@requires(policy.may_see_partners)
@bp.output(PartnerOut)
def partner(reference: str) -> Partner:
    """Show one partner."""
    found = queries.partner_by_reference(current_actor(), reference)
    if found is None:
        raise NotFound
    return found
