"""The root holds the rooms of the house and nothing else."""

from pathlib import Path

from tests.house.source import ROOT

FOLDERS = {"portal", "loyalty", "templates", "static", "migrations", "tests", ".ci"}
FILES = {
    "wsgi.py", "README.md", "requirements.in", "requirements.txt", "Makefile", "pyproject.toml",
    "CHANGELOG.md", "LICENSE", "package.json", "package-lock.json", ".gitignore",
}  # fmt: skip


def strangers(folder: Path) -> set[str]:
    """Return what lies in `folder` and belongs neither to the house nor to .gitignore."""
    ignored = {
        line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()
    } | {".git"}
    return {path.name for path in folder.iterdir()} - FOLDERS - FILES - ignored


def test_a_stranger_is_found(tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "tests").mkdir()
    assert strangers(tmp_path) == {"scripts"}


def test_the_root_is_tidy():
    assert strangers(ROOT) == set()


def test_every_promised_file_is_there():
    assert {name for name in FILES | FOLDERS if not (ROOT / name).exists()} == set()
