"""Structured logs on standard error: one JSON line each, with the request's id, no secrets."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from portal.foundation.origin import origin

SECRET_WORDS = ("password", "token", "secret", "authorization", "cookie", "code")


def _with_request(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Any:
    where = origin()
    if where.request_id:
        event["request_id"] = where.request_id
    return event


def _without_secrets(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Any:
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "[kept out]"
    return event


def configure(level: str = "WARNING") -> None:
    """Write logs of `level` and above as JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_request,
            _without_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
