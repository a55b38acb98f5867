"""Facts: what happened, announced in the transaction and delivered to listeners after it.

A fact is a frozen dataclass of ids and plain values. Each listener gets it in a transaction of
its own that also marks the delivery, so what it writes is kept exactly once; it must still bear
being called twice (`replay`). Failures keep their error and are retried with back-off.
"""

import dataclasses
import traceback
from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation import clock
from portal.foundation.database import Model, db, enum_type, transaction

log = structlog.get_logger()
MOST_ATTEMPTS = 12


@dataclasses.dataclass(frozen=True)
class Fact:
    """Base of all facts; `name` is slice.past_tense and never changes."""

    name: ClassVar[str]


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class StoredFact(Model):
    """A fact that was announced."""

    __tablename__ = "facts"
    __table_args__ = (sa.Index(None, "name", "id"),)

    name: Mapped[str] = mapped_column(sa.String(80), doc="Which kind of fact.")
    values: Mapped[dict[str, Any]] = mapped_column(doc="The fact's fields.")
    announced_at: Mapped[datetime] = mapped_column(doc="When it happened, UTC.")


class FactDelivery(Model):
    """A fact on its way to one listener."""

    __tablename__ = "fact_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("fact_id", "listener"),
        sa.Index(
            "ix_fact_deliveries_waiting",
            "next_at",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        ),
        sa.Index(None, "state", "id"),
    )

    fact_id: Mapped[int] = mapped_column(sa.ForeignKey("facts.id"), doc="What is delivered.")
    listener: Mapped[str] = mapped_column(sa.String(120), doc="To whom: slice.function.")
    state: Mapped[DeliveryState] = mapped_column(
        enum_type(DeliveryState), default=DeliveryState.PENDING, doc="Where the delivery stands."
    )
    attempts: Mapped[int] = mapped_column(default=0, doc="How often it was tried.")
    next_at: Mapped[datetime] = mapped_column(doc="Not tried before this instant.")
    error: Mapped[str | None] = mapped_column(sa.Text, doc="The last failure.")
    done_at: Mapped[datetime | None] = mapped_column(doc="When the listener was done.")


F = TypeVar("F", bound=Fact)
FACTS: dict[str, type[Fact]] = {}
LISTENERS: dict[str, tuple[str, Callable[[Any], None]]] = {}


def fact(name: str) -> Callable[[type[F]], type[F]]:
    """Register a frozen dataclass as the fact `name`, such as "deals.deal_registered"."""

    def register(kind: type[F]) -> type[F]:
        kind.name = name
        FACTS[name] = kind
        return kind

    return register


def listens(kind: type[F]) -> Callable[[Callable[[F], None]], Callable[[F], None]]:
    """Register a function as listener of one kind of fact; its module and name identify it."""

    def register(listener: Callable[[F], None]) -> Callable[[F], None]:
        package = listener.__module__.removesuffix(".listeners").split(".")[-1]
        LISTENERS[f"{package}.{listener.__name__}"] = (kind.name, listener)
        return listener

    return register


