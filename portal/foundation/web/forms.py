"""The one shape of forms: from a request, submitted or not, values for the operation, refusals.

The keys of `values()` are the operation's keyword parameters. A refusal lands under its field, or
above the form; the answer is then 422 with everything that was typed still there.
"""

import re
import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from flask import request
from flask_wtf import FlaskForm
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    FileField,
    HiddenField,
    IntegerField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, StopValidation

from portal.foundation import clock
from portal.foundation.database import Model, db
from portal.foundation.errors import Refused, Stale
from portal.foundation.i18n import _, _l
from portal.foundation.web.actors import current_actor

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,40}")
EARLIEST, LATEST = date(1800, 1, 1), date(2400, 1, 1)


class FormNonce(Model):
    """A form that was carried out; the same one sent again is refused."""

    __tablename__ = "form_nonces"

    nonce: Mapped[str] = mapped_column(
        sa.String(40), unique=True, doc="Random, made with the form."
    )
    user_id: Mapped[int | None] = mapped_column(doc="Who sent it.")
    used_at: Mapped[datetime] = mapped_column(index=True, doc="When it was carried out.")


class Plain:
    """Refuse NUL and other control characters that no person types."""

    def __call__(self, _form: object, field: Any) -> None:
        """Check one field's text."""
        text = field.data if isinstance(field.data, str) else ""
        if any(ord(letter) < 32 and letter not in "\r\n\t" for letter in text):
            raise StopValidation(_("This holds characters that cannot be printed."))


def text(
    label: Any, *, most: int = 200, optional: bool = False, help: Any = "", **kwargs: Any
) -> StringField:
    """Return a one-line text field of at most `most` characters, trimmed."""
    return StringField(
        label,
        description=help,
        filters=[lambda value: value.strip() if isinstance(value, str) else value],
        validators=_validators(optional, Plain(), Length(max=most)),
        **kwargs,
    )


def long_text(
    label: Any, *, most: int = 5_000, optional: bool = False, help: Any = "", **kwargs: Any
) -> TextAreaField:
    """Return a field of several lines, of at most `most` characters."""
    return TextAreaField(
        label,
        description=help,
        filters=[lambda value: value.strip() if isinstance(value, str) else value],
        validators=_validators(optional, Plain(), Length(max=most)),
        **kwargs,
    )


def whole_number(
    label: Any,
    *,
    least: int = 0,
    most: int = 10**9,
    optional: bool = False,
    help: Any = "",
    **kw: Any,
) -> IntegerField:
    """Return a field of a whole number from `least` to `most`."""
    return IntegerField(
        label,
        description=help,
        validators=_validators(optional, Within(least, most)),
        **kw,
    )


class Within:
    """Refuse whole numbers out of bounds; WTForms' own check breaks on those beyond floats."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, _form: object, field: Any) -> None:
        """Check one field's number."""
        if field.data is None or not self.least <= field.data <= self.most:
            words = _("Write a number from %(low)s to %(high)s.", low=self.least, high=self.most)
            raise StopValidation(words)


def amount(
    label: Any, *, least: Decimal = Decimal(0), optional: bool = False, help: Any = "", **kw: Any
) -> DecimalField:
    """Return a field of an amount with at most four decimals."""
    return DecimalField(
        label,
        description=help,
        places=None,
        validators=_validators(optional, FourDecimals(), NumberRange(min=least, max=10**12)),
        **kw,
    )


class FourDecimals:
    """Refuse NaN, infinity and amounts finer than a ten-thousandth."""

    def __call__(self, _form: object, field: Any) -> None:
        """Check one field's Decimal."""
        value = field.data
        if value is None:
            return
        if not value.is_finite() or abs(value) > 10**12:
            raise StopValidation(_("This amount is out of range."))
        if value != value.quantize(Decimal("0.0001")):
            raise StopValidation(_("An amount has at most four decimals."))


def day(label: Any, *, optional: bool = False, help: Any = "", **kw: Any) -> DateField:
    """Return a field of a calendar day, of the years that people deal with."""
    return DateField(label, description=help, validators=_validators(optional, NearDay()), **kw)


class NearDay:
    """Refuse days so far away that no time zone can place them."""

    def __call__(self, _form: object, field: Any) -> None:
        """Check one field's day."""
        if field.data is not None and not EARLIEST <= field.data <= LATEST:
            raise StopValidation(_("This day is out of range."))


