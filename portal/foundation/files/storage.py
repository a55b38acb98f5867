"""The bytes of stored files: one folder that all machines share, written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app

from portal.foundation.files.models import StoredFile


def files_root() -> Path:
    """Return the folder of stored files."""
    return Path(current_app.config["DATA_DIR"]) / "files"


def path_of(storage_name: str) -> Path:
    """Return where the bytes of `storage_name` lie, in a folder of its first two letters.

    Refuses (ValueError) what is not a name that `write_new` made.
    """
    if not (storage_name.isalnum() and storage_name.isascii()):
        raise ValueError("this is not the name of a stored file")
    return files_root() / storage_name[:2] / storage_name


def write_new(content: bytes) -> str:
    """Write `content` durably under a new random name and return that name."""
    storage_name = secrets.token_hex(20)
    target = path_of(storage_name)
    target.parent.mkdir(parents=True, exist_ok=True)
    making = target.with_name(f".{storage_name}.tmp")
    try:
        with making.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        making.replace(target)
    except OSError:
        making.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return storage_name


def read_stored(file: StoredFile) -> bytes:
    """Return the bytes of `file`; refuses (FileNotFoundError) when they are gone."""
    return path_of(file.storage_name).read_bytes()


def written_files() -> Iterator[tuple[Path, datetime]]:
    """Yield every file in the store, half-written ones too, with the machine's time of writing."""
    for folder in sorted(files_root().glob("??")):
        for path in sorted(folder.iterdir()):
            try:
                written = path.stat().st_mtime
            except FileNotFoundError:
                continue
            yield path, datetime.fromtimestamp(written, UTC)
