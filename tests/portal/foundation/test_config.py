"""What the environment may ask for; the rest is refused in one line, before anything starts."""

import os
import subprocess
from pathlib import Path

import pytest

from portal.foundation.config import BadConfiguration, read_config
from tests.databases import ROOT

KEY = {"SECRET_KEY": "k" * 40}


def read(folder: Path, **environment: str):
    return read_config({"DATA_DIR": str(folder), **KEY, **environment})


@pytest.mark.parametrize(
    "wrong",
    [
        {"PORT": "x"}, {"PORT": "0"}, {"PORT": "70000"}, {"TRUSTED_PROXIES": "-1"},
        {"BASE_URL": "ftp://x"}, {"BASE_URL": "guildhall.example"}, {"MAIL_URL": "http://x"},
        {"DATABASE_URL": "mysql://x/y"}, {"DATABASE_URL": "nonsense"}, {"SECRET_KEY": "short"},
        {"FLASK_DEBUG": "1"}, {"CLOCK": "soon"},
        {"CLOCK": "2026-01-01", "BASE_URL": "https://guildhall.example"},
        {"DATA_DIR": "/proc/nowhere"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, wrong: dict[str, str]):
    with pytest.raises(BadConfiguration) as refused:
        read(tmp_path, **wrong)
    assert "\n" not in str(refused.value)


def test_the_defaults_are_those_of_the_interface(tmp_path: Path):
    config = read_config({"DATA_DIR": str(tmp_path)})
    assert (config.host, config.port, config.base_url) == (
        "127.0.0.1",
        8000,
        "http://127.0.0.1:8000",
    )
    assert (config.mail_url, config.redis_url, config.demo) == ("file:", None, True)
    assert config.database_url == f"sqlite:///{tmp_path / 'guildhall.db'}"
    path = tmp_path / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_config({"DATA_DIR": str(tmp_path)}).secret_key == config.secret_key


def test_postgresql_is_spoken_to_by_psycopg(tmp_path: Path):
    config = read(tmp_path, DATABASE_URL="postgresql://u:p%40ss@db/guildhall")
    assert config.database_url == "postgresql+psycopg://u:p%40ss@db/guildhall"


def test_a_command_refuses_without_a_traceback(tmp_path: Path):
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "CLOCK": "soon"}
    program = [str(ROOT / ".venv" / "bin" / "flask"), "--app", "wsgi", "policies"]
    done = subprocess.run(
        program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "Error: CLOCK is an instant, such as 2026-12-01T09:00Z\n"
