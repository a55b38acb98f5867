"""The lists of deals: for staff with the partner, for a partner without."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from portal.customers.matching import normal_name
from portal.deals import queries
from portal.deals.clocks import Drawn, protection_clock
from portal.deals.models import DEAL_LOOKS, IS_APPROVED, Deal, DealState
from portal.foundation import clock
from portal.foundation.i18n import _, _l
from portal.foundation.web.lists.columns import Cell, Column
from portal.foundation.web.lists.filters import ChoiceFilter, DayFilter, StartsFilter, YesFilter
from portal.foundation.web.lists.page import ListPage
from portal.partners.models import Partner


class CustomerColumn(Column):
    """The customer's name, which a draft may lack."""

    def cell(self, row: Any) -> Cell:
        """Return the name, or that there is none yet."""
        cell = super().cell(row)
        return cell if cell.text else Cell("text", "", _("No name yet"))


def _protection(row: Any) -> Drawn | None:
    if row.status is not DealState.APPROVED:
        return None
    return protection_clock(row.protected_until, row.protection_ends_at, row.protection_days)


def _ends_soon() -> ColumnElement[bool]:
    soon = clock.now() + timedelta(days=30)
    return sa.and_(IS_APPROVED, Deal.protection_ends_at <= soon)


def _reference(normal: str) -> str:
    return normal.strip().upper()


CUSTOMER = CustomerColumn("customer", _l("Customer"), Deal.customer_name)
STATE = Column("status", _l("State"), Deal.status, "badge", looks=DEAL_LOOKS, phone="badge")
AMOUNT = Column(
    "amount", _l("Amount"), Deal.amount, "money", currency=Deal.currency, phone="amount"
)
CLOSES = Column("closes", _l("Closes"), Deal.expected_close_on, "date", nullable=True)
PROTECTED = Column(
    "protected",
    _l("Protected until"),
    Deal.protected_until,
    "clock",
    nullable=True,
    phone="clock",
    clock=_protection,
)
REGISTERED = Column("registered", _l("Registered"), Deal.registered_on, "date", shown=False)
FILTERS = [
    StartsFilter("customer", _l("Customer starts with"), Deal.customer_name_key, normal_name),
    StartsFilter("deal", _l("Deal"), Deal.reference, _reference),
    ChoiceFilter("status", _l("State"), Deal.status, DEAL_LOOKS),
    DayFilter("closes_from", _l("Closes from"), Deal.expected_close_on, "from"),
    DayFilter("closes_until", _l("Closes until"), Deal.expected_close_on, "until"),
    YesFilter("ending", _l("Protection ends in 30 days"), _ends_soon),
]
VIEWS: list[tuple[Any, dict[str, Any]]] = [
    (_l("All"), {}),
    (_l("Waiting"), {"status": [DealState.SUBMITTED.value, DealState.IN_REVIEW.value]}),
    (_l("Returned"), {"status": DealState.RETURNED.value}),
    (_l("Approved"), {"status": DealState.APPROVED.value}),
    (_l("Protection ends in 30 days"), {"ending": "yes"}),
    (_l("Won"), {"status": DealState.WON.value}),
]


class DealList(ListPage):
    """A partner's own deals, the latest first."""

    title = _l("Deals")
    key = Deal.id
    default_order = "-registered"
    views = VIEWS
    filters = FILTERS
    empty_title = _l("No deals here")
    empty_reason = _l(
        "A deal that you register is protected once it is approved: nobody else may take it up."
    )
    columns = [
        CUSTOMER,
        Column("reference", _l("Deal"), Deal.reference, "reference", phone="second"),
        STATE,
        AMOUNT,
        CLOSES,
        PROTECTED,
        REGISTERED,
    ]

    def select(self) -> Select[Any]:
        """Return the deals that the reader may see."""
        return queries.visible_deals(self.actor)

    def extra_columns(self) -> list[ColumnElement[Any]]:
        """Return what the clock is drawn from."""
        return [
            Deal.status.label("status"),
            Deal.protected_until.label("protected_until"),
            Deal.protection_ends_at.label("protection_ends_at"),
            Deal.protection_days.label("protection_days"),
        ]

    def row_url(self, row: Any) -> str:
        """Return the address of the deal's page."""
        return url_for("deals.show", deal_id=row.id)


class StaffDealList(DealList):
    """Every partner's deals, the latest first."""

    empty_reason = _l("No deal meets all of the filters.")
    columns = [
        CUSTOMER,
        Column("reference", _l("Deal"), Deal.reference, "reference"),
        Column("partner", _l("Partner"), Partner.name, phone="second"),
        STATE,
        AMOUNT,
        CLOSES,
        PROTECTED,
        REGISTERED,
    ]
    filters = [
        *FILTERS[:2],
        StartsFilter("partner", _l("Partner's reference"), Partner.reference, str.strip),
        *FILTERS[2:],
    ]

    def select(self) -> Select[Any]:
        """Return every deal with its partner."""
        return queries.visible_deals(self.actor).join(Partner, Partner.id == Deal.partner_id)
