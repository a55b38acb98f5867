"""The list of newsletters."""

from typing import Any

from flask import url_for
from sqlalchemy.sql import Select

from loyalty.clubs.models import Club
from loyalty.newsletters import queries
from loyalty.newsletters.models import NEWSLETTER_STEPS, Newsletter
from portal.foundation.i18n import _l
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import ChoiceFilter, ContainsFilter
from portal.foundation.web.lists.page import ListPage


class NewsletterList(ListPage):
    """Newsletters of all clubs, newest first."""

    title = _l("Newsletters")
    key = Newsletter.id
    default_order = "-made"
    columns = [
        Column("subject", _l("Subject"), Newsletter.subject, kind="link", phone="name"),
        Column("reference", _l("Newsletter"), Newsletter.reference, kind="reference"),
        Column("club", _l("Club"), Club.name, phone="second"),
        Column(
            "state",
            _l("State"),
            Newsletter.state,
            kind="badge",
            looks=NEWSLETTER_STEPS.looks,
            phone="badge",
        ),
        Column("made", _l("Made"), Newsletter.created_at, kind="instant", phone="amount"),
        Column("sent", _l("Sent"), Newsletter.sent_at, kind="instant", nullable=True),
    ]
    filters = [
        ContainsFilter("subject", _l("Subject"), (Newsletter.subject,)),
        ChoiceFilter("state", _l("State"), Newsletter.state, NEWSLETTER_STEPS.looks),
    ]
    empty_title = _l("No newsletters")
    empty_reason = _l("Make one: it can be read on screen, as mail and in print.")

    def select(self) -> Select[Any]:
        """Return the newsletters that the actor may see, with their clubs."""
        return queries.visible_newsletters(self.actor).join(Club, Club.id == Newsletter.club_id)

    def row_url(self, row: Any) -> str:
        """Return the newsletter's page."""
        return url_for("newsletters.show", newsletter_id=row.id)
