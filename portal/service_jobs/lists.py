"""Lists of repair jobs."""

from typing import Any, ClassVar

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.sql import Select

from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import (
    ChoiceFilter,
    ContainsFilter,
    DayFilter,
    Filter,
    StartsFilter,
    YesFilter,
)
from portal.foundation.web.lists.page import ListPage
from portal.installed_base.models import serial_key
from portal.partners.models import Partner
from portal.service_jobs import policy
from portal.service_jobs.models import LOOKS, ServiceJob
from portal.service_jobs.queries import TITLE_LENGTH

_PROBLEM = sa.func.substr(ServiceJob.problem, 1, TITLE_LENGTH)


class JobList(ListPage):
    """A station's repair jobs, the latest received first."""

    title = _l("Service jobs")
    key = ServiceJob.id
    default_order = "-received"
    columns = [
        Column("reference", _l("Job"), ServiceJob.reference, kind="link"),
        Column("problem", _l("Problem"), _PROBLEM, sortable=False, phone="second"),
        Column("status", _l("State"), ServiceJob.status, kind="badge", looks=LOOKS, phone="badge"),
        Column("serial", _l("Serial number"), ServiceJob.serial, sortable=False),
        Column("sku", _l("Article number"), ServiceJob.sku, sortable=False),
        Column("customer", _l("Customer"), ServiceJob.customer_name, sortable=False),
        Column("brand", _l("Brand"), ServiceJob.brand, sortable=False, shown=False),
        Column("category", _l("Category"), ServiceJob.category, sortable=False, shown=False),
        Column(
            "repair_code", _l("Repair code"), ServiceJob.repair_code, sortable=False, shown=False
        ),
        Column("received", _l("Received"), ServiceJob.received_at, kind="instant", phone="clock"),
        Column(
            "ended", _l("Ended"), ServiceJob.ended_at, kind="instant", sortable=False, shown=False
        ),
    ]
    filters = [
        StartsFilter("reference", _l("Job"), column=ServiceJob.reference_key),
        StartsFilter(
            "serial", _l("Serial number"), column=ServiceJob.serial_key, normal=serial_key
        ),
        StartsFilter("email", _l("Customer's e-mail"), column=ServiceJob.customer_email_key),
        ChoiceFilter("status", _l("State"), column=ServiceJob.status, choices=LOOKS),
        DayFilter("from", _l("Received from"), column=ServiceJob.received_at),
        DayFilter("until", _l("Received until"), column=ServiceJob.received_at, side="until"),
        ContainsFilter(
            "words",
            _l("Words"),
            columns=(ServiceJob.problem, ServiceJob.customer_name, ServiceJob.repair_code),
        ),
        YesFilter(
            "unknown_serial",
            _l("Serial number not registered"),
            condition=lambda: ServiceJob.is_unknown_serial.is_(True),
        ),
    ]
    views = [
        (_l("All"), {}),
        (_l("Received"), {"status": "received"}),
        (_l("Repairing"), {"status": "repairing"}),
        (_l("Ready"), {"status": "ready"}),
        (_l("To be checked"), {"unknown_serial": "yes"}),
    ]
    empty_title = _l("No jobs here")
    empty_reason = _l("A job begins when a device is taken in.")

    def select(self) -> Select[Any]:
        """Return the jobs that the reader may see."""
        return (
            sa.select(ServiceJob)
            .join(Partner, Partner.id == ServiceJob.station_id)
            .where(policy.visible_to(self.actor))
        )

    def row_url(self, row: Any) -> str | None:
        """Return the job's page."""
        return url_for("service_jobs.show", job_id=row.id)


class NetworkJobList(JobList):
    """Repair jobs of every station."""

    columns = [
        *JobList.columns[:3],
        Column("station", _l("Station"), Partner.name, sortable=False),
        *JobList.columns[3:],
    ]
    # No search in the words here: it reads every row, which only one station's jobs bear.
    filters: ClassVar[list[Filter]] = [
        *(one for one in JobList.filters if not isinstance(one, ContainsFilter)),
        StartsFilter("station", _l("Station"), column=Partner.name_key),
    ]
