"""Where a change comes from: address and request id, set by the web or by a job."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """address: the caller's, from trusted proxies only. request_id: as in the answer's header."""

    address: str = ""
    request_id: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def origin() -> Origin:
    """Return where the present work comes from."""
    return _origin.get()


def set_origin(address: str, request_id: str) -> None:
    """Say where the present work comes from."""
    _origin.set(Origin(address, request_id))
