"""End customers, each known as one."""

import pytest
import sqlalchemy as sa

from portal.customers.models import Customer
from portal.customers.operations import add_customers, find_or_add_customer
from portal.customers.queries import keys_of
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import AuditEntry
from portal.foundation.database import db, transaction

pytestmark = pytest.mark.both_databases


def find(name: str, country: str | None = "NO", **values: str) -> int:
    with transaction():
        return find_or_add_customer(SYSTEM, name=name, country=country, **values).id


@pytest.mark.usefixtures("context")
class TestFinding:
    """The same tax id, else the same name and country."""

    def test_spellings_are_one(self):
        assert find("Statkraft AS") == find("STATKRAFT") == find("Statkraft A/S")

    def test_other_countries_are_others(self):
        assert find("Statkraft AS") != find("Statkraft AB", "SE")

    def test_a_tax_id_wins_over_the_name(self):
        first = find("Statkraft AS", tax_id="NO 987 059 699")
        assert find("Statkraft Energi AS", tax_id="987059699") == first

    def test_two_tax_ids_are_two_customers(self):
        first = find("Statkraft AS", tax_id="987059699")
        assert find("Statkraft AS", tax_id="923609016") != first

    def test_what_was_unknown_is_learned(self):
        first = find("Statkraft AS")
        assert find("Statkraft", tax_id="987059699", domain="www.statkraft.example") == first
        customer = db.session.get_one(Customer, first)
        assert (customer.tax_key, customer.domain) == ("987059699", "statkraft.example")
        assert find("Something else", tax_id="987059699") == first

    def test_free_mail_is_not_a_customers_domain(self):
        assert db.session.get_one(Customer, find("One AS", domain="gmail.com")).domain is None

    def test_a_new_one_is_noted_once(self):
        find("Statkraft AS")
        find("Statkraft AS")
        noted = sa.select(sa.func.count()).where(AuditEntry.name == "customers.customer.added")
        assert db.session.scalar(noted) == 1

    def test_many_at_once(self):
        known = find("Statkraft AS")
        wanted = [
            (keys_of(name, "NO", None, None), name, None)
            for name in ("Statkraft", "Equinor ASA", "EQUINOR", "Yara")
        ]
        with transaction():
            added = add_customers(SYSTEM, customers=wanted)
        assert added["name:NO:statkraft"] == known
        assert db.session.scalar(sa.select(sa.func.count(Customer.id))) == 3
