"""Rate limits shared by all processes: in Redis when given, otherwise in the database."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask, request
from flask_limiter import Limiter
from limits.storage import Storage
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation import clock
from portal.foundation.database import Model, aside, db, is_postgresql
from portal.foundation.web.actors import current_actor


class RateCount(Model):
    """How often a key was hit in its present window."""

    __tablename__ = "rate_counts"

    key: Mapped[str] = mapped_column(sa.String(300), unique=True, doc="Limit and caller.")
    hits: Mapped[int] = mapped_column(doc="Hits in this window.")
    expires_at: Mapped[float] = mapped_column(
        sa.Float, index=True, doc="Window's end, epoch seconds."
    )


class DatabaseStorage(Storage):
    """Fixed windows in the table `rate_counts`, for flask-limiter."""

    STORAGE_SCHEME = ["guildhall"]

    @property
    def base_exceptions(self) -> type[Exception]:
        """Name what the storage may raise."""
        return sa.exc.SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit and return the hits of the window of `expiry` seconds."""
        now = clock.machine_now().timestamp()
        insert = (postgresql if is_postgresql() else sqlite).insert(RateCount)
        over = RateCount.expires_at <= now
        statement = (
            insert.values(key=key, hits=amount, expires_at=now + expiry)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "hits": sa.case((over, amount), else_=RateCount.hits + amount),
                    "expires_at": sa.case((over, now + expiry), else_=RateCount.expires_at),
                },
            )
            .returning(RateCount.hits)
        )
        with aside() as connection:
            return int(connection.execute(statement).scalar_one())

    def _row(self, key: str) -> tuple[int, float] | None:
        now = clock.machine_now().timestamp()
        select = sa.select(RateCount.hits, RateCount.expires_at)
        with db.engine.connect() as connection:
            row = connection.execute(
                select.where(RateCount.key == key, RateCount.expires_at > now)
            ).first()
        return (row.hits, row.expires_at) if row else None

    def get(self, key: str) -> int:
        """Return the hits of the present window."""
        row = self._row(key)
        return row[0] if row else 0

    def get_expiry(self, key: str) -> float:
        """Return when the present window ends, in epoch seconds."""
        row = self._row(key)
        return row[1] if row else clock.machine_now().timestamp()

    def check(self) -> bool:
        """Return whether the storage answers."""
        with db.engine.connect() as connection:
            return connection.scalar(sa.select(1)) == 1

    def reset(self) -> int | None:
        """Forget every count."""
        with aside() as connection:
            return connection.execute(sa.delete(RateCount)).rowcount

    def clear(self, key: str) -> None:
        """Forget one key."""
        with aside() as connection:
            connection.execute(sa.delete(RateCount).where(RateCount.key == key))


def caller_address() -> str:
    """Return the caller's address; forwarded ones count only from trusted proxies."""
    return request.remote_addr or "unknown"


def token_or_address() -> str:
    """Return the API user, or the address of one who gave no valid token."""
    actor = current_actor()
    return f"user:{actor.user_id}" if actor.is_signed_in else caller_address()


limiter = Limiter(key_func=caller_address, headers_enabled=False)


def init_app(app: Flask) -> None:
    """Set the storage, and a general limit on the API."""
    app.config["RATELIMIT_STORAGE_URI"] = app.config["REDIS_URL"] or "guildhall://"
    app.config["RATELIMIT_STRATEGY"] = "fixed-window"
    limiter.init_app(app)


def forget_expired() -> int:
    """Delete counts whose window ended a day ago; return how many."""
    before = (clock.machine_now() - timedelta(days=1)).timestamp()
    ids = db.session.scalars(
        sa.delete(RateCount).where(RateCount.expires_at < before).returning(RateCount.id)
    ).all()
    return len(ids)
