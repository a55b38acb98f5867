"""Putting the application together from wings of slices."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from apiflask import APIFlask
from flask import Flask, request
from whitenoise import WhiteNoise

from portal.foundation import commands, database, i18n, logs, migrations
from portal.foundation.config import ROOT, Config, read_config
from portal.foundation.web import (
    actors,
    docs,
    errors,
    health,
    limits,
    policies,
    security,
    templating,
)
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.requests import LenientRequest

FOUNDATION = (
    "portal.foundation.jobs",
    "portal.foundation.mail",
    "portal.foundation.imports",
    "portal.foundation.files",
    "portal.foundation.web",
)
PARTS = ("models", "facts", "listeners", "jobs", "tasks", "imports", "views", "api", "commands")
YEAR = 365 * 24 * 3600


def create_app(wings: Sequence[str], config: Config | None = None, **overrides: Any) -> APIFlask:
    """Return the application with every slice of `wings`.

    wings: slice packages in order, lowest first. config: from the environment when None.
    overrides: Flask settings, for tests.
    """
    settings = config or read_config()
    logs.configure()
    app = APIFlask(
        "portal",
        title="Guildhall",
        version="1",
        root_path=str(ROOT),
        static_folder=str(ROOT / "static"),
        template_folder=str(ROOT / "templates"),
        json_errors=False,
        docs_path=None,
        spec_path=None,
    )
    app.request_class = LenientRequest
    app.config.update(
        ROOT=str(ROOT),
        SECRET_KEY=settings.secret_key,
        DATA_DIR=str(settings.data_dir),
        BASE_URL=settings.base_url,
        MAIL_URL=settings.mail_url,
        REDIS_URL=settings.redis_url,
        DEMO=settings.demo,
        SLICES=tuple(wings),
        HOST=settings.host,
        PORT=settings.port,
        TRUSTED_PROXIES=settings.trusted_proxies,
        DATABASE_URL=settings.database_url,
        OPENAPI_VERSION="3.1.0",
        VALIDATION_ERROR_STATUS_CODE=422,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR,
        **overrides,
    )
    database.init_app(app, settings.database_url)
    migrations.guard_commands()
    security.init_app(app)
    health.init_app(app)
    i18n.init_app(app)
    _choose_language(app)
    security.csrf.init_app(app)
    actors.login.init_app(app)
    limits.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    docs.init_app(app)
    policies.refuse_undeclared(app)
    for command in commands.COMMANDS:
        app.cli.add_command(command)
    for package in (*FOUNDATION, *wings):
        add_slice(app, package)
    policies.public(app.view_functions["static"])
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT / "static"),
        prefix="static/",
        max_age=YEAR,
        add_headers_function=_static_headers,
    )
    return app


def _static_headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


def _choose_language(app: Flask) -> None:
    @app.before_request
    def choose() -> None:
        actor = current_actor()
        asked = request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-Hans"], "en") or "en"
        cookie = request.cookies.get("language")
        guess = "zh_Hans_CN" if asked.startswith("zh") else "en"
        language = actor.language or (cookie if cookie in i18n.LANGUAGES else guess)
        i18n.choose(language, actor.zone)


def _modules(package: str, name: str) -> list[ModuleType]:
    """Return the part `name` of a slice: one module, the modules of a folder, or nothing."""
    full = f"{package}.{name}"
    if importlib.util.find_spec(full) is None:
        return []
    part = importlib.import_module(full)
    inner = pkgutil.iter_modules(getattr(part, "__path__", []))
    return [part, *(importlib.import_module(f"{full}.{found.name}") for found in inner)]


def add_slice(app: APIFlask, package: str) -> None:
    """Import the parts of a slice that exist; register its blueprints and commands.

    Parts are named in the house: `bp` in views and api, `cli` or `commands` in commands.
    """
    if not hasattr(importlib.import_module(package), "__path__"):
        return
    for name in PARTS:
        modules = _modules(package, name)
        found = [module.bp for module in modules if hasattr(module, "bp")]
        for blueprint in dict.fromkeys(found):
            app.register_blueprint(blueprint)
            if name == "api":
                security.csrf.exempt(blueprint)
        if name == "commands":
            for module in modules:
                for command in getattr(module, "COMMANDS", [getattr(module, "cli", None)]):
                    if command is not None:
                        app.cli.add_command(command)
