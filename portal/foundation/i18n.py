"""Languages, and how dates, numbers and money are written in them.

English is the source text; 简体中文 lives in `translations/zh_Hans_CN`. Jobs, commands and mail
choose the language with `in_language`; without it they speak English.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import flask_babel
from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from flask import Flask, has_app_context
from flask_babel import LazyString
from markupsafe import Markup, escape

from portal.foundation import clock

LANGUAGES = {"en": "English", "zh_Hans_CN": "简体中文"}
LANGUAGE_TAGS = {"en": "en", "zh_Hans_CN": "zh-Hans"}
DEFAULT_LANGUAGE = "en"
ZONES = frozenset(available_timezones())


class LazyText(LazyString):
    """A text translated when it is read; escaped on pages, for it may hold what users typed."""

    def __html__(self) -> Markup:
        """Return the text for a page."""
        return escape(str(self))


_language: ContextVar[str] = ContextVar("language", default=DEFAULT_LANGUAGE)
_zone: ContextVar[str] = ContextVar("zone", default="UTC")
_babel = flask_babel.Babel()


def _(text: str, /, **values: object) -> str:
    """Return `text` in the reader's language, with `%(name)s` replaced by `values`."""
    if has_app_context():
        text = _translated(_language.get(), text)
    return text % values if values else text


@lru_cache(maxsize=16_384)
def _translated(_language_now: str, text: str) -> str:
    """Return `text` in the present language; catalogues never change while a process lives."""
    return str(flask_babel.gettext(text))


def _n(singular: str, plural: str, num: int, /, **values: object) -> str:
    """Return the form of the text that fits `num`; `%(num)s` stands for the number."""
    if not has_app_context():
        return (singular if num == 1 else plural) % {"num": num, **values}
    return str(flask_babel.ngettext(singular, plural, num, **values))


def _l(text: str, /, **values: object) -> LazyText:
    """Return a text that is translated only when it is read; for module level and refusals."""
    return LazyText(_, text, **values)


def init_app(app: Flask) -> None:
    """Let `app` find its translations and the reader's language."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "portal/foundation/translations"
    _babel.init_app(
        app, locale_selector=_language.get, timezone_selector=_zone.get, default_locale="en"
    )
    # Templates look texts up as the code does: once a process and language.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=_, ngettext=_form_for, newstyle=True
    )


def _form_for(singular: str, plural: str, num: int) -> str:
    """Return the form that fits `num`, its placeholders still there."""
    return str(flask_babel.get_translations().ungettext(singular, plural, num))


def choose(language: str | None, zone: str | None) -> None:
    """Set the reader's language and zone for this request; unknown ones fall back."""
    _language.set(language if language in LANGUAGES else DEFAULT_LANGUAGE)
    _zone.set(zone if zone in ZONES else "UTC")
    flask_babel.refresh()


def language() -> str:
    """Return the reader's language, a key of LANGUAGES."""
    return _language.get()


def zone() -> str:
    """Return the reader's time zone, an IANA name."""
    return _zone.get()


@contextmanager
def in_language(language: str | None, zone: str = "UTC") -> Iterator[None]:
    """Write everything inside for a reader of `language` in `zone`."""
    before = (_language.get(), _zone.get())
    choose(language, zone)
    try:
        yield
    finally:
        choose(*before)


def _locale() -> Locale:
    return _locale_of(_language.get())


@cache
def _locale_of(name: str) -> Locale:
    return Locale.parse(name)


def day_text(day: date | None, *, year: bool | None = None) -> str:
    """Return `day` short, such as "19 Nov"; with the year when it is not this one."""
    if day is None:
        return "–"
    with_year = day.year != clock.today(_zone.get()).year if year is None else year
    return _short_day(_language.get(), day, with_year)


@lru_cache(maxsize=4_096)
def _short_day(name: str, day: date, with_year: bool) -> str:
    locale = _locale_of(name)
    if locale.language == "zh":
        return format_date(day, "y年M月d日" if with_year else "M月d日", locale=locale)
    return format_date(day, "d MMM y" if with_year else "d MMM", locale=locale)


def long_day_text(day: date) -> str:
    """Return `day` in full, such as "30 November 2026"."""
    return _long_day(_language.get(), day)


@lru_cache(maxsize=4_096)
def _long_day(name: str, day: date) -> str:
    locale = _locale_of(name)
    return format_date(day, "y年M月d日" if locale.language == "zh" else "d MMMM y", locale=locale)


def instant_text(instant: datetime) -> str:
    """Return `instant` in the reader's zone, such as "Thu 19 Nov 2026, 16:02"."""
    locale = _locale()
    pattern = "y年M月d日 EEE HH:mm" if locale.language == "zh" else "EEE d MMM y, HH:mm"
    return format_datetime(instant, pattern, tzinfo=ZoneInfo(_zone.get()), locale=locale)


def ago_text(instant: datetime) -> str:
    """Return how long ago (or ahead) within a week, the day and time beyond it."""
    apart = instant - clock.now()
    if abs(apart) < timedelta(days=7):
        return format_timedelta(apart, add_direction=True, locale=_locale())
    return instant_text(instant)


def duration_text(length: timedelta) -> str:
    """Return a length of time in its largest unit, such as "3 days"."""
    return format_timedelta(length, locale=_locale())


def number_text(number: int | Decimal | float) -> str:
    """Return `number` grouped as the reader's language does."""
    return _grouped(f"{number:,}") if isinstance(number, int) else _number(number)


def _number(number: Decimal | float) -> str:
    return format_decimal(number, locale=_locale())


def _grouped(written: str) -> str:
    """Return a number as Python groups it with the signs of the reader's language."""
    group, point = _signs(_language.get())
    if (group, point) == (",", "."):
        return written
    return written.translate({ord(","): group, ord("."): point})


@cache
def _signs(name: str) -> tuple[str, str]:
    locale = _locale_of(name)
    return get_group_symbol(locale), get_decimal_symbol(locale)


def decimal_text(number: Decimal, places: int = 2) -> str:
    """Return `number` with at least `places` decimals and no digit dropped."""
    digits = max(places, -int(number.normalize().as_tuple().exponent))
    return _grouped(f"{number:,.{digits}f}")
