"""Countries by their ISO 3166 codes and in the reader's language."""

from functools import lru_cache

from babel import Locale

from portal.foundation import i18n
from portal.foundation.imports.columns import COUNTRIES


def country_name(code: str | None) -> str:
    """Return the country's name in the reader's language; a dash where there is none."""
    if code is None:
        return "–"
    return str(Locale.parse(i18n.language()).territories.get(code, code))


def country_choices() -> list[tuple[str, str]]:
    """Return every country as code and name, by name, for a form to offer."""
    return _choices(i18n.language())


@lru_cache(maxsize=8)
def _choices(language: str) -> list[tuple[str, str]]:
    names = Locale.parse(language).territories
    return sorted(((code, names[code]) for code in COUNTRIES), key=lambda pair: pair[1])
