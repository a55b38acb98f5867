"""Mails about signing in: links that work once, and notices of what was changed."""

from typing import Any

from portal.accounts.models import User
from portal.foundation.i18n import LazyText
from portal.foundation.links import absolute_url
from portal.foundation.mail.operations import queue_mail


def _queue(kind: str, user: User, *, address: str | None = None, **context: Any) -> None:
    queue_mail(
        f"accounts/{kind}",
        to=(address or user.email, user.name),
        language=user.language,
        zone=user.zone,
        user_id=user.id,
        name=user.name,
        **context,
    )


def invitation(user: User, token: str) -> None:
    """Queue the link by which a new user chooses a password."""
    link = absolute_url("accounts.set_password", token=token)
    _queue("invitation", user, link=link, again=absolute_url("accounts.ask_link"))


def reset(user: User, token: str) -> None:
    """Queue the link by which a user chooses a new password."""
    _queue("reset", user, link=absolute_url("accounts.set_password", token=token))


def email_change(user: User, email: str, token: str) -> None:
    """Queue the link that confirms a new address, to that address."""
    link = absolute_url("accounts.confirm_email", token=token)
    _queue("email_change", user, address=email, link=link, email=email)


def notice(user: User, what: LazyText, *, address: str | None = None) -> None:
    """Queue a notice of something that was done to the account.

    what: a sentence. address: where to, when it is not the user's present address.
    """
    _queue("notice", user, address=address, what=what, again=absolute_url("accounts.ask_link"))
