"""Storing and removing files."""

import hashlib
from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa
from werkzeug.datastructures import FileStorage

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.files.checks import (
    ENDINGS,
    MOST_BYTES,
    CheckedUpload,
    check_upload,
    cleaned_name,
)
from portal.foundation.files.models import StoredFile
from portal.foundation.files.storage import write_new, written_files

ORPHAN_AFTER = timedelta(days=1)


def store_upload(
    actor: Actor,
    upload: FileStorage | CheckedUpload,
    *,
    purpose: str,
    kinds: Collection[str] = ("image", "pdf"),
    most: int = MOST_BYTES,
) -> StoredFile:
    """Store an upload in the present transaction; who may read it is the caller's policy.

    upload: best what `check_upload` gave before the transaction, since checking takes a while in
    which SQLite would let nobody else write; a raw upload is checked here. purpose: slice.thing.
    Refuses what `check_upload` refuses.
    """
    if isinstance(upload, FileStorage):
        upload = check_upload(upload, kinds=kinds, most=most)
    return _kept(actor, upload, purpose)


def store_document(
    actor: Actor, content: bytes, *, name: str, media_type: str, purpose: str
) -> StoredFile:
    """Store what Guildhall itself made, such as a PDF; it is not checked.

    Refuses (KeyError) a media type that no upload may have either.
    """
    made = CheckedUpload(cleaned_name(name, ENDINGS[media_type][0]), media_type, content)
    return _kept(actor, made, purpose)


def _kept(actor: Actor, made: CheckedUpload, purpose: str) -> StoredFile:
    # Written before the commit: a row never lacks its bytes; bytes without a row are cleaned away.
    file = StoredFile(
        storage_name=write_new(made.content),
        name=made.name,
        media_type=made.media_type,
        size=len(made.content),
        sha256=hashlib.sha256(made.content).hexdigest(),
        width=made.width,
        height=made.height,
        purpose=purpose,
        tenant_id=actor.tenant_id,
        user_id=actor.user_id,
        created_at=clock.now(),
    )
    db.session.add(file)
    db.session.flush()  # callers keep the file's key
    return file


def remove_file(file: StoredFile) -> None:
    """Forget a file; its bytes go with the next cleaning, when the transaction has surely ended."""
    db.session.delete(file)


def clean_store() -> int:
    """Remove bytes older than a day that no row names; return how many files went.

    Outside a transaction: the rows are read once for every thousand files.
    """
    before = clock.machine_now() - ORPHAN_AFTER
    old = [path for path, written in written_files() if written < before]
    removed = 0
    for start in range(0, len(old), 1000):
        some = {path.name: path for path in old[start : start + 1000]}
        known = set(
            db.session.scalars(
                sa.select(StoredFile.storage_name).where(StoredFile.storage_name.in_(list(some)))
            )
        )
        for name in some.keys() - known:
            some[name].unlink(missing_ok=True)
            removed += 1
    return removed
