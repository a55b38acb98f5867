"""How newsletters' audit entries read."""

from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import _l

sentences(
    {
        "newsletters.newsletter.created": Sentence(_l("%(actor)s made the newsletter"), "dot"),
        "newsletters.newsletter.changed": Sentence(_l("%(actor)s changed the newsletter"), "half"),
        "newsletters.newsletter.approved": Sentence(
            _l("%(actor)s approved the newsletter"), "dot", "good"
        ),
        "newsletters.newsletter.sending": Sentence(
            _l("%(actor)s began to send it to %(members)s members"), "half", "info"
        ),
        "newsletters.newsletter.sent": Sentence(_l("All copies are in the outbox"), "tick", "good"),
        "newsletters.newsletter.cancelled": Sentence(
            _l("%(actor)s cancelled the newsletter"), "bar", "neutral"
        ),
    }
)
