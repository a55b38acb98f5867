"""Reads of end customers."""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.customers.matching import normal_name, normal_tax_id, telling_domain
from portal.customers.models import Customer
from portal.foundation.database import db


@dataclass(frozen=True, slots=True)
class CustomerKeys:
    """What of a customer is compared.

    name: normalised. country: ISO 3166 alpha-2 or None. domain: only one that tells who it is.
    tax_id: without separators.
    """

    name: str
    country: str | None
    domain: str | None
    tax_id: str | None

    @property
    def identity(self) -> str:
        """Return the unique text that makes the customer one."""
        country = self.country or "-"
        return f"tax:{country}:{self.tax_id}" if self.tax_id else f"name:{country}:{self.name}"


def keys_of(
    name: str | None, country: str | None, domain: str | None, tax_id: str | None
) -> CustomerKeys:
    """Return what is compared of a customer as somebody wrote it down."""
    return CustomerKeys(
        name=normal_name(name or ""),
        country=country,
        domain=telling_domain(domain),
        tax_id=(normal_tax_id(tax_id, country) or "")[:40] or None,
    )


@dataclass(frozen=True, slots=True)
class KnownCustomers:
    """Customers that exist, for looking many up at once.

    by_tax: by country and tax id. by_name: by country and name, the oldest first.
    """

    by_tax: dict[tuple[str | None, str], int]
    by_name: dict[tuple[str | None, str], list[tuple[int, str | None]]]

    def find(self, keys: CustomerKeys) -> int | None:
        """Return the customer that `keys` mean: the same tax id, else the same name and country.

        Two tax ids that differ are two customers, whatever their names.
        """
        if keys.tax_id is not None:
            found = self.by_tax.get((keys.country, keys.tax_id))
            if found is not None:
                return found
        for customer_id, tax_key in self.by_name.get((keys.country, keys.name), []):
            if tax_key is None or keys.tax_id is None:
                return customer_id
        return None


def known_customers(wanted: list[CustomerKeys]) -> KnownCustomers:
    """Return the customers that have a name or tax id of those wanted, in one query."""
    names = {keys.name for keys in wanted}
    tax_ids = {keys.tax_id for keys in wanted if keys.tax_id is not None}
    columns = (Customer.id, Customer.country, Customer.name_key, Customer.tax_key)
    named = sa.select(*columns).where(Customer.name_key.in_(names))
    taxed = sa.select(*columns).where(Customer.tax_key.in_(tax_ids))
    found = KnownCustomers({}, {})
    for customer_id, country, name, tax_id in sorted(db.session.execute(named.union(taxed)).all()):
        found.by_name.setdefault((country, name), []).append((customer_id, tax_id))
        if tax_id is not None:
            found.by_tax.setdefault((country, tax_id), customer_id)
    return found
