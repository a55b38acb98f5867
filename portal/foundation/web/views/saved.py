"""Keeping and forgetting views of lists."""

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.routing import BuildError

from portal.foundation.database import transaction
from portal.foundation.errors import NotFound, Refused
from portal.foundation.i18n import _
from portal.foundation.web.actors import current_actor
from portal.foundation.web.lists.saved import SavedView, remove_view, save_view
from portal.foundation.web.policies import requires, signed_in

bp = Blueprint("saved_views", __name__, url_prefix="/views")


def _address(view: SavedView) -> str:
    address = url_for(view.endpoint)
    return f"{address}?{view.query}" if view.query else address


@bp.post("")
@requires(signed_in)
def save() -> ResponseReturnValue:
    """Keep the present filters, order and columns of a list under a name."""
    endpoint = request.form.get("endpoint", "")
    if endpoint not in current_app.view_functions:
        raise NotFound
    try:
        back = url_for(endpoint)
    except BuildError:
        raise NotFound from None
    try:
        with transaction():
            view = save_view(
                current_actor(),
                endpoint=endpoint,
                name=request.form.get("name", ""),
                query=request.form.get("query", ""),
            )
    except Refused as refusal:
        flash(str(refusal), "error")
        return redirect(back, 303)
    flash(_("View saved."))
    return redirect(_address(view), 303)


@bp.post("/<int:view_id>/remove")
@requires(signed_in)
def remove(view_id: int) -> ResponseReturnValue:
    """Forget a view."""
    with transaction():
        view = remove_view(current_actor(), view_id=view_id)
    flash(_("View removed."))
    return redirect(url_for(view.endpoint), 303)
