"""What accounts announces, and how its audit entries read."""

from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import _l
from portal.foundation.settings import Definition, define

sentences(
    {
        "accounts.user.created": Sentence(_l("%(actor)s created the user %(email)s"), "dot", "good"),
        "accounts.user.signed_in": Sentence(_l("%(actor)s signed in"), "dot"),
        "accounts.user.signed_out": Sentence(_l("%(actor)s signed out"), "ring"),
        "accounts.token.created": Sentence(_l("%(actor)s made the API token %(token_name)s"), "dot"),
    }
)
define(
    Definition(
        "accounts.staff_second_factor", False, _l("Staff need a second factor to sign in")
    ),
    Definition("accounts.session_days", 14, _l("A sign-in lasts"), unit=_l("days"), minimum=1),
)
