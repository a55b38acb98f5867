"""What the desk asks about imports."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import Select

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.errors import NotFound
from portal.foundation.imports import policy
from portal.foundation.imports.models import ImportJob


def imports_select(actor: Actor) -> Select[Any]:
    """Return the select of the imports that the actor may see."""
    return sa.select(ImportJob).where(policy.visible_to(actor))


def import_for(actor: Actor, import_id: int) -> ImportJob:
    """Return one import; refuses (NotFound) what the actor may not see."""
    found: ImportJob | None = db.session.scalar(
        imports_select(actor).where(ImportJob.id == import_id)
    )
    if found is None:
        raise NotFound
    return found


def rate(job: ImportJob) -> float | None:
    """Return how many rows a second a running or ended import reads; None before it began."""
    if job.started_at is None or not job.read:
        return None
    length = (job.finished_at or clock.now()) - job.started_at
    return job.read / max(length, timedelta(milliseconds=1)).total_seconds()
