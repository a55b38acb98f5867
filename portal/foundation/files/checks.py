"""Whether an upload is what it says it is: its content, its name, its size."""

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from werkzeug.datastructures import FileStorage

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l

log = structlog.get_logger()
MOST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 120
# Wall-clock seconds; the process may also use five of the processor's.
TIMEOUT_SECONDS = 4.5
INSPECTOR = Path(__file__).with_name("inspector.py")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {
    "image": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "pdf": ("application/pdf",),
    "xlsx": (XLSX,),
    "csv": ("text/csv",),
}
# What a name may end in, for each content; the first is given to what is stored.
ENDINGS = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "application/pdf": ("pdf",),
    XLSX: ("xlsx",),
    "text/csv": ("csv", "txt"),
}
KIND_NAMES = {
    "image": _l("a picture (JPEG, PNG, WebP or GIF)"),
    "pdf": _l("a PDF"),
    "xlsx": _l("a workbook (.xlsx)"),
    "csv": _l("a CSV file"),
}
SENTENCES = {
    "unreadable": _l("This file is damaged or is not what its name says."),
    "too_many_pixels": _l("This picture has too many pixels: send at most 40 million."),
    "too_many_pages": _l("This PDF has more than 500 pages or none."),
    "locked": _l("This PDF needs a password: send one without."),
    "macros": _l("This workbook holds programs: save it without macros."),
    "unpacks_too_large": _l("This file unpacks to more than 20 MB."),
    "too_heavy": _l("This file takes too long to read: send a smaller one."),
}


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """An upload that may be stored: its cleaned name, its type by content, the bytes to keep."""

    name: str
    media_type: str
    content: bytes
    width: int | None = None
    height: int | None = None


def cleaned_name(name: str, ending: str) -> str:
    """Return the last part of `name` without characters that mislead, ending in `.ending`."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    # Control and format characters, among them those that turn the direction of writing.
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    stem = kept.rpartition(".")[0] if "." in kept else kept
    stem = re.sub(r'[<>:"|?*;%]', "_", stem).strip(" .")
    return f"{stem[: LONGEST_NAME - len(ending) - 1] or 'file'}.{ending}"


def check_upload(
    upload: FileStorage, *, kinds: Collection[str], most: int = MOST_BYTES
) -> CheckedUpload:
    """Read an upload and return what may be stored of it; call it before `transaction()`.

    kinds: of "image", "pdf", "xlsx", "csv". most: bytes. Pictures are drawn anew, without the
    place and time that cameras write beside them. Refuses empty and large files, other kinds (HTML
    and SVG always), names that end otherwise than the content, and what its reader cannot read in
    five seconds and 256 MB.
    """
    name = upload.filename or ""
    content = upload.stream.read(most + 1)
    if not content:
        raise Refused(_l("This file is empty."))
    if len(content) > most:
        raise Refused(_l("This file is too large: send at most %(mb)s MB.", mb=most // 1024**2))
    found, kept = _inspected(content, kinds)
    source, media_type = found["given"], found["media_type"]
    ending = name.rpartition(".")[2].lower()
    if ending not in ENDINGS[source]:
        raise Refused(
            _l(
                "The name ends in .%(ending)s but the content does not: it belongs in .%(right)s.",
                ending=ending[:10],
                right=ENDINGS[source][0],
            )
        )
    right = ending if media_type == source else ENDINGS[media_type][0]
    return CheckedUpload(
        cleaned_name(name, right), media_type, kept, found.get("width"), found.get("height")
    )


def _inspected(content: bytes, kinds: Collection[str]) -> tuple[dict[str, Any], bytes]:
    wanted = ",".join(media_type for kind in kinds for media_type in KINDS[kind])
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(INSPECTOR), wanted],
            input=content,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(SENTENCES["too_heavy"]) from None
    head, _, kept = done.stdout.partition(b"\n")
    if done.returncode or not head:
        log.warning("upload.inspector_failed", code=done.returncode, error=done.stderr[-500:])
        raise Refused(SENTENCES["too_heavy" if done.returncode < 0 else "unreadable"])
    found = json.loads(head)
    if "unfit" in found:
        if found["unfit"] == "other_kind":
            names = ", ".join(str(KIND_NAMES[kind]) for kind in sorted(kinds))
            raise Refused(_l("This kind of file is not taken here: send %(kinds)s.", kinds=names))
        raise Refused(SENTENCES[found["unfit"]])
    return found, kept
