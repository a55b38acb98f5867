"""Forms of deals. A draft is saved with anything; what submitting needs is checked by it."""

from typing import Any

from wtforms import FieldList, FormField, SelectField
from wtforms import Form as PlainForm

from portal.deals.models import SOURCE_LABELS, Deal
from portal.foundation.countries import country_choices
from portal.foundation.i18n import _, _l
from portal.foundation.money import CURRENCIES
from portal.foundation.web.forms import (
    EditForm,
    Form,
    amount,
    checkbox,
    day,
    long_text,
    text,
    whole_number,
)

MOST_LINES = 30
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "NOK", "SEK", "DKK", "PLN", "CNY", "JPY")


def _currencies() -> list[str]:
    return [*COMMON_CURRENCIES, *sorted(CURRENCIES - set(COMMON_CURRENCIES))]


class LineForm(PlainForm):
    """One product of a deal."""

    sku = text(
        _l("Product or family"),
        most=80,
        optional=True,
        render_kw={"data-width": "half", "list": "products", "autocomplete": "off"},
    )
    quantity = whole_number(
        _l("Quantity"),
        least=1,
        optional=True,
        render_kw={"data-width": "quarter", "inputmode": "numeric"},
    )
    amount = amount(
        _l("Amount"),
        optional=True,
        render_kw={"data-width": "quarter", "inputmode": "decimal", "class": "num"},
    )


class DealForm(EditForm):
    """A deal as a draft."""

    customer_name = text(
        _l("Legal name"),
        optional=True,
        help=_l("As registered, in its own script."),
        render_kw={"data-width": "two-thirds"},
    )
    customer_country = SelectField(
        _l("Country"),
        choices=lambda: [("", ""), *country_choices()],
        render_kw={"data-width": "third"},
    )
    customer_tax_id = text(_l("Tax id"), most=40, optional=True, render_kw={"data-width": "half"})
    customer_domain = text(
        _l("Web domain"),
        most=253,
        optional=True,
        help=_l("Finds the customer when names differ."),
        render_kw={"data-width": "half", "inputmode": "url"},
    )
    lines = FieldList(FormField(LineForm), _l("Products"), min_entries=1, max_entries=MOST_LINES)
    currency = SelectField(_l("Currency"), choices=_currencies, render_kw={"data-width": "third"})
    expected_close_on = day(_l("Expected close"), optional=True, render_kw={"data-width": "third"})
    source = SelectField(
        _l("Source"),
        choices=lambda: [(source.value, str(label)) for source, label in SOURCE_LABELS.items()],
        render_kw={"data-width": "third"},
    )
    is_tender = checkbox(_l("Public tender"))
    evidence = long_text(
        _l("Dated note"), optional=True, help=_l("Who you met, when, and what was said.")
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every field; say of the lines which one is wrong and how."""
        fine = bool(super().validate(extra_validators))
        if self.lines.errors:
            self.lines.errors = [
                _(
                    "Line %(line)s, %(field)s: %(error)s",
                    line=number,
                    field=field.label.text,
                    error=e,
                )
                for number, entry in enumerate(self.lines, start=1)
                for field in entry.form
                for e in field.errors
            ]
        return fine


class DealForPartnerForm(DealForm):
    """A deal that staff register for a partner."""

    partner = text(
        _l("Partner"),
        most=40,
        help=_l("The partner's reference."),
        render_kw={"data-width": "half"},
    )


class AnswerForm(EditForm):
    """What a partner may still say about a returned deal."""

    expected_close_on = day(_l("Expected close"), optional=True, render_kw={"data-width": "third"})
    evidence = long_text(
        _l("Dated note"), optional=True, help=_l("Who you met, when, and what was said.")
    )


class ReasonForm(Form):
    """Why a deal is returned or rejected; the partner reads it."""

    reason = long_text(_l("Reason"), most=2_000, help=_l("The partner reads this."))


def values_of(deal: Deal) -> dict[str, Any]:
    """Return a saved deal as `DealForm` shows it, whatever was sent with the request."""
    lines = [
        {"sku": line.sku or line.family, "quantity": line.quantity, "amount": line.amount or None}
        for line in deal.lines
    ]
    names = (
        "version",
        "customer_name",
        "customer_country",
        "customer_tax_id",
        "customer_domain",
        "currency",
        "expected_close_on",
        "is_tender",
        "evidence",
    )
    values = {name: getattr(deal, name) for name in names}
    return {**values, "lines": lines, "source": deal.source.value}
