"""What every test may ask for; most fixtures live in the modules named here."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from portal.foundation import clock as foundation_clock

# Each module stands before those that import it.
pytest_plugins = ["tests.application", "tests.guards", "tests.browser.chromium", "tests.run"]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Undo pytest-flask's fixture of this name, which leaks the signed-in user between clients."""


class Clock:
    """The product's time within a test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def set(self, instant: datetime | str) -> datetime:
        """Let it be `instant`, aware or ISO 8601 text, and stay so."""
        if isinstance(instant, str):
            instant = foundation_clock.parse_instant(instant)
        self._stack.enter_context(foundation_clock.at(instant))
        return instant

    def advance(self, **length: float) -> datetime:
        """Let time pass by a timedelta's keywords, such as days=30."""
        return self.set(foundation_clock.now() + timedelta(**length))

    def now(self) -> datetime:
        """Return the present instant."""
        return foundation_clock.now()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock, to be set: `clock.set("2026-03-01T09:00Z")`, `clock.advance(days=1)`."""
    with ExitStack() as stack:
        yield Clock(stack)
