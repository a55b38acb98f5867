"""Card numbers catch slips of the pen."""

from hypothesis import given
from hypothesis import strategies as st

from loyalty.clubs.numbers import LENGTH, is_number, new_number, plain_number, spaced_number


def test_new_numbers_are_numbers_and_differ():
    numbers = {new_number() for _ in range(1_000)}
    assert len(numbers) == 1_000
    assert all(is_number(number) and len(number) == LENGTH for number in numbers)


@given(st.integers(0, LENGTH - 1), st.integers(1, 9))
def test_one_wrong_digit_is_caught(place, more):
    number = new_number()
    wrong = str((int(number[place]) + more) % 10)
    assert not is_number(number[:place] + wrong + number[place + 1 :])


@given(st.integers(0, LENGTH - 2))
def test_two_neighbours_that_changed_places_are_caught(place):
    number = new_number()
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or not is_number(swapped)


def test_a_number_is_read_as_people_write_it():
    number = new_number()
    assert plain_number(spaced_number(number)) == number
    assert plain_number("62-0487\u00a03316 5") == "62048733165"
    for text in ("", "62", "x" * LENGTH, "٦" * LENGTH, number + "0"):
        assert not is_number(text)
