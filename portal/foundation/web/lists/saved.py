"""Views of lists that readers keep: a name for the filters, order and columns of an address."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.database import Model, db
from portal.foundation.errors import NotFound, Refused
from portal.foundation.i18n import _l

MOST_VIEWS = 20
PASSING = {"after", "before", "format", "ids"}


class SavedView(Model):
    """A reader's own view of one list."""

    __tablename__ = "saved_views"
    __table_args__ = (sa.UniqueConstraint("user_id", "endpoint", "name"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), doc="Whose view.")
    endpoint: Mapped[str] = mapped_column(sa.String(80), doc="Which list.")
    name: Mapped[str] = mapped_column(sa.String(60), doc="What the reader calls it.")
    query: Mapped[str] = mapped_column(sa.Text, doc="Filters, order and columns of its address.")
    saved_at: Mapped[datetime] = mapped_column(doc="When it was saved.")


def lasting(query: str) -> str:
    """Return a query string without what only a moment needs, such as the page."""
    pairs = [pair for pair in parse_qsl(query[:4_000]) if pair[0] not in PASSING]
    return urlencode(pairs)


def saved_views(actor: Actor, endpoint: str) -> list[SavedView]:
    """Return the actor's own views of a list, by name."""
    mine = (SavedView.user_id == actor.user_id, SavedView.endpoint == endpoint)
    return list(db.session.scalars(sa.select(SavedView).where(*mine).order_by(SavedView.name)))


def save_view(actor: Actor, *, endpoint: str, name: str, query: str) -> SavedView:
    """Keep a view, or change the one of that name; refuses a twenty-first of one list."""
    wanted = name.strip()[:60]
    if not wanted or not wanted.isprintable():
        raise Refused(_l("Give the view a name."), field="name")
    views = saved_views(actor, endpoint)
    view = next((one for one in views if one.name == wanted), None)
    if view is None:
        if len(views) >= MOST_VIEWS:
            raise Refused(_l("A list has at most 20 views of your own; remove one first."))
        view = SavedView(user_id=actor.user_id, endpoint=endpoint, name=wanted)
        db.session.add(view)
    view.query, view.saved_at = lasting(query), clock.now()
    return view


def remove_view(actor: Actor, *, view_id: int) -> SavedView:
    """Forget one of the actor's own views; refuses (NotFound) others'."""
    mine = (SavedView.id == view_id, SavedView.user_id == actor.user_id)
    view = db.session.scalar(sa.select(SavedView).where(*mine))
    if view is None:
        raise NotFound
    db.session.delete(view)
    return view
