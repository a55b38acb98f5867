"""Keys of rows as addresses name them: a number that no key can be names nothing."""

from werkzeug.routing import IntegerConverter, ValidationError

LARGEST = 2**63 - 1


def key_of(text: str) -> int:
    """Return the key that `text` writes; refuses (ValueError) what no key of a row can be."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(LARGEST)):
        raise ValueError("no key")
    if int(text) > LARGEST:
        raise ValueError("no key")
    return int(text)


def keys_of(texts: list[str]) -> list[int]:
    """Return those of `texts` that are keys, in their order."""
    found = []
    for text in texts:
        try:
            found.append(key_of(text))
        except ValueError:
            continue
    return found


class KeyConverter(IntegerConverter):
    """The `int` of rules: such an address leads nowhere where the database has no such number."""

    def to_python(self, value: str) -> int:
        """Return the number; refuses (ValidationError) one that is no key."""
        try:
            return key_of(value)
        except ValueError:
            raise ValidationError from None
