"""Files of partners."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from portal.customers.matching import normal_domain
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record_many
from portal.foundation.database import db
from portal.foundation.i18n import _l
from portal.foundation.imports.columns import (
    Choice,
    Column,
    Country,
    Email,
    Number,
    Text,
)
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    created,
    register,
    rejected,
    unchanged,
    updated,
)
from portal.partners import policy, queries
from portal.partners.models import Partner, PartnerKind, PartnerState

DEGREES = ("latitude", "longitude")


class PartnerImport:
    """Adds partners that are new and changes those that differ."""

    def __init__(self, actor: Actor, _context: Context) -> None:
        self.actor = actor

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch by one look-up, one insert and one update."""
        known = queries.partners_by_reference(row.values["reference"] for row in batch)
        inserts: list[dict[str, Any]] = []
        changes: list[dict[str, Any]] = []
        differences: list[tuple[int, dict[str, Any]]] = []
        outcomes = []
        for row in batch:
            values = _values(row)
            if row.values["domain"] and values["domain"] is None:
                outcomes.append(rejected("domain", _l("Write a web domain such as north.example.")))
                continue
            before = known.get(values["reference"])
            if before is None:
                status = values["status"] or PartnerState.ACTIVE
                inserts.append({**values, "status": status, **_made()})
                outcomes.append(created())
                continue
            # An empty cell leaves alone what is there.
            values = {n: getattr(before, n) if v is None else v for n, v in values.items()}
            differing = {
                name: (getattr(before, name), value)
                for name, value in values.items()
                if getattr(before, name) != value
            }
            if not differing:
                outcomes.append(unchanged())
                continue
            changes.append({"id": before.id, **values, "version": before.version + 1})
            differing.pop("name_key", None)
            differences.append((before.id, differing))
            outcomes.append(updated())
        self._store(inserts, changes, differences)
        return outcomes

    def _store(
        self,
        inserts: list[dict[str, Any]],
        changes: list[dict[str, Any]],
        differences: list[tuple[int, dict[str, Any]]],
    ) -> None:
        if inserts:
            made = db.session.scalars(sa.insert(Partner).returning(Partner.id), inserts)
            entries: list[tuple[int, dict[str, object]]] = [(key, {}) for key in made]
            record_many(self.actor, "partners.partner.imported", Partner, entries)
        if changes:
            # Past the mapper, whose version check would ask row by row.
            table = Partner.metadata.tables["partners"]
            statement = sa.update(table).where(table.c.id == sa.bindparam("key"))
            rows = [{**change, "key": change.pop("id")} for change in changes]
            db.session.connection().execute(statement, rows)
            record_many(self.actor, "partners.partner.changed", Partner, differences)

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing for the end."""
        return None


def _values(row: Row) -> dict[str, Any]:
    values = {name: row.values[name] for name in queries.FILE_FIELDS}
    for name in DEGREES:
        values[name] = None if values[name] is None else float(values[name])
    values["domain"] = normal_domain(values["domain"])
    values["name_key"] = values["name"].casefold()[:200]
    return values


def _made() -> dict[str, Any]:
    return {"created_at": clock.now(), "zone": "UTC", "version": 1}


register(
    ImportKind(
        name="partners",
        label=_l("Partners"),
        key=("reference",),
        columns=[
            Column(
                "reference", Text(60), required=True, doc=_l("Your reference; names the partner.")
            ),
            Column("name", Text(200), required=True, doc=_l("Legal name.")),
            Column("kind", Choice(PartnerKind), required=True, doc=_l("What it mainly does.")),
            Column("country", Country(), required=True, doc=_l("Country of its seat.")),
            Column("domain", Text(253), doc=_l("Web domain.")),
            Column("tax_id", Text(40), doc=_l("Tax id as registered.")),
            Column("tier", Text(40), doc=_l("Programme level.")),
            Column("city", Text(100), doc=_l("Seat.")),
            Column("latitude", Number(-90, 90), doc=_l("Degrees north.")),
            Column("longitude", Number(-180, 180), doc=_l("Degrees east.")),
            Column("email", Email(), doc=_l("Where the organisation reads.")),
            Column(
                "status",
                Choice(PartnerState),
                doc=_l("Where the partnership stands; active when empty."),
            ),
        ],
        handler=PartnerImport,
        policy=policy.may_import_partners,
        export=lambda _context: queries.rows_for_export(),
    )
)
