"""How the audit entries of products read."""

from portal.foundation.audit import Sentence, sentences
from portal.foundation.i18n import _l

sentences(
    {
        "products.product.added": Sentence(_l("%(actor)s added the product %(sku)s"), "dot"),
        "products.file.imported": Sentence(
            _l(
                "%(actor)s imported products: %(created)s new, %(updated)s changed, "
                "%(unchanged)s as before"
            ),
            "bar",
        ),
    }
)
