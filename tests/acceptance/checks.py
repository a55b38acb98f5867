"""Checks on real data: each says what is expected and what was found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One figure: what it is, what is expected of it, what was found."""

    what: str
    expected: object
    found: object

    @property
    def agrees(self) -> bool:
        """Return whether found is what was expected."""
        return self.expected == self.found


Check = Callable[[Path], Iterator[Finding]]

CHECKS: dict[str, tuple[str, Check]] = {}


def check(name: str, needs: str) -> Callable[[Check], Check]:
    """Register a check that reads the file or folder `needs` of the data folder.

    It is given the data folder and yields findings.
    """

    def register(function: Check) -> Check:
        CHECKS[name] = (needs, function)
        return function

    return register


def shown(value: object) -> str:
    """Return a value as it is printed: whole numbers grouped."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def run_checks(data: Path, names: list[str]) -> int:
    """Run the checks called `names`, or all, on the folder `data`; return the exit code.

    Prints expected beside found for each; 1 when anything differs or a needed file is absent.
    """
    if not data.is_dir():
        print(f"Nothing to accept: there is no folder {data}; set DATA to the real data.")
        return 0
    unknown = set(names) - set(CHECKS)
    if unknown:
        print(f"no check {', '.join(sorted(unknown))}; there are: {', '.join(sorted(CHECKS))}")
        return 2
    differences = compared = 0
    for name, (needs, function) in sorted(CHECKS.items()):
        if names and name not in names:
            continue
        if not (data / needs).exists():
            print(f"DIFFERS  {name}: {needs} is absent")
            differences += 1
            continue
        for finding in function(data):
            compared += 1
            differences += not finding.agrees
            word = "agrees " if finding.agrees else "DIFFERS"
            print(
                f"{word}  {name}: {finding.what}: "
                f"expected {shown(finding.expected)}, found {shown(finding.found)}",
                flush=True,
            )
    print(f"{compared - differences} agree, {differences} differ")
    return 1 if differences else 0
