"""Devices in the field: what was sold, to whom, and for how long the vendor answers for it."""

import re
import unicodedata
from calendar import monthrange
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model

# What people put between the groups of a serial number, dashes of every script among it.
_separators = re.compile(r"[\s\-_.\u00ad\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d]+")


def serial_key(serial: str) -> str:
    """Return the form of a serial number that is compared: capitals without separators."""
    return _separators.sub("", unicodedata.normalize("NFKC", serial)).upper()


def warranty_end(sold_on: date | None, months: int | None) -> date | None:
    """Return the last day of a warranty of some months, none where either is unknown or zero."""
    if sold_on is None or not months:
        return None
    year, month = divmod(sold_on.year * 12 + sold_on.month - 1 + months, 12)
    last = min(sold_on.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, last) - timedelta(days=1)


class Device(Model):
    """One unit of a product, known by its serial number."""

    __tablename__ = "devices"
    __table_args__ = (
        sa.Index(None, "registered_at", "id"),
        sa.Index(None, "sku", "id"),
        sa.Index(None, "sold_by_id", "id"),
        sa.Index(None, "owner_email_key", "id"),
        sa.Index(None, "warranty_until", "id"),
    )

    serial: Mapped[str] = mapped_column(sa.String(80), doc="Serial number as written.")
    serial_key: Mapped[str] = mapped_column(
        sa.String(80), unique=True, doc="Serial number in capitals without separators."
    )
    sku: Mapped[str] = mapped_column(sa.String(80), doc="Article number as written.")
    product_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("products.id"), index=True, doc="The product, when the number is known."
    )
    sold_on: Mapped[date | None] = mapped_column(doc="Day of the sale to the owner.")
    sold_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("partners.id"), doc="The partner that sold it."
    )
    owner_name: Mapped[str | None] = mapped_column(sa.String(200), doc="Who owns it.")
    owner_email: Mapped[str | None] = mapped_column(sa.String(254), doc="The owner's address.")
    owner_email_key: Mapped[str | None] = mapped_column(
        sa.String(254), doc="That address trimmed and lower-cased."
    )
    country: Mapped[str | None] = mapped_column(sa.String(2), doc="ISO 3166 alpha-2, where it is.")
    warranty_until: Mapped[date | None] = mapped_column(
        doc="Last day of the vendor's warranty, from the sale and the product's months."
    )
    is_confirmed: Mapped[bool] = mapped_column(
        doc="False while only a station's word and a proof of purchase stand for it."
    )
    registered_at: Mapped[datetime] = mapped_column(doc="When Guildhall first heard of it.")
    version: Mapped[int] = mapped_column(default=1, doc="Counts changes.")

    __mapper_args__ = {"version_id_col": version}
