"""The form that takes a file in."""

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField
from wtforms.validators import InputRequired

from portal.foundation.actors import Actor
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.imports.files import ENDINGS
from portal.foundation.imports.mapping import MOST_BYTES
from portal.foundation.imports.registry import kinds_for
from portal.foundation.web.forms import Form, checkbox, text


class ImportForm(Form):
    """A file, what it holds, and perhaps a mapping."""

    kind = SelectField(_l("What it holds"), validators=[InputRequired(_l("Choose one."))])
    file = FileField(
        _l("File"),
        description=_l(
            "CSV in UTF-8 (also .gz) or XLSX, at most 12 MB, the first line names columns."
        ),
        validators=[FileRequired(_l("Choose a file."))],
        render_kw={"accept": ",".join([*ENDINGS, ".gz"])},
    )
    club = text(_l("Club"), most=40, optional=True, help=_l("Its code, for members and purchases."))
    mapping = FileField(
        _l("Mapping"),
        description=_l("A YAML file, for files whose columns have other names."),
        render_kw={"accept": ".yaml,.yml"},
    )
    dry_run = checkbox(_l("Dry run: show what would happen and keep nothing"), default=True)

    def offer(self, actor: Actor) -> None:
        """Offer the kinds that `actor` may send; the club only when one of them needs it."""
        kinds = kinds_for(actor)
        self.kind.choices = [(kind.name, str(kind.label)) for kind in kinds]
        if not any(kind.needs_club for kind in kinds):
            del self.club

    def mapping_text(self) -> str | None:
        """Return what the mapping file says; refuses (Refused) what is no short UTF-8 text."""
        if not self.mapping.data:
            return None
        content = self.mapping.data.stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Refused(_l("A mapping is at most 64 KB."), field="mapping")
        try:
            return str(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise Refused(_l("The mapping is not UTF-8."), field="mapping") from None
