"""Forms of the bench."""

from wtforms import StringField
from wtforms.validators import Email, Length

from portal.foundation.i18n import _l
from portal.foundation.web.forms import EditForm, Form, MaybeEmpty, Plain, day, long_text, text

SERIAL = {
    "class": "serial",
    "autocomplete": "off",
    "autocapitalize": "characters",
    "spellcheck": "false",
    "enterkeyhint": "search",
}


class IntakeForm(Form):
    """What the technician asks at the counter; the last part only for an unknown serial number."""

    serial = text(_l("Serial number"), most=80, render_kw=SERIAL)
    problem = long_text(_l("In the customer's words"), most=10_000, render_kw={"rows": 3})
    accessories = text(
        _l("Came with"),
        most=500,
        optional=True,
        help=_l("Such as power supply, case, memory card."),
    )
    customer_name = text(
        _l("Customer's name"),
        optional=True,
        render_kw={"data-width": "half", "autocomplete": "off"},
    )
    customer_email = StringField(
        _l("Customer's e-mail"),
        filters=[lambda value: value.strip() if isinstance(value, str) else value],
        validators=[
            MaybeEmpty(),
            Plain(),
            Length(max=254),
            Email(_l("This is not an e-mail address, such as name@example.com.")),
        ],
        render_kw={"data-width": "half", "inputmode": "email", "autocomplete": "off"},
    )
    proof_of_purchase = text(
        _l("Proof of purchase"),
        most=500,
        optional=True,
        help=_l("What was shown: shop, date, number of the receipt."),
    )
    sku = text(_l("Article number"), most=80, optional=True, render_kw={"data-width": "half"})
    sold_on = day(_l("Bought on"), optional=True, render_kw={"data-width": "half"})


class StepForm(EditForm):
    """A step that needs no more than a press."""


class ReadyForm(EditForm):
    """What was done."""

    repair_code = text(
        _l("Repair code"), most=80, help=_l("As in your list, such as PSU-REPLACED.")
    )
    repair_note = long_text(
        _l("What was done"), help=_l("The customer reads this on the job sheet.")
    )


class ReasonForm(EditForm):
    """Why the job ends here."""

    reason = text(_l("Reason"), most=500, help=_l("It is kept with the job."))


class NoteForm(Form):
    """A note about a job."""

    body = long_text(_l("Note"), most=5_000, render_kw={"rows": 2})
