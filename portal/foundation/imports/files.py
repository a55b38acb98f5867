"""Where files that were sent are kept: DATA_DIR/imports, under random names.

Several machines share DATA_DIR (a network file system), since the machine that takes a file in is
not the one whose jobs process reads it.
"""

import os
import secrets
from pathlib import Path, PurePath
from typing import IO

from flask import current_app

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l

MOST_BYTES = 12 * 1024 * 1024
ENDINGS = (".csv", ".csv.gz", ".tsv", ".txt", ".xlsx")


def folder() -> Path:
    """Return the folder of sent files, made when absent and closed to other users."""
    path = Path(current_app.config["DATA_DIR"]) / "imports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def stored_path(stored_name: str) -> Path:
    """Return where a stored file is."""
    return folder() / PurePath(stored_name).name


def rejects_path(stored_name: str) -> Path:
    """Return where the rejects of a stored file are."""
    return stored_path(stored_name + ".rejects.csv")


def ending_of(file_name: str) -> str:
    """Return the ending of a file that may be sent; refuses (Refused) others."""
    name = file_name.lower()
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            return ending
    raise Refused(
        _l("Send a file that ends in %(endings)s.", endings=", ".join(ENDINGS)), field="file"
    )


def store(stream: IO[bytes], file_name: str) -> str:
    """Store what `stream` holds; return its random name.

    Refuses (Refused) other endings, an empty file, and more than 12 MB, of which nothing stays.
    """
    stored_name = secrets.token_hex(16) + ending_of(file_name)
    path = stored_path(stored_name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    with os.fdopen(descriptor, "wb") as file:
        while (chunk := stream.read(256 * 1024)) and size <= MOST_BYTES:
            size += len(chunk)
            file.write(chunk)
    if not 0 < size <= MOST_BYTES:
        path.unlink()
        why = _l("Send at most 12 MB.") if size else _l("The file is empty.")
        raise Refused(why, field="file")
    return stored_name


def remove(stored_name: str) -> None:
    """Remove a stored file and its rejects; nothing happens when they are gone."""
    stored_path(stored_name).unlink(missing_ok=True)
    rejects_path(stored_name).unlink(missing_ok=True)
