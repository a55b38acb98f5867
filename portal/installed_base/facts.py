"""How the audit entries of the installed base read."""

from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import _l

sentences(
    {
        "installed_base.device.registered": Sentence(
            _l("%(actor)s registered the device %(serial)s"), "dot", "good"
        ),
        "installed_base.device.registered_at_intake": Sentence(
            _l("%(actor)s registered the device %(serial)s on a proof of purchase"),
            "triangle",
            "warn",
        ),
    }
)
