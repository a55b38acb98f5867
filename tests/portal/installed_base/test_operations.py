from datetime import date, timedelta

import pytest

from portal.foundation import clock as product_clock
from portal.foundation.actors import SYSTEM
from portal.foundation.audit import timeline
from portal.foundation.database import transaction
from portal.foundation.errors import Refused
from portal.installed_base import operations, queries
from tests.factories import installed_base as factory

pytestmark = pytest.mark.usefixtures("context")


def test_a_device_gets_its_products_warranty():
    factory.spectrometer()
    device = factory.device()
    assert device.warranty_until == date(2027, 3, 14)
    assert queries.is_in_warranty(device, date(2027, 3, 14))
    assert not queries.is_in_warranty(device, date(2027, 3, 15))
    assert [entry.sentence for entry in timeline(device)] == [
        "<strong>Guildhall</strong> registered the device HX9-2231-00847"
    ]


def test_a_device_of_an_unknown_product_has_no_warranty():
    device = factory.device(sku="ZZ-1")
    assert device.product_id is None
    assert device.warranty_until is None
    assert queries.warranty_lines(device) == []


def test_a_serial_number_is_registered_once():
    factory.device("HX9-1")
    with pytest.raises(Refused) as refused, transaction():
        operations.register_device(SYSTEM, serial="hx9 1", sku="HX-900")
    assert refused.value.field == "serial"


def test_a_sale_in_the_future_is_refused():
    later = product_clock.today() + timedelta(days=2)
    with pytest.raises(Refused) as refused, transaction():
        operations.register_device(SYSTEM, serial="A1", sku="HX-900", sold_on=later)
    assert refused.value.field == "sold_on"


def test_a_serial_number_needs_letters_or_digits():
    with pytest.raises(Refused), transaction():
        operations.register_device(SYSTEM, serial="--", sku="HX-900")
