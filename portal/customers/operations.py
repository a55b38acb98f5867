"""Changes of end customers."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.customers import queries
from portal.customers.models import Customer
from portal.customers.queries import CustomerKeys
from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db, is_postgresql


def find_or_add_customer(
    actor: Actor,
    *,
    name: str,
    country: str | None,
    domain: str | None = None,
    tax_id: str | None = None,
) -> Customer:
    """Return the customer that is meant: the same tax id, else the same name and country.

    One that is found learns the domain and tax id that it lacked; otherwise a new one is added.
    """
    keys = queries.keys_of(name, country, domain, tax_id)
    found = queries.known_customers([keys]).find(keys)
    is_new = found is None
    if found is None:
        found = _inserted([(keys, name, tax_id)])[keys.identity]
    customer = db.session.get_one(Customer, found)
    if is_new:
        record(actor, "customers.customer.added", customer, customer=customer.name)
    if customer.domain is None:
        customer.domain = keys.domain
    if customer.tax_key is None and keys.tax_id is not None:
        customer.tax_id, customer.tax_key = tax_id, keys.tax_id
        customer.identity = keys.identity
    return customer


def add_customers(
    actor: Actor, *, customers: list[tuple[CustomerKeys, str, str | None]]
) -> dict[str, int]:
    """Add customers that are not known yet, in one statement; return their keys by identity.

    customers: what is compared, the name as written, the tax id as written.
    """
    added = _inserted(customers)
    if added:
        record(actor, "customers.customers.added", count=len(added))
    return added


def _inserted(customers: list[tuple[CustomerKeys, str, str | None]]) -> dict[str, int]:
    """Insert what is missing; where another transaction was faster, that one's row is returned."""
    rows: dict[str, dict[str, Any]] = {}
    for keys, name, tax_id in customers:
        rows.setdefault(
            keys.identity,
            {
                "identity": keys.identity,
                "name": name[:200],
                "name_key": keys.name,
                "country": keys.country,
                "domain": keys.domain,
                "tax_id": tax_id,
                "tax_key": keys.tax_id,
                "created_at": clock.now(),
            },
        )
    if rows:
        insert = (postgresql if is_postgresql() else sqlite).insert(Customer)
        db.session.execute(
            insert.on_conflict_do_nothing(index_elements=["identity"]), list(rows.values())
        )
    select = sa.select(Customer.identity, Customer.id).where(Customer.identity.in_(rows))
    return dict(db.session.execute(select).all()) if rows else {}
