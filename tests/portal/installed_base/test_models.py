from datetime import date

import pytest

from portal.installed_base.models import serial_key, warranty_end


@pytest.mark.parametrize(
    "written",
    [
        "HX9-2231-00847",
        "hx9 2231 00847",
        " HX9–2231—00847 ",
        "ＨＸ９２２３１００８４７",
        "hx9.2231_00847",
    ],
)
def test_a_serial_number_is_one_however_it_is_written(written):
    assert serial_key(written) == "HX9223100847"


def test_a_serial_number_of_signs_is_none():
    assert serial_key(" - – ") == ""


@pytest.mark.parametrize(
    ("sold", "months", "until"),
    [
        (date(2025, 3, 15), 24, date(2027, 3, 14)),
        (date(2024, 2, 29), 12, date(2025, 2, 27)),
        (date(2025, 8, 31), 6, date(2026, 2, 27)),
        (date(2025, 12, 1), 1, date(2025, 12, 31)),
        (date(2025, 1, 1), 0, None),
        (None, 24, None),
    ],
)
def test_a_warranty_ends_the_day_before_its_anniversary(sold, months, until):
    assert warranty_end(sold, months) == until
