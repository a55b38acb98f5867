"""Stored files as answers to the browser."""

from flask import Response, send_file

from portal.foundation.errors import NotFound
from portal.foundation.files.models import StoredFile
from portal.foundation.files.storage import path_of

SHOWN = {"image/jpeg", "image/png", "application/pdf"}
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
# Browsers show no PDF inside a sandbox.
PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


def send_stored(file: StoredFile, *, download: bool = False) -> Response:
    """Return `file` as an answer; whether the reader may have it was decided by the caller.

    download: to be saved rather than shown; only pictures and PDFs are ever shown. Refuses
    (NotFound) a file whose bytes are gone.
    """
    path = path_of(file.storage_name)
    if not path.exists():
        raise NotFound
    shown = file.media_type in SHOWN and not download
    response = send_file(
        path,
        mimetype=file.media_type,
        as_attachment=not shown,
        download_name=file.name,
        etag=file.sha256,
        max_age=0,
    )
    is_pdf = file.media_type == "application/pdf"
    response.headers["Content-Security-Policy"] = PDF_POLICY if shown and is_pdf else SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
