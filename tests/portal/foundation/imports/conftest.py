"""What the tests of the imports share: a table of toys, and kinds registered for one test."""

import pytest

from portal.foundation.database import db, transaction
from portal.foundation.imports.registry import KINDS
from tests.portal.foundation.imports import toys


@pytest.fixture
def toy_table(context):
    """The table of toys, empty."""
    with transaction() as session:
        toys.TABLE.create(session.connection())
    toys.ToyImport.made.clear()
    yield toys.TABLE
    db.session.rollback()


@pytest.fixture
def toy_kind(toy_table, monkeypatch):
    """The kind "toys", known to commands and pages."""
    kind = toys.kind()
    monkeypatch.setitem(KINDS, "toys", kind)
    return kind
