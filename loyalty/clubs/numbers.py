"""Card numbers: twelve digits that tell nothing, and a check digit that catches slips."""

import secrets

import damm

LENGTH = 13
PREFIX = "62"


def new_number() -> str:
    """Return a number drawn at random; whoever stores it sees to it that it is new."""
    digits = PREFIX + f"{secrets.randbelow(10 ** (LENGTH - 1 - len(PREFIX))):010}"
    return digits + str(damm.encode(digits))


def is_number(text: str) -> bool:
    """Return whether `text` is a card number without a slip of one digit or of two neighbours."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and bool(damm.check(text))


def plain_number(text: str) -> str:
    """Return the digits of a number as people write it, with spaces or hyphens between."""
    return "".join(letter for letter in text if letter not in " -\u00a0")


def spaced_number(number: str) -> str:
    """Return `number` in groups of four, as on the card."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
