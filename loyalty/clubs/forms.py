"""Forms of clubs and members."""

from wtforms import SelectField
from wtforms.validators import InputRequired

from portal.foundation.countries import country_choices
from portal.foundation.i18n import LANGUAGES, ZONES, _l
from portal.foundation.money import CURRENCIES
from portal.foundation.web.forms import EditForm, Form, checkbox, day, text


def _languages() -> list[tuple[str, str]]:
    return [("", "–"), *LANGUAGES.items()]


def _zones() -> list[str]:
    return sorted(zone for zone in ZONES if "/" in zone or zone == "UTC")


class ClubForm(Form):
    """A new club."""

    name = text(_l("Name"), render_kw={"data-width": "two-thirds"})
    code = text(
        _l("Code"),
        most=40,
        help=_l("In addresses and files: small letters, digits, - and _."),
        render_kw={"data-width": "third", "autocapitalize": "none"},
    )
    currency = SelectField(
        _l("Currency"),
        choices=lambda: sorted(CURRENCIES),
        default="EUR",
        validators=[InputRequired()],
        render_kw={"data-width": "third"},
    )
    timezone = SelectField(
        _l("Time zone"),
        choices=_zones,
        default="Europe/Oslo",
        validators=[InputRequired()],
        description=_l("The club's days begin and end there."),
        render_kw={"data-width": "third"},
    )
    points_name = text(
        _l("What a point is called"), most=40, default="points", render_kw={"data-width": "third"}
    )
    programme_approval = checkbox(
        _l("A second person approves each version of the programme"), default=True
    )


class _Particulars:
    name = text(_l("Name"), render_kw={"autocomplete": "off"})
    email = text(
        _l("E-mail"),
        most=254,
        optional=True,
        render_kw={"data-width": "half", "inputmode": "email", "autocomplete": "off"},
    )
    birth_date = day(
        _l("Birth date"),
        optional=True,
        help=_l("For the birthday's gift."),
        render_kw={"data-width": "half"},
    )
    language = SelectField(
        _l("Language"), choices=_languages, default="", render_kw={"data-width": "half"}
    )
    country = SelectField(
        _l("Country"),
        choices=lambda: [("", "–"), *country_choices()],
        default="",
        render_kw={"data-width": "half"},
    )


class EnrolForm(_Particulars, Form):
    """A person who joins a club."""

    external_id = text(
        _l("Key in your own system"), most=80, optional=True, render_kw={"data-width": "half"}
    )
    marketing = checkbox(_l("Agreed to get newsletters by mail"))


class MemberForm(_Particulars, EditForm):
    """A member's particulars."""
