"""The one place that knows both wings."""

from typing import Any

from apiflask import APIFlask

import loyalty.wing
import portal.wing
from portal.foundation import app as foundation


def create_app(**overrides: Any) -> APIFlask:
    """Return Guildhall: the portal and the loyalty wing on one foundation."""
    return foundation.create_app((*portal.wing.SLICES, *loyalty.wing.SLICES), **overrides)
