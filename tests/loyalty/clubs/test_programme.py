"""What a programme document may say, and when points end."""

from datetime import date

import pytest

from loyalty.clubs.programme import Expiry, Programme, add_months, read_programme
from portal.foundation.errors import Refused
from tests.factories.clubs import PROGRAMME


@pytest.mark.parametrize(
    ("expiry", "earned", "last"),
    [
        ({"mode": "never"}, "2026-01-31", None),
        ({"mode": "after_days", "days": 365}, "2027-03-01", "2028-02-29"),
        ({"mode": "after_days", "days": 0}, "2026-01-31", "2026-01-31"),
        ({"mode": "after_months", "months": 1}, "2026-01-31", "2026-02-28"),
        ({"mode": "after_months", "months": 13}, "2027-01-31", "2028-02-29"),
        ({"mode": "end_of_month", "months": 6}, "2026-08-31", "2027-02-28"),
        ({"mode": "end_of_month", "months": 0}, "2026-02-01", "2026-02-28"),
        ({"mode": "end_of_year", "years": 1}, "2026-05-05", "2027-12-31"),
        ({"mode": "end_of_year", "years": 0}, "2026-12-31", "2026-12-31"),
    ],
)
def test_the_last_day(expiry, earned, last):
    found = Expiry.model_validate(expiry).last_day(date.fromisoformat(earned))
    assert found == (date.fromisoformat(last) if last else None)


def test_months_are_added_over_years():
    assert add_months(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)


def test_the_whole_document_is_read():
    programme = read_programme(PROGRAMME)
    assert [rule.name for rule in programme.base_rules] == ["base"]
    assert [rule.points for rule in programme.rules_for("service_job")] == [150]
    assert programme.birthday_gift.points == 200
    assert Programme(effective_from=date(2026, 1, 1)).birthday_gift is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"surprise": 1}, "surprise"),
        ({"effective_from": None}, "effective_from"),
        ({"earning": [{"name": "base", "phase": "base", "points": 1}]}, "earning.0"),
        ({"earning": [PROGRAMME["earning"][0], PROGRAMME["earning"][0]]}, None),
        ({"earning": [PROGRAMME["earning"][0] | {"name": "Base rule"}]}, "earning.0.name"),
        ({"earning": [PROGRAMME["earning"][0] | {"points_per": "0"}]}, "earning.0.points_per"),
        ({"earning": [PROGRAMME["earning"][0] | {"points_per": "NaN"}]}, "earning.0.points_per"),
        ({"earning": [PROGRAMME["earning"][0] | {"points": 1.5}]}, "earning.0.points"),
        ({"earning": [{"name": "w", "phase": "bonus", "points": 500}]}, "earning.0"),
        ({"expiry": {"mode": "after_days"}}, "expiry"),
        ({"expiry": {"mode": "never", "days": 3}}, "expiry"),
        ({"expiry": {"mode": "soon"}}, "expiry.mode"),
        ({"negative": "refuse"}, "negative"),
        ({"rounding": "half_up"}, "rounding"),
        ({"returns": "by_value"}, "returns"),
        ({"redemption": {"value": {"points": 100, "amount": "1"}}}, "redemption.value"),
        ({"gifts": [{"job": "birthday", "points": 1, "window_days": 61}]}, "gifts.0.window_days"),
    ],
)
def test_a_wrong_key_is_named_by_its_path(change, path):
    with pytest.raises(Refused) as refusal:
        read_programme(PROGRAMME | change)
    assert refusal.value.code == "programme_invalid"
    assert refusal.value.field == path


@pytest.mark.parametrize("document", [None, [], "text", 5])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(Refused):
        read_programme(document)


def test_false_for_what_is_not_carried_out_says_nothing_new():
    assert read_programme(PROGRAMME | {"carry_fractions": False}).carry_fractions is None
