"""Pages of the price list."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.foundation.i18n import _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.policies import requires
from portal.foundation.web.templating import NavItem, navigation
from portal.products import policy
from portal.products.lists import ProductList

bp = Blueprint("products", __name__, url_prefix="/products")
navigation(
    NavItem(_l("Products"), "products.index", "package", policy.may_list_products, _l("Vendor"), 41)
)


@bp.get("")
@requires(policy.may_list_products)
def index() -> ResponseReturnValue:
    """Show the price list."""
    return ProductList(current_actor()).respond("portal/products/list.html")
