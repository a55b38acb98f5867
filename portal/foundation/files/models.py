"""What is known of each stored file; the bytes lie in DATA_DIR/files."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model


class StoredFile(Model):
    """A file that somebody uploaded or that Guildhall made."""

    __tablename__ = "stored_files"
    __table_args__ = (
        sa.Index(None, "tenant_id", "id"),
        sa.Index(None, "user_id", "id"),
        sa.Index(None, "purpose", "id"),
    )

    storage_name: Mapped[str] = mapped_column(
        sa.String(64), unique=True, doc="Random name in the store, 160 bits; says nothing."
    )
    name: Mapped[str] = mapped_column(sa.String(120), doc="Name as the reader sees it, cleaned.")
    media_type: Mapped[str] = mapped_column(sa.String(100), doc="By content, never by name.")
    size: Mapped[int] = mapped_column(doc="Bytes as stored.")
    sha256: Mapped[str] = mapped_column(sa.String(64), doc="Digest of the bytes as stored.")
    width: Mapped[int | None] = mapped_column(doc="Of pictures, pixels.")
    height: Mapped[int | None] = mapped_column(doc="Of pictures, pixels.")
    purpose: Mapped[str] = mapped_column(sa.String(80), doc="What it is for: slice.thing.")
    tenant_id: Mapped[int | None] = mapped_column(doc="Organisation of who stored it.")
    user_id: Mapped[int | None] = mapped_column(doc="Who stored it; none for Guildhall.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was stored, UTC.")

    @property
    def is_picture(self) -> bool:
        """Return whether browsers may show it as a picture."""
        return self.media_type in {"image/jpeg", "image/png"}

    @property
    def document_path(self) -> str:
        """Return the address by which a PDF's template shows it."""
        return f"files/{self.storage_name[:2]}/{self.storage_name}"
