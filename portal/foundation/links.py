"""Addresses for mails, documents and codes: built from BASE_URL, never from a request's Host."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def absolute_url(endpoint: str, **values: Any) -> str:
    """Return the full address of `endpoint`; also in jobs and commands, where no request is.

    Refuses (BuildError) an endpoint that does not exist or lacks a value.
    """
    base = urlsplit(current_app.config["BASE_URL"])
    adapter = current_app.url_map.bind(base.netloc, base.path or "/", url_scheme=base.scheme)
    current_app.inject_url_defaults(endpoint, values)
    anchor = values.pop("_anchor", None)
    address = adapter.build(endpoint, values, force_external=True)
    return f"{address}#{anchor}" if anchor else address


def base_host() -> str:
    """Return the host that BASE_URL names, without port; for Message-IDs and senders.

    An IPv6 address, which neither may hold as it is, gives "localhost".
    """
    host = urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"
    return "localhost" if ":" in host else host
