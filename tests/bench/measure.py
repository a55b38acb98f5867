"""Measuring ours beside its raw limit, turn by turn, so that both meet the same machine."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

Work = Callable[[], float | None]

BENCHES: dict[str, Callable[[], None]] = {}


def bench(function: Callable[[], None]) -> Callable[[], None]:
    """Register a benchmark under its function's name; `make bench ARGS=name` runs it alone."""
    BENCHES[function.__name__] = function
    return function


@dataclass(frozen=True)
class Result:
    """One line of output.

    value, limit: medians of ours and of the raw way, in `unit`. ratio: how near ours comes, 1 being
    as good as raw, whichever way the unit counts. runs: how often each was measured.
    """

    bench: str
    value: float
    unit: str
    limit: float
    ratio: float
    runs: int


def is_rate(unit: str) -> bool:
    """Return whether more is better: rates are written per second."""
    return unit.endswith("/s")


def timed(work: Work) -> float:
    """Return what `work` measured itself, or else the seconds it took."""
    start = time.perf_counter()
    measured = work()
    return time.perf_counter() - start if measured is None else measured


def measure(
    bench: str, ours: Work, raw: Work, unit: str, runs: int = 5, *, items: int | None = None
) -> Result:
    """Run `ours` and `raw` in turn, `runs` times each after one unmeasured turn, and print a line.

    A function may return its own figure in `unit`; otherwise its seconds count, and with `items`
    the unit is a rate: items for each second.
    """
    figures: dict[str, list[float]] = {"ours": [], "raw": []}
    for turn in range(runs + 1):
        # Who goes first changes each turn: neither always finds the caches warm.
        order = [("ours", ours), ("raw", raw)]
        for name, work in order if turn % 2 else reversed(order):
            figure = timed(work)
            if turn:
                figures[name].append(items / figure if items else figure)
    value, limit = statistics.median(figures["ours"]), statistics.median(figures["raw"])
    ratio = value / limit if is_rate(unit) else limit / value
    result = Result(bench, _round(value), unit, _round(limit), round(ratio, 3), runs)
    print(json.dumps(asdict(result)), flush=True)
    return result


def _round(figure: float) -> float:
    """Return four significant digits."""
    return float(f"{figure:.4g}")
