"""Tables, sessions and the only commit.

Reads outside `transaction()` see one snapshot and may not write. SQLite takes its write lock when
a transaction opens (BEGIN IMMEDIATE), so two writers never meet a stale snapshot; PostgreSQL locks
the rows that an operation names with `lock`.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import Decimal
from inspect import iscoroutinefunction
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask_alembic import Alembic
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import event, orm
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.types import TypeDecorator

from portal.foundation.money import from_scaled, to_scaled

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_TIMEOUT_MS = 15_000

_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; a naive one is refused before it reaches the database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """A Decimal of at most four decimals, stored as ten-thousandths in a 64-bit integer."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _dialect: Dialect) -> int | None:
        """Store ten-thousandths."""
        return None if value is None else to_scaled(Decimal(value))

    def process_result_value(self, value: int | None, _dialect: Dialect) -> Decimal | None:
        """Give back the exact Decimal."""
        return None if value is None else from_scaled(value)


class Json(TypeDecorator[Any]):
    """A JSON document: JSONB on PostgreSQL, text on SQLite."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the database's best type."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else sa.JSON())


def enum_type(kind: type[enum.Enum]) -> sa.Enum:
    """Return the column type of a string enum, checked by the database itself."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in kind.__name__).lstrip("_")
    return sa.Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Id = Annotated[int, orm.mapped_column(BigInt, primary_key=True, doc="Key within this database.")]


class Model(orm.DeclarativeBase):
    """Base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {
        int: BigInt,
        datetime: Instant(),
        date: sa.Date(),
        Decimal: Amount(),
        dict[str, Any]: Json(),
        list[Any]: Json(),
    }

    id: orm.Mapped[Id]


db = SQLAlchemy(session_options={"expire_on_commit": False})
alembic = Alembic(metadatas=Model.metadata, run_mkdir=False)
T = TypeVar("T", bound=Model)


def init_app(app: Flask, url: str) -> None:
    """Give `app` its engine for `url`, a sqlite or postgresql+psycopg address."""
    target = sa.engine.make_url(url)
    # Errors are logged; what they say must not hold the values of a statement.
    options: dict[str, Any] = {"url": target, "pool_pre_ping": True, "hide_parameters": True}
    if target.get_backend_name() == "sqlite":
        options |= {"pool_size": 20, "max_overflow": 20, "connect_args": {"timeout": 15}}
        options |= {"poolclass": sa.QueuePool}
    else:
        options |= {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
        options["connect_args"] = {
            "connect_timeout": 5,
            "options": "-c statement_timeout=30000 -c lock_timeout=10000"
            " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
        }
    app.config["SQLALCHEMY_ENGINES"] = {"default": options}
    app.config["ALEMBIC"] = {
        "script_location": app.config["ROOT"] + "/migrations",
        "file_template": "%%(rev)s_%%(slug)s",
    }
    app.config["ALEMBIC_CONTEXT"] = {
        "render_as_batch": True,
        "compare_type": True,
        "compare_server_default": False,
        "render_item": _render_type,
    }
    db.init_app(app)
    # Nothing here is asynchronous; closing nothing would cost every request a thread of its own.
    app.teardown_appcontext_funcs = [
        close for close in app.teardown_appcontext_funcs if not iscoroutinefunction(close)
    ]
    alembic.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def _render_type(kind: str, thing: object, _context: object) -> str | bool:
    """Write our own types into migrations as what they are in the database."""
    if kind != "type":
        return False
    names: dict[type, str] = {
        Instant: "sa.DateTime(timezone=True)",
        Amount: "sa.BigInteger()",
        Json: 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")',
    }
    return names.get(type(thing), False)


def prepare_engine(engine: Engine) -> None:
    """Set SQLite for concurrent use; PostgreSQL needs nothing here."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows the letters of ASCII alone.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


@event.listens_for(orm.Session, "before_flush")
def _refuse_stray_flush(*_: object) -> None:
    if not _writing.get():
        raise RuntimeError("write inside `with transaction()`")


@event.listens_for(orm.Session, "do_orm_execute")
def _refuse_stray_statement(state: orm.ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not _writing.get():
        raise RuntimeError("write inside `with transaction()`")


@contextmanager
def transaction() -> Iterator[orm.Session]:
    """Commit everything done inside at once, or nothing of it when it raises.

    The only commit in the project. Inside another `transaction()` it joins that one.
    """
    session = db.session
    if _writing.get():
        yield session
        return
    session.commit()  # ends the snapshot of the reads before
    session.info.clear()
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.clear()
        _writing.reset(token)


@contextmanager
def aside() -> Iterator[sa.Connection]:
    """Commit a short write on a connection of its own, for counters that outlive a rollback.

    Refuses (RuntimeError) inside `transaction()`, where SQLite would wait for itself.
    """
    if _writing.get():
        raise RuntimeError("aside() inside transaction()")
    token = _writing.set(True)
    try:
        with db.engine.begin() as connection:
            yield connection
    finally:
        _writing.reset(token)


def is_writing() -> bool:
    """Return whether a `transaction()` is open here."""
    return _writing.get()


def lock(thing: T) -> T:
    """Re-read `thing` and hold its row until the transaction ends, before judging its state."""
    if thing in db.session.dirty:
        db.session.flush()  # re-reading would drop what an earlier operation changed
    db.session.refresh(thing, with_for_update=True)
    return thing


def is_postgresql() -> bool:
    """Return whether the present database is PostgreSQL."""
    return db.engine.dialect.name == "postgresql"


def starting_with(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition that `column` starts with `text`, such that an index serves it."""
    return sa.and_(column >= text, column < text + "\U0010ffff")


def in_chunks(ids: list[int], size: int = 500) -> Iterator[list[int]]:
    """Yield `ids` in lists of at most `size`, for statements with many keys."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
