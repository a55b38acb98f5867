"""Forms of signing in and of one's own profile."""

from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from portal.foundation.i18n import _l
from portal.foundation.web.forms import Form, text


class SignInForm(Form):
    """Address and password."""

    email = text(
        _l("E-mail"), most=254, render_kw={"autocomplete": "username", "inputmode": "email"}
    )
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Fill this in.")), Length(max=1_000)],
        render_kw={"autocomplete": "current-password"},
    )
