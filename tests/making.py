"""How tests make the application: from an environment of their own."""

from pathlib import Path

from flask import Flask

from portal.foundation.config import read_config


def environment_for(data_dir: Path, url: str, **settings: str) -> dict[str, str]:
    """Return the environment of an application that tests may run: no mail, no network, no demo.

    `settings` are further variables of the interface, such as CLOCK or PORT.
    """
    return {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": url,
        "SECRET_KEY": "only-for-tests-and-known-to-everyone",
        "MAIL_URL": "file:",
        "DEMO": "0",
        **settings,
    }


def make_app(environment: dict[str, str]) -> Flask:
    """Return the application that `environment` describes, set for tests."""
    from wsgi import create_app  # noqa: PLC0415 - see LATE_IMPORTS in tests/house/rules.py

    app = create_app(config=read_config(environment))
    app.testing = True
    return app
