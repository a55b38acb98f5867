"""How the audit entries of customers read."""

from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import _l

sentences(
    {
        "customers.customer.added": Sentence(
            _l("%(actor)s named the customer %(customer)s"), "dot"
        ),
        "customers.customers.added": Sentence(
            _l("%(actor)s brought %(count)s customers from a file"), "bar"
        ),
    }
)
