"""Configuration from the environment; every variable is in the README."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from portal.foundation import clock

ROOT = Path(__file__).resolve().parents[2]
DEMO_PASSWORD = "guildhall-demo"  # noqa: S105 - the demo's, printed to everybody
MAIL_SCHEMES = {"file", "smtp", "smtps"}


class BadConfiguration(click.ClickException):
    """The environment asks for what cannot be; the message is one line for the operator."""

    exit_code = 2


@dataclass(frozen=True)
class Config:
    """What the process runs with; see section 2 of the interface for each variable."""

    host: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str | None
    mail_url: str
    base_url: str
    secret_key: str
    demo: bool
    trusted_proxies: int

    @property
    def has_demo(self) -> bool:
        """Return whether an empty database gets the demo; never where readers come by https."""
        return self.demo and not self.is_https

    @property
    def is_https(self) -> bool:
        """Return whether readers come by https, so that cookies are Secure."""
        return self.base_url.startswith("https://")


def _secret_key(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    key = path.read_text().strip()
    if len(key) < 32:
        raise BadConfiguration(f"{path} holds no usable key; delete it to get a new one")
    return key


def _database_url(text: str | None, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'guildhall.db'}"
    try:
        url = sa.engine.make_url(text)
    except sa.exc.ArgumentError:
        raise BadConfiguration("DATABASE_URL is not an SQLAlchemy URL") from None
    backend = url.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise BadConfiguration(f"DATABASE_URL names {backend}; sqlite and postgresql are served")
    if backend == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def _check_clock(text: str) -> None:
    try:
        clock.parse_instant(text)
    except ValueError:
        raise BadConfiguration("CLOCK is an instant, such as 2026-12-01T09:00Z") from None


def read_config(environ: dict[str, str] | None = None) -> Config:
    """Return the configuration that `environ` (default: the process's) describes.

    Refuses (BadConfiguration) a port, address or URL that cannot be, a folder that cannot be
    written, debug mode, a short key, and CLOCK when it is no instant or BASE_URL is https. Makes
    DATA_DIR and its secret key when absent.
    """
    env = dict(os.environ) if environ is None else environ
    host = env.get("HOST", "127.0.0.1")
    try:
        port = int(env.get("PORT", "8000"))
        proxies = int(env.get("TRUSTED_PROXIES", "0"))
    except ValueError:
        raise BadConfiguration("PORT and TRUSTED_PROXIES are whole numbers") from None
    if not 0 < port < 65_536 or not 0 <= proxies <= 10:
        raise BadConfiguration("PORT is from 1 to 65535, TRUSTED_PROXIES from 0 to 10")
    data_dir = Path(env.get("DATA_DIR") or ROOT / "instance").resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(f"DATA_DIR: {error.strerror}: {data_dir}") from None
    base_url = (env.get("BASE_URL") or f"http://{host}:{port}").rstrip("/")
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadConfiguration("BASE_URL is an http or https address")
    if parts.scheme == "https" and env.get("CLOCK"):
        raise BadConfiguration("CLOCK is for trying only; it is refused when BASE_URL is https")
    if env.get("CLOCK"):
        _check_clock(env["CLOCK"])
    if env.get("FLASK_DEBUG", "0") not in {"", "0", "false"}:
        raise BadConfiguration("FLASK_DEBUG shows secrets to readers; unset it")
    mail_url = env.get("MAIL_URL") or "file:"
    if urlsplit(mail_url).scheme not in MAIL_SCHEMES:
        raise BadConfiguration("MAIL_URL starts with file:, smtp:// or smtps://")
    key = env.get("SECRET_KEY") or _secret_key(data_dir)
    if len(key) < 32:
        raise BadConfiguration("SECRET_KEY needs at least 32 characters")
    return Config(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=_database_url(env.get("DATABASE_URL"), data_dir),
        redis_url=env.get("REDIS_URL") or None,
        mail_url=mail_url,
        base_url=base_url,
        secret_key=key,
        demo=env.get("DEMO", "1") not in {"0", "false", "no"},
        trusted_proxies=proxies,
    )
