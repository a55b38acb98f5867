"""Forms of signing in, of one's own account, and of users."""

from collections.abc import Mapping
from typing import Any

from wtforms import PasswordField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.accounts.models import ROLE_LABELS, Role
from portal.foundation.i18n import LANGUAGES, ZONES, _l
from portal.foundation.web.forms import EditForm, Form, Plain, text

ZONE_CHOICES = ["UTC", *sorted(zone for zone in ZONES if "/" in zone and zone[:3] != "Etc")]
LIVES = {"30": _l("30 days"), "90": _l("90 days"), "365": _l("One year"), "": _l("Until revoked")}


def options(table: Mapping[str, Any]) -> list[SelectChoice]:
    """Return the choices of a field: value to words."""
    return [SelectChoice(value, words) for value, words in table.items()]


def password_field(label: Any, *, autocomplete: str, help: Any = "") -> PasswordField:
    """Return a field for a password of any characters; it is not trimmed."""
    return PasswordField(
        label,
        description=help,
        validators=[InputRequired(_l("Fill this in.")), Length(max=1_000)],
        render_kw={"autocomplete": autocomplete},
    )


EMAIL = _l("E-mail")


def email_field(label: Any = EMAIL, **more: Any) -> StringField:
    """Return a field for an e-mail address."""
    return text(label, most=254, render_kw={"inputmode": "email", "autocapitalize": "off", **more})


def new_password() -> PasswordField:
    """Return the field for a password that is chosen now."""
    return password_field(
        _l("New password"),
        autocomplete="new-password",
        help=_l("At least 8 characters. A few words that nobody else would put together are good."),
    )


def present_password() -> PasswordField:
    """Return the field that proves that the right person sits there."""
    return password_field(_l("Your present password"), autocomplete="current-password")


class SignInForm(Form):
    """Address and password."""

    email = email_field(autocomplete="username")
    password = password_field(_l("Password"), autocomplete="current-password")


class CodeForm(Form):
    """The code of an authenticator, or a recovery code."""

    code = StringField(
        _l("Code"),
        validators=[InputRequired(_l("Fill this in.")), Plain(), Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "off"},
    )


class AskLinkForm(Form):
    """The address that a link goes to."""

    email = email_field(autocomplete="username")


class SetPasswordForm(Form):
    """A password chosen by a mailed link."""

    password = new_password()


class ChangePasswordForm(Form):
    """A new password, and the present one."""

    present = present_password()
    password = new_password()


class ChangeEmailForm(Form):
    """A new address, and the password."""

    email = email_field(_l("New address"), autocomplete="email")
    present = present_password()


class PresentPasswordForm(Form):
    """The password alone, before a step that needs it."""

    present = present_password()


class LanguageForm(Form):
    """The language of the pages."""

    language = SelectField(choices=options(LANGUAGES))


class ProfileForm(Form):
    """Name, language, time zone and which notices come by mail."""

    name = text(_l("Name"), render_kw={"autocomplete": "name"})
    language = SelectField(
        _l("Language"),
        choices=options({"": _l("As the browser says"), **LANGUAGES}),
        render_kw={"data-width": "half"},
    )
    zone = SelectField(_l("Time zone"), choices=ZONE_CHOICES, render_kw={"data-width": "half"})
    notifications = SelectMultipleField(
        _l("Tell me by mail about"),
        description=_l("Mails about signing in and about your password always come."),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class TokenForm(Form):
    """An API token: what it is for, and until when."""

    name = text(
        _l("What it is for"),
        most=100,
        help=_l("Such as: orders from the shop."),
        render_kw={"autocomplete": "off"},
    )
    expires_in = SelectField(_l("It ends after"), choices=options(LIVES), default="90")
    present = present_password()


class UserForm(EditForm):
    """A user's name, roles and partner."""

    name = text(_l("Name"), render_kw={"autocomplete": "off"})
    roles = SelectMultipleField(
        _l("Roles"),
        coerce=Role,
        choices=options({role.value: label for role, label in ROLE_LABELS.items()}),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    partner = text(
        _l("Partner"),
        most=40,
        optional=True,
        help=_l("The reference of the partner whom the user works for."),
        render_kw={"autocomplete": "off"},
    )


class InviteForm(UserForm):
    """A new user: as above, with address and language."""

    email = email_field(autocomplete="off")
    language = SelectField(_l("Language of the mail"), choices=options(LANGUAGES))
