"""Waiting for other processes: the one place in the tests that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], what: str, *, seconds: float = 15, every: float = 0.02
) -> T:
    """Return the first true answer of `condition`, asked again and again.

    Fails after `seconds`, saying that `what` did not happen.
    """
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds:g} s, not yet: {what}")
        time.sleep(every)
