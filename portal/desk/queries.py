"""What the desk asks about jobs, facts and settings."""

from typing import Any

import sqlalchemy as sa

from portal.foundation.audit import AuditEntry
from portal.foundation.database import db
from portal.foundation.facts import DeliveryState, FactDelivery, StoredFact
from portal.foundation.mail.models import MailMessage, MailState
from portal.foundation.settings import DEFINITIONS, Definition, all_values


def failed_deliveries(limit: int = 100) -> list[tuple[FactDelivery, str]]:
    """Return deliveries that were given up, oldest first, with their fact's name."""
    rows = db.session.execute(
        sa.select(FactDelivery, StoredFact.name)
        .join(StoredFact, StoredFact.id == FactDelivery.fact_id)
        .where(FactDelivery.state == DeliveryState.FAILED)
        .order_by(FactDelivery.id)
        .limit(limit)
    )
    return [(delivery, name) for delivery, name in rows]


def waiting_counts() -> dict[str, int]:
    """Return how many deliveries and mails wait, and how many failed."""
    pending = sa.select(sa.func.count()).where(FactDelivery.state == DeliveryState.PENDING)
    failed = sa.select(sa.func.count()).where(FactDelivery.state == DeliveryState.FAILED)
    queued = sa.select(sa.func.count()).where(MailMessage.state == MailState.QUEUED)
    lost = sa.select(sa.func.count()).where(MailMessage.state == MailState.FAILED)
    row = db.session.execute(
        sa.select(
            pending.scalar_subquery().label("facts"),
            failed.scalar_subquery().label("failed_facts"),
            queued.scalar_subquery().label("mails"),
            lost.scalar_subquery().label("failed_mails"),
        )
    ).one()
    return dict(row._mapping)


def settings_by_slice() -> dict[str, list[tuple[Definition, Any]]]:
    """Return every setting with its value, grouped by the slice that defines it."""
    values = all_values()
    groups: dict[str, list[tuple[Definition, Any]]] = {}
    for name in sorted(DEFINITIONS):
        pair = (DEFINITIONS[name], values[name])
        groups.setdefault(name.split(".")[0], []).append(pair)
    return groups


def audit_select() -> sa.Select[Any]:
    """Return all audit entries; only for actors who may see the machinery."""
    return sa.select(AuditEntry)