def _stored(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def announce(announced: Fact) -> None:
    """Store a fact and a delivery for each of its listeners in the present transaction."""
    values = {key: _stored(value) for key, value in dataclasses.asdict(announced).items()}
    stored = StoredFact(name=announced.name, values=values, announced_at=clock.now())
    db.session.add(stored)
    db.session.flush()  # the deliveries need the fact's key
    for listener, (name, _) in LISTENERS.items():
        if name == announced.name:
            db.session.add(FactDelivery(fact_id=stored.id, listener=listener, next_at=clock.now()))


def revive(stored: StoredFact) -> Fact:
    """Return the fact as it was announced; refuses (KeyError) a kind that is no longer known."""
    kind = FACTS[stored.name]
    values = dict(stored.values)
    for declared in dataclasses.fields(kind):
        text = values.get(declared.name)
        if isinstance(text, str) and declared.type in (datetime, "datetime", datetime | None):
            values[declared.name] = datetime.fromisoformat(text)
        elif isinstance(text, str) and declared.type in (date, "date", date | None):
            values[declared.name] = date.fromisoformat(text)
    return kind(**values)


def waiting_deliveries(limit: int = 200) -> list[int]:
    """Return the keys of deliveries that are due, oldest first."""
    return list(
        db.session.scalars(
            sa.select(FactDelivery.id)
            .where(FactDelivery.state == DeliveryState.PENDING, FactDelivery.next_at <= clock.now())
            .order_by(FactDelivery.next_at, FactDelivery.id)
            .limit(limit)
        )
    )


def deliver(delivery_id: int) -> bool | None:
    """Run one listener; return whether it succeeded, or None when another process has it.

    The listener's own time is when the fact was announced only where it says so; a failure is
    kept with its error, retried after 2, 4, 8 … seconds (at most an hour), parked after 12 tries.
    """
    try:
        with transaction() as session:
            delivery = session.scalar(
                sa.select(FactDelivery)
                .where(FactDelivery.id == delivery_id, FactDelivery.state == DeliveryState.PENDING)
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            )
            if delivery is None:
                return None
            stored = session.get_one(StoredFact, delivery.fact_id)
            entry = LISTENERS.get(delivery.listener)
            if entry is None:
                raise LookupError(f"listener {delivery.listener} is not known")
            entry[1](revive(stored))
            delivery.state = DeliveryState.DONE
            delivery.attempts += 1
            delivery.done_at, delivery.error = clock.now(), None
    except Exception as error:  # noqa: BLE001 - whatever a listener raises is kept with it
        log.warning("fact.delivery_failed", delivery=delivery_id, error=repr(error))
        _keep_failure(delivery_id, traceback.format_exc(limit=-6))
        return False
    return True


def _keep_failure(delivery_id: int, error: str) -> None:
    with transaction() as session:
        delivery = session.get(FactDelivery, delivery_id, with_for_update=True)
        if delivery is None or delivery.state != DeliveryState.PENDING:
            return
        delivery.attempts += 1
        delivery.error = error[-4000:]
        delivery.next_at = clock.now() + timedelta(seconds=min(2**delivery.attempts, 3600))
        if delivery.attempts >= MOST_ATTEMPTS:
            delivery.state = DeliveryState.FAILED


def retry_failed(listener: str | None = None) -> int:
    """Let parked deliveries run again; return how many."""
    where = [FactDelivery.state == DeliveryState.FAILED]
    if listener:
        where.append(FactDelivery.listener == listener)
    ids = db.session.scalars(
        sa.update(FactDelivery)
        .where(*where)
        .values(state=DeliveryState.PENDING, attempts=0, next_at=clock.now())
        .returning(FactDelivery.id)
    ).all()
    return len(ids)


def replay(listener: str, since: datetime | None = None) -> int:
    """Queue every fact of a listener's kind again, also those from before it existed.

    since: announced at or after this instant. Refuses (KeyError) an unknown listener.
    """
    name = LISTENERS[listener][0]
    facts = sa.select(StoredFact.id).where(StoredFact.name == name)
    if since is not None:
        facts = facts.where(StoredFact.announced_at >= since)
    known = sa.select(FactDelivery.fact_id).where(FactDelivery.listener == listener)
    again = db.session.scalars(
        sa.update(FactDelivery)
        .where(FactDelivery.listener == listener, FactDelivery.fact_id.in_(facts))
        .values(state=DeliveryState.PENDING, attempts=0, next_at=clock.now())
        .returning(FactDelivery.id)
    ).all()
    new = db.session.scalars(facts.where(StoredFact.id.not_in(known))).all()
    for fact_id in new:
        db.session.add(FactDelivery(fact_id=fact_id, listener=listener, next_at=clock.now()))
    return len(again) + len(new)
