"""Products: what the vendor sells, as in its price list."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model


def sku_key(sku: str) -> str:
    """Return the form of an article number that is compared: trimmed and in small letters."""
    return sku.strip().casefold()


class Product(Model):
    """One article of the price list."""

    __tablename__ = "products"
    __table_args__ = (
        sa.Index(None, "name_key", "id"),
        sa.Index(None, "family", "id"),
    )

    sku: Mapped[str] = mapped_column(sa.String(80), unique=True, doc="Article number.")
    sku_key: Mapped[str] = mapped_column(
        sa.String(80), unique=True, doc="Article number in small letters; what is compared."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="As on the price list.")
    name_key: Mapped[str] = mapped_column(sa.String(200), doc="Name, lower-case, for sorting.")
    family: Mapped[str | None] = mapped_column(
        sa.String(100), doc="Products that stand for each other when deals are compared."
    )
    category: Mapped[str | None] = mapped_column(sa.String(100), doc="Wider group of families.")
    list_price: Mapped[Decimal | None] = mapped_column(doc="Price of one, without tax.")
    currency: Mapped[str | None] = mapped_column(sa.String(3), doc="ISO 4217, of the price.")
    warranty_months: Mapped[int | None] = mapped_column(doc="Length of the warranty from the sale.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was added.")
