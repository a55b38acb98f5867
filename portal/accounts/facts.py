"""Settings, notices that a user may choose, and how the audit entries of accounts read."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.foundation.actors import Actor
from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import LazyText, _l
from portal.foundation.settings import Definition, define

sentences(
    {
        "accounts.user.created": Sentence(
            _l("%(actor)s created the user %(email)s"), "dot", "good"
        ),
        "accounts.user.invited": Sentence(_l("%(actor)s invited %(email)s"), "half", "info"),
        "accounts.user.changed": Sentence(_l("%(actor)s changed the user %(email)s"), "half"),
        "accounts.user.deactivated": Sentence(
            _l("%(actor)s deactivated the user %(email)s"), "bar", "bad"
        ),
        "accounts.user.reactivated": Sentence(
            _l("%(actor)s reactivated the user %(email)s"), "dot", "good"
        ),
        "accounts.user.signed_in": Sentence(_l("%(actor)s signed in"), "dot"),
        "accounts.user.signed_out": Sentence(_l("%(actor)s signed out"), "ring"),
        "accounts.user.sessions_ended": Sentence(
            _l("%(actor)s ended sign-ins of %(email)s: %(count)s"), "bar"
        ),
        "accounts.user.blocked": Sentence(
            _l("Signing in as %(email)s waits after %(count)s failures"), "triangle", "warn"
        ),
        "accounts.profile.changed": Sentence(_l("%(actor)s changed the own profile"), "half"),
        "accounts.password.link_sent": Sentence(
            _l("%(actor)s sent %(email)s a link to set a password"), "half", "info"
        ),
        "accounts.password.set": Sentence(_l("%(actor)s set a new password"), "dot", "warn"),
        "accounts.email.asked": Sentence(
            _l("%(actor)s asked to change the address to %(email)s"), "half", "info"
        ),
        "accounts.email.changed": Sentence(
            _l("%(actor)s changed the address from %(email_before)s to %(email)s"), "dot", "warn"
        ),
        "accounts.second_factor.turned_on": Sentence(
            _l("%(actor)s turned the second factor on"), "tick", "good"
        ),
        "accounts.second_factor.turned_off": Sentence(
            _l("%(actor)s turned the second factor of %(email)s off"), "triangle", "warn"
        ),
        "accounts.second_factor.codes_renewed": Sentence(
            _l("%(actor)s made new recovery codes"), "half"
        ),
        "accounts.second_factor.code_used": Sentence(
            _l("%(actor)s signed in with a recovery code; %(left)s are left"), "triangle", "warn"
        ),
        "accounts.viewing.started": Sentence(
            _l("%(actor)s began to look as %(email)s"), "diamond", "warn"
        ),
        "accounts.viewing.stopped": Sentence(
            _l("%(actor)s stopped looking as %(email)s"), "diamond"
        ),
        "accounts.token.created": Sentence(
            _l("%(actor)s made the API token %(token_name)s"), "dot"
        ),
        "accounts.token.revoked": Sentence(
            _l("%(actor)s revoked the API token %(token_name)s"), "bar"
        ),
    }
)
define(
    Definition(
        "accounts.staff_second_factor",
        False,
        _l("Staff need a second factor to sign in"),
        help=_l("Staff without one set it up first; until then their API tokens are refused."),
    ),
    Definition("accounts.session_days", 14, _l("A sign-in lasts"), unit=_l("days"), minimum=1),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A kind of mail that a reader may do without.

    label: what it brings, in words for the profile. policy: who gets it at all.
    """

    label: LazyText
    policy: Callable[[Actor], bool]


NOTICES: dict[str, Notice] = {}


def notices(table: dict[str, Notice]) -> None:
    """Register a slice's kinds of mail, such as "deals.decided"; refuses (ValueError) a name twice.

    The profile offers them; a slice asks `queries.wants_mail(user, kind)` before it queues one.
    """
    for kind, notice in table.items():
        if kind in NOTICES:
            raise ValueError(f"notice {kind} is registered twice")
        NOTICES[kind] = notice
