"""End customers: companies that partners sell to, each known as one."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model


class Customer(Model):
    """A company that buys, whichever partner sells to it."""

    __tablename__ = "customers"
    __table_args__ = (
        sa.Index(None, "name_key", "country"),
        sa.Index(None, "tax_key"),
        sa.Index(None, "domain"),
    )

    identity: Mapped[str] = mapped_column(
        sa.String(250), unique=True, doc="What makes it one: by tax id, else by name and country."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="Legal name as first written.")
    name_key: Mapped[str] = mapped_column(sa.String(200), doc="Name as it is compared.")
    country: Mapped[str | None] = mapped_column(sa.String(2), doc="ISO 3166 alpha-2.")
    domain: Mapped[str | None] = mapped_column(sa.String(253), doc="Web domain, never free mail.")
    tax_id: Mapped[str | None] = mapped_column(sa.String(40), doc="As first written.")
    tax_key: Mapped[str | None] = mapped_column(sa.String(40), doc="Tax id as it is compared.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was first heard of.")
