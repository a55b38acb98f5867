"""`python -m tests.bench [NAME…]`: run the benchmarks, one JSON line each.

A benchmark is a function marked `@bench` in a module of this folder called bench_*.py.
"""

import importlib
import sys
from pathlib import Path

from tests.bench.measure import BENCHES


def main(names: list[str]) -> int:
    """Run the benchmarks called `names`, or all; return the exit code."""
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        importlib.import_module(f"tests.bench.{path.stem}")
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(sorted(BENCHES))}")
        return 2
    for name, run in sorted(BENCHES.items()):
        if not names or name in names:
            run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