class MaybeEmpty:
    """Let an empty field pass without further checks."""

    field_flags: ClassVar[dict[str, bool]] = {"optional": True}

    def __call__(self, _form: object, field: Any) -> None:
        """Stop the chain when nothing was typed."""
        raw = field.raw_data
        if not raw or (isinstance(raw[0], str) and not raw[0].strip()):
            field.errors = []
            raise StopValidation


class Filled(InputRequired):
    """Refuse a field in which nothing was typed, or only white space."""

    def __call__(self, form: Any, field: Any) -> None:
        """Check one field's text."""
        if isinstance(field.data, str) and not field.data.strip():
            field.errors = []
            raise StopValidation(str(self.message))
        super().__call__(form, field)


def _validators(optional: bool, *more: Any) -> list[Any]:
    first = MaybeEmpty() if optional else Filled(_l("Fill this in."))
    return [first, *more]


class Form(FlaskForm):
    """Base of every form on a page."""

    class Meta(FlaskForm.Meta):
        """How forms read a request."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Return what the page sent: uploads only for fields of files, nothing from JSON."""
            if formdata is None or hasattr(formdata, "getlist"):
                return formdata  # given by the view, not to be read from the request
            if not form.is_submitted():
                return None
            names = {field.name for field in form if isinstance(field, FileField)}
            files = [(name, one) for name, one in request.files.items(multi=True) if name in names]
            parts: list[Any] = [MultiDict(files), request.form]
            sent = CombinedMultiDict(parts)
            return sent or None

    form_nonce = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused = False
        if not _NONCE.fullmatch(self.form_nonce.data or ""):
            self._renew()

    def _renew(self) -> None:
        self.form_nonce.data = secrets.token_urlsafe(18)

    @classmethod
    def from_request(cls, thing: object | None = None, **values: Any) -> Self:
        """Return the form as sent, or as first shown with the values of `thing` and `values`."""
        return cls(obj=thing, **values)

    def submitted(self) -> bool:
        """Return whether the form was sent and every field holds."""
        if not self.is_submitted():
            return False
        self.refused = not self.validate()
        return not self.refused

    def values(self) -> dict[str, Any]:
        """Return the fields as the operation's keyword arguments; empty text becomes None.

        Files, buttons and the form's own fields are left out. Uses the form up: carrying the same
        one out a second time is refused inside the transaction.
        """
        self.use_up()
        skip = (SubmitField, FileField)
        return {
            name: None if field.data == "" else field.data
            for name, field in self._fields.items()
            if name not in {"csrf_token", "form_nonce"} and not isinstance(field, skip)
        }

    def use_up(self) -> None:
        """Mark this form as carried out; refuses (Refused) one that already was."""
        nonce = FormNonce(
            nonce=self.form_nonce.data, user_id=current_actor().user_id, used_at=clock.now()
        )
        db.session.add(nonce)
        try:
            db.session.flush()  # two at once meet at the unique key, before anything else is done
        except sa.exc.IntegrityError:
            raise Refused(
                _l("This form was already sent. Nothing was done twice."), code="sent"
            ) from None

    def refuse(self, refusal: Refused) -> None:
        """Put a refusal under its fields, or above the form.

        A form that was already sent can be sent again on purpose once this was read.
        """
        self.refused = True
        if refusal.code == "sent":
            self._renew()
        for name, sentence in (refusal.fields or {"": refusal.sentence}).items():
            field = self._fields.get(name)
            if field is None:
                self.form_errors.append(str(sentence))
            else:
                field.errors = [*field.errors, str(sentence)]

    def refuse_all(self, sentence: str) -> None:
        """Put a sentence above the form that names no field."""
        self.refused = True
        self.form_errors.append(sentence)

    @property
    def status(self) -> int:
        """Return the answer's status: 422 when something is to be mended."""
        return 422 if self.refused else 200


class EditForm(Form):
    """A form over something that others may change meanwhile."""

    version = HiddenField()

    def check_version(self, version: int) -> None:
        """Refuse (Stale) when the thing is no longer at the version that the reader saw."""
        if str(self.version.data) != str(version):
            raise Stale

    def values(self) -> dict[str, Any]:
        """Return the operation's keyword arguments, without the version."""
        values = super().values()
        values.pop("version", None)
        return values


class ConfirmForm(Form):
    """A form of one button."""


def checkbox(label: Any, *, help: Any = "", **kwargs: Any) -> BooleanField:
    """Return a tick box."""
    return BooleanField(label, description=help, **kwargs)


def forget_nonces(before: datetime) -> int:
    """Delete the marks of forms used before an instant; return how many."""
    ids = db.session.scalars(
        sa.delete(FormNonce).where(FormNonce.used_at < before).returning(FormNonce.id)
    ).all()
    return len(ids)
