"""How the API reads what is sent."""

from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest


class LenientRequest(Request):
    """A request whose missing JSON body reads as an object without fields.

    So a step that needs no field may be sent without a body; one that does names what is missing.
    """

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the JSON that was sent; only what is read by force may be missing."""
        if force and not self.get_data():
            return {}
        try:
            return super().get_json(force=force, silent=silent, cache=cache)
        except RecursionError:  # thousands of brackets inside each other
            raise BadRequest from None
