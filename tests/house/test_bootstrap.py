"""The set-up installs what it may, and otherwise says the one command to type."""

import shutil
import subprocess
import sys

import pytest

from portal.foundation import bootstrap
from portal.foundation.bootstrap import Need, Stop, see_to_system
from tests.house.source import ROOT


@pytest.fixture
def installed(monkeypatch):
    """Pretend to be a Debian machine on which packages may be installed; collects them."""
    packages: list[str] = []

    def install(_prefix: list[str], wanted: list[str]) -> bool:
        packages.extend(wanted)
        return True

    monkeypatch.setattr(bootstrap, "_rights", list)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap, "_apt_install", install)
    return packages


def test_what_is_there_is_left_alone(installed):
    see_to_system((Need("Pango", ("libpango-1.0-0",), lambda: True),))
    assert installed == []


def test_what_is_missing_is_installed_at_once(installed):
    see_to_system(
        (
            Need("Pango", ("libpango-1.0-0",), lambda: bool(installed)),
            Need("Chromium", ("chromium",), lambda: bool(installed)),
        )
    )
    assert installed == ["libpango-1.0-0", "chromium"]


def test_without_the_right_the_command_is_named(installed, monkeypatch):
    monkeypatch.setattr(bootstrap, "_rights", lambda: None)
    with pytest.raises(Stop, match=r"Type: sudo apt-get install -y libpango-1\.0-0$"):
        see_to_system((Need("Pango", ("libpango-1.0-0",), lambda: False),))
    assert installed == []


def test_what_can_be_done_without_stops_nothing(installed, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "_rights", lambda: None)
    see_to_system((Need("PostgreSQL", ("postgresql",), lambda: False, "another is used"),))
    assert capsys.readouterr().out == "Without PostgreSQL: another is used.\n"


def test_uv_is_pinned_by_hash():
    pin = bootstrap._uv_pin().splitlines()
    assert pin[0].startswith("uv==")
    assert "--hash=sha256:" in pin[1]
    assert all(line.startswith((" ", "uv==")) for line in pin)


def test_it_runs_on_the_standard_library_alone():
    load = "import runpy; runpy.run_path('portal/foundation/bootstrap.py')"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", load],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_pin_has_a_hash_and_no_address():
    text = (ROOT / "requirements.txt").read_text("utf-8")
    assert "://" not in text
    blocks = text.replace("\\\n", " ").splitlines()
    pins = [line for line in blocks if line and not line.lstrip().startswith("#")]
    assert [line for line in pins if "==" not in line or "--hash=sha256:" not in line] == []
