"""The list of partners."""

from typing import Any

from flask import url_for
from sqlalchemy.sql import Select

from portal.foundation.i18n import _l
from portal.foundation.steps import Look
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import ChoiceFilter, StartsFilter
from portal.foundation.web.lists.page import ListPage
from portal.partners import queries
from portal.partners.models import KIND_LABELS, PARTNER_LOOKS, Partner, PartnerState

_KIND_LOOKS = {
    kind: Look(label, shape)
    for (kind, label), shape in zip(KIND_LABELS.items(), ("dot", "half", "ring"), strict=True)
}


class PartnerList(ListPage):
    """Partners, by name."""

    title = _l("Partners")
    key = Partner.id
    default_order = "name"
    empty_title = _l("No partners here")
    empty_reason = _l("No partner meets all of the filters.")
    views = [
        (_l("All"), {}),
        (_l("Active"), {"status": PartnerState.ACTIVE.value}),
        (_l("Onboarding"), {"status": PartnerState.ONBOARDING.value}),
        (_l("Suspended"), {"status": PartnerState.SUSPENDED.value}),
    ]
    columns = [
        Column("name", _l("Name"), Partner.name),
        Column("reference", _l("Reference"), Partner.reference, "reference", phone="second"),
        Column("kind", _l("Kind"), Partner.kind, "badge", looks=_KIND_LOOKS),
        Column("country", _l("Country"), Partner.country, phone="amount"),
        Column("city", _l("City"), Partner.city, nullable=True),
        Column("tier", _l("Tier"), Partner.tier, nullable=True),
        Column("status", _l("State"), Partner.status, "badge", looks=PARTNER_LOOKS, phone="badge"),
    ]
    filters = [
        StartsFilter("name", _l("Name starts with"), Partner.name_key, str.casefold),
        ChoiceFilter("kind", _l("Kind"), Partner.kind, KIND_LABELS),
        ChoiceFilter("status", _l("State"), Partner.status, PARTNER_LOOKS),
    ]

    def select(self) -> Select[Any]:
        """Return the partners that the reader may see."""
        return queries.visible_partners(self.actor)

    def row_url(self, row: Any) -> str:
        """Return the address of the partner's page."""
        return url_for("partners.show", partner_id=row.id)
