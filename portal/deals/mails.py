"""Mails about deals; none of them names another partner's deal."""

from typing import Any

from portal.deals import queries
from portal.deals.models import Deal
from portal.deals.queries import Reader
from portal.foundation.links import absolute_url
from portal.foundation.mail.operations import queue_mail


def _send(kind: str, deal: Deal, readers: list[Reader], address: str, **more: Any) -> None:
    for reader in readers:
        queue_mail(
            f"deals/{kind}",
            to=(reader.email, reader.name),
            language=reader.language,
            zone=reader.zone,
            user_id=reader.user_id,
            name=reader.name,
            reference=deal.reference,
            customer=deal.customer_name,
            address=address,
            **more,
        )


def _page(deal: Deal) -> str:
    return absolute_url("deals.show", deal_id=deal.id)


def approved(deal: Deal) -> None:
    """Tell the partner that the deal is protected, and until when."""
    _send("approved", deal, queries.readers_of(deal), _page(deal), until=deal.protected_until)


def rejected(deal: Deal) -> None:
    """Tell the partner that and why the deal was rejected."""
    _send("rejected", deal, queries.readers_of(deal), _page(deal), reason=deal.reason)


def returned(deal: Deal) -> None:
    """Tell the partner what the reviewer asks."""
    _send("returned", deal, queries.readers_of(deal), _page(deal), reason=deal.reason)


def expired(deal: Deal) -> None:
    """Tell the partner that the protection is over."""
    _send("expired", deal, queries.readers_of(deal), _page(deal), until=deal.protected_until)


def reminder(deal: Deal, *, days: int) -> None:
    """Tell the partner that the protection ends in so many days."""
    _send(
        "reminder",
        deal,
        queries.readers_of(deal),
        _page(deal),
        until=deal.protected_until,
        days=days,
    )


def submitted(deal: Deal) -> None:
    """Tell the channel managers that a deal waits for a decision."""
    _send(
        "submitted",
        deal,
        queries.reviewers(),
        absolute_url("desk.queue", deal=deal.id),
        partner=queries.partner_of(deal).name,
        decide_by=deal.decide_by_at,
    )
