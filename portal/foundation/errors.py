"""Answers that are not bugs; anything else that is raised is one."""

from collections.abc import Mapping

from portal.foundation.i18n import LazyText, _l


class Refused(Exception):  # noqa: N818 - the house's word, read aloud in operations
    """A rule says no: a sentence for the reader, the field it concerns, a code for programs.

    `fields` names several fields at once, each with its sentence. `extra` is shown beside the code
    by the API, such as `missing: [...]`.
    """

    code = "refused"
    status = 422

    def __init__(
        self,
        sentence: str | LazyText,
        *,
        field: str | None = None,
        code: str | None = None,
        fields: Mapping[str, str | LazyText] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.fields = dict(fields) if fields else ({field: sentence} if field else {})
        self.code = code or self.code
        self.extra = extra

    def __str__(self) -> str:
        """Return the sentence in the reader's language."""
        return str(self.sentence)

    @property
    def errors(self) -> list[dict[str, str]] | None:
        """Return what is to be mended field by field, as the API says it; None without fields."""
        return [
            {"field": field, "message": str(sentence)} for field, sentence in self.fields.items()
        ] or None


class WrongState(Refused):
    """The thing is in a state that forbids the step; somebody may have been faster."""

    code = "wrong_state"
    status = 409


class Stale(WrongState):
    """Somebody else changed the thing since the reader opened it."""

    code = "stale"

    def __init__(self) -> None:
        super().__init__(
            _l("Somebody else changed this meanwhile. Look at it again, then repeat your change.")
        )


class NotFound(Exception):  # noqa: N818
    """There is no such thing, or not for this reader."""


class Forbidden(Exception):  # noqa: N818
    """The reader may see that the thing exists but may not do this."""


class SignInRequired(Exception):  # noqa: N818
    """Nobody is signed in and the page is not open to the public."""


class Unreadable(Exception):  # noqa: N818
    """A file cannot be read as what it should be; the message is one line for the reader."""

    def __init__(self, sentence: str | LazyText, *, code: str = "unreadable") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code

    def __str__(self) -> str:
        """Return the sentence in the reader's language."""
        return str(self.sentence)
