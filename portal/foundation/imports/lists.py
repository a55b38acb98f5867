"""The list of imports."""

from typing import Any

from flask import url_for
from sqlalchemy.sql import Select

from portal.foundation.i18n import _l
from portal.foundation.imports import queries
from portal.foundation.imports.models import LOOKS, ImportJob
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import StartsFilter
from portal.foundation.web.lists.page import ListPage


class ImportList(ListPage):
    """Every file that was sent, newest first."""

    title = _l("Imports")
    key = ImportJob.id
    default_order = "-sent"
    columns = [
        Column("file", _l("File"), ImportJob.file_name, kind="link", phone="name"),
        Column("kind", _l("Kind"), ImportJob.kind, phone="second"),
        Column("state", _l("State"), ImportJob.state, kind="badge", looks=LOOKS, phone="badge"),
        Column("read", _l("Read"), ImportJob.read, kind="number", phone="amount"),
        Column("created", _l("Created"), ImportJob.created, kind="number"),
        Column("updated", _l("Updated"), ImportJob.updated, kind="number"),
        Column("unchanged", _l("Unchanged"), ImportJob.unchanged, kind="number", shown=False),
        Column("rejected", _l("Rejected"), ImportJob.rejected, kind="number"),
        Column("warned", _l("Warned"), ImportJob.warned, kind="number"),
        Column("by", _l("By"), ImportJob.actor_name),
        Column("sent", _l("Sent"), ImportJob.created_at, kind="instant"),
    ]
    filters = [StartsFilter("kind", _l("Kind"), ImportJob.kind)]
    empty_title = _l("No file was sent yet")
    empty_reason = _l("Send a CSV or XLSX file; a dry run shows first what it would do.")

    def select(self) -> Select[Any]:
        """Return the imports of the kinds that the actor may send."""
        return queries.imports_select(self.actor)

    def prepare(self) -> None:
        """Offer the next step where there is nothing to see."""
        super().prepare()
        self.empty_action = (_l("Send a file"), url_for("imports.new"))

    def row_url(self, row: Any) -> str:
        """Return the address of an import's page."""
        return url_for("imports.show", import_id=row.id)
