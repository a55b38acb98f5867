"""`make run`: straight to serving where the database is ready, else through `flask serve`.

Loading the whole application only to find that nothing is to be migrated takes seconds.
"""

import os
import sys
from pathlib import Path

import sqlalchemy as sa

from portal.foundation.config import ROOT, BadConfiguration, Config, read_config
from portal.foundation.processes import run_site


def is_ready(config: Config) -> bool:
    """Return whether the database has the newest migration and, where one is wanted, the demo."""
    url = sa.engine.make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False
    newest = max(path.name.split("_")[0] for path in (ROOT / "migrations").glob("[0-9]*_*.py"))
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
            if set(found) != {newest}:
                return False
            users = connection.exec_driver_sql("SELECT id FROM users LIMIT 1").first()
            return users is not None or not config.has_demo
    except sa.exc.SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def main() -> int:
    """Serve; return the exit code."""
    try:
        config = read_config()
    except BadConfiguration as problem:
        sys.stderr.write(f"Error: {problem}\n")
        return 2
    if is_ready(config):
        return run_site(config)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
    return os.execv(sys.executable, command)  # noqa: S606 - our own program, no shell


if __name__ == "__main__":
    sys.exit(main())
