"""What deals refuse."""

from collections.abc import Mapping

from portal.foundation.errors import Refused, WrongState
from portal.foundation.i18n import LazyText, _l


class NotSubmittable(Refused):
    """A deal lacks something that submitting needs; every field is named at once."""

    code = "not_submittable"

    def __init__(self, fields: Mapping[str, str | LazyText]) -> None:
        super().__init__(_l("Mend what is named before this can be submitted."), fields=fields)


class DealConflict(Refused):
    """Another deal for the same customer and products comes first.

    `deals` are their references, for staff alone.
    """

    code = "conflict"

    def __init__(self, sentence: str | LazyText, deals: list[str]) -> None:
        super().__init__(sentence, deals=deals)


class DealLocked(Refused):
    """The deal was submitted: what was registered stays as it is."""

    code = "locked"

    def __init__(self) -> None:
        super().__init__(
            _l("This deal was submitted. Its customer, products and amount stay as they are.")
        )


class NotADraft(WrongState):
    """Only drafts can be deleted."""

    def __init__(self) -> None:
        super().__init__(_l("Only drafts can be deleted. Withdraw the deal instead."))
