"""What signing in refuses."""

from datetime import timedelta

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l, duration_text


class NotRecognised(Refused):
    """Address and password do not fit; never says which of them."""

    code = "not_recognised"

    def __init__(self) -> None:
        super().__init__(_l("Address and password do not fit."))


class TooManyTries(Refused):
    """Too many failures with one address, whether there is such a user or not."""

    code = "too_many_tries"
    status = 429

    def __init__(self, wait: timedelta) -> None:
        super().__init__(
            _l("Too many tries. Wait %(wait)s, then try again.", wait=duration_text(wait))
        )
        self.wait = wait


class LinkUseless(Refused):
    """A link was used, ran out, was replaced, or never was."""

    code = "link_useless"
    status = 410

    def __init__(self) -> None:
        super().__init__(_l("This link was used already, or its hour is over."))
