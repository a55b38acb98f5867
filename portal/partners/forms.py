"""Forms of partners."""

from wtforms import SelectField
from wtforms.validators import InputRequired

from portal.foundation.countries import country_choices
from portal.foundation.i18n import ZONES, _l
from portal.foundation.web.forms import EditForm, Form, long_text, text
from portal.partners.models import KIND_LABELS


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, str(label)) for kind, label in KIND_LABELS.items()]


def _zones() -> list[str]:
    return sorted(zone for zone in ZONES if "/" in zone or zone == "UTC")


class PartnerForm(EditForm):
    """What is known of a partner."""

    name = text(_l("Legal name"), render_kw={"data-width": "two-thirds"})
    kind = SelectField(
        _l("Kind"),
        choices=_kinds,
        validators=[InputRequired(_l("Choose the kind."))],
        render_kw={"data-width": "third"},
    )
    country = SelectField(
        _l("Country"),
        choices=lambda: [("", ""), *country_choices()],
        validators=[InputRequired(_l("Choose the country."))],
        render_kw={"data-width": "half"},
    )
    city = text(_l("City"), most=100, optional=True, render_kw={"data-width": "half"})
    tax_id = text(_l("Tax id"), most=40, optional=True, render_kw={"data-width": "half"})
    domain = text(_l("Web domain"), most=253, optional=True, render_kw={"data-width": "half"})
    email = text(
        _l("E-mail of the organisation"),
        most=254,
        optional=True,
        help=_l("News goes there when nobody of the partner is known."),
        render_kw={"inputmode": "email", "data-width": "half"},
    )
    tier = text(_l("Tier"), most=40, optional=True, render_kw={"data-width": "half"})
    zone = SelectField(
        _l("Time zone"),
        choices=_zones,
        default="UTC",
        validators=[InputRequired(_l("Choose the time zone."))],
        render_kw={"data-width": "half"},
    )


class ReasonForm(Form):
    """Why a step is taken."""

    reason = long_text(_l("Reason"), most=2_000, help=_l("Staff read this in the history."))
