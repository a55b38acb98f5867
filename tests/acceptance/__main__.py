"""`python -m tests.acceptance [NAME…]`: compare real data with what is expected of it.

A check is a function marked `@check` in a module of this folder called check_*.py.
"""

import importlib
import os
import sys
from pathlib import Path

from tests.acceptance.checks import run_checks


def main(names: list[str]) -> int:
    """Run the checks called `names`, or all, on the folder DATA; return the exit code."""
    for path in sorted(Path(__file__).parent.glob("check_*.py")):
        importlib.import_module(f"tests.acceptance.{path.stem}")
    return run_checks(Path(os.environ.get("DATA", "../shared/data")), names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
