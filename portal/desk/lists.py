"""Lists of the desk."""

from typing import Any

from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from portal.desk import queries
from portal.foundation.audit import AuditEntry, sentence_of
from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import DayFilter, StartsFilter
from portal.foundation.web.lists.page import ListPage


def said(row: Any) -> str:
    """Return what an entry says, as plain text."""
    entry = AuditEntry(name=row.c_sentence, actor_name=row.said_by, changes=row.changes)
    return sentence_of(entry).striptags()


class AuditList(ListPage):
    """Everything that anybody did, newest first."""

    title = _l("Audit")
    key = AuditEntry.id
    default_order = "-at"
    columns = [
        Column("sentence", _l("What"), AuditEntry.name, sortable=False, phone="name", write=said),
        Column("name", _l("Name"), AuditEntry.name, sortable=False, shown=False),
        Column("at", _l("When"), AuditEntry.id, kind="number", shown=False, sortable=True),
        Column("instant", _l("At"), AuditEntry.at, kind="instant", sortable=False, phone="amount"),
        Column("actor", _l("Who"), AuditEntry.actor_name, sortable=False, phone="second"),
        Column("thing", _l("Thing"), AuditEntry.thing_type, sortable=False),
        Column("thing_id", _l("Key"), AuditEntry.thing_id, kind="number", sortable=False),
        Column("address", _l("IP address"), AuditEntry.address, sortable=False),
        Column("request", _l("Request"), AuditEntry.request_id, sortable=False, shown=False),
    ]
    filters = [
        StartsFilter("name", _l("What"), AuditEntry.name),
        StartsFilter("actor", _l("Who"), AuditEntry.actor_name, normal=str),
        StartsFilter("thing", _l("Thing"), AuditEntry.thing_type),
        DayFilter("from", _l("From"), AuditEntry.at, "from"),
        DayFilter("until", _l("Until"), AuditEntry.at, "until"),
    ]
    empty_title = _l("No such entries")
    empty_reason = _l("Take a filter away to see more.")

    def extra_columns(self) -> list[ColumnElement[Any]]:
        """Return what the sentences are made of."""
        return [AuditEntry.actor_name.label("said_by"), AuditEntry.changes.label("changes")]

    def select(self) -> Select[Any]:
        """Return every entry; the page is open to administrators alone."""
        return queries.audit_select()
