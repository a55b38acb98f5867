"""Changes of partners."""

from collections.abc import Callable
from typing import Any

from email_validator import EmailNotValidError, validate_email

from portal.customers.matching import normal_domain
from portal.foundation import clock
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.audit import changed, record
from portal.foundation.database import db, lock
from portal.foundation.errors import Refused
from portal.foundation.facts import announce
from portal.foundation.i18n import ZONES, _l
from portal.foundation.imports.columns import COUNTRIES
from portal.partners import queries
from portal.partners.facts import PartnerReinstated, PartnerSuspended
from portal.partners.models import PARTNER_STEPS, Partner, PartnerKind, PartnerState


def add_partner(
    actor: Actor,
    *,
    name: str,
    kind: PartnerKind | str,
    country: str,
    reference: str | None = None,
    status: PartnerState = PartnerState.ONBOARDING,
    city: str | None = None,
    domain: str | None = None,
    tax_id: str | None = None,
    email: str | None = None,
    tier: str | None = None,
    zone: str = "UTC",
    latitude: float | None = None,
    longitude: float | None = None,
) -> Partner:
    """Add a partner; without a reference it gets P- and a number.

    Refuses a reference that is taken, an unknown country or zone, what is no domain or address.
    """
    if reference is not None and queries.partner_by_reference(SYSTEM, reference) is not None:
        raise Refused(_l("There is a partner with this reference already."), field="reference")
    values = _checked(
        name=name,
        kind=kind,
        country=country,
        city=city,
        domain=domain,
        tax_id=tax_id,
        email=email,
        tier=tier,
        zone=zone,
    )
    partner = Partner(
        reference=(reference or "").strip() or f"~{name[:30]}{clock.now().timestamp()}"[:40],
        status=status,
        created_at=clock.now(),
        latitude=latitude,
        longitude=longitude,
        **values,
    )
    db.session.add(partner)
    db.session.flush()  # a reference of our own is made of the key
    if reference is None:
        partner.reference = f"P-{partner.id:05d}"
    record(actor, "partners.partner.added", partner)
    return partner


def change_partner(actor: Actor, partner: Partner, **values: Any) -> None:
    """Change a partner's facts, those of `add_partner` but its reference and status.

    Refuses as `add_partner` does.
    """
    differences = changed(lock(partner), **_checked(**values))
    differences.pop("name_key", None)
    if differences:
        record(actor, "partners.partner.changed", partner, **differences)


def _checked(**values: Any) -> dict[str, Any]:
    if values["country"] not in COUNTRIES:
        raise Refused(_l("Choose the country."), field="country")
    if values["zone"] not in ZONES:
        raise Refused(_l("This is not a time zone, such as Europe/Oslo."), field="zone")
    if values["domain"]:
        values["domain"] = normal_domain(values["domain"])
        if values["domain"] is None:
            raise Refused(_l("Write a web domain such as north.example."), field="domain")
    if values["email"]:
        try:
            values["email"] = validate_email(
                values["email"], check_deliverability=False, test_environment=True
            ).normalized
        except EmailNotValidError:
            raise Refused(_l("This is not an e-mail address."), field="email") from None
    values["kind"] = PartnerKind(values["kind"])
    values["name_key"] = values["name"].casefold()[:200]
    return values


def _step(actor: Actor, partner: Partner, name: str, entry: str, **facts: object) -> None:
    lock(partner)
    before = partner.status
    partner.status = PARTNER_STEPS.target(before, name)
    record(actor, f"partners.partner.{entry}", partner, **facts)


def activate_partner(actor: Actor, partner: Partner) -> None:
    """Let a partner that is being set up, or is on notice, work as an active one."""
    _step(actor, partner, "activate", "activated")


def put_partner_on_notice(actor: Actor, partner: Partner, *, reason: str) -> None:
    """Note that the partnership is in question; the partner goes on working."""
    _step(actor, partner, "put_on_notice", "put_on_notice", reason=reason)


def suspend_partner(actor: Actor, partner: Partner, *, reason: str) -> None:
    """Keep a partner's people from seeing and doing anything from their next request on."""
    _step(actor, partner, "suspend", "suspended", reason=reason)
    announce(PartnerSuspended(partner_id=partner.id, reference=partner.reference))


def reinstate_partner(actor: Actor, partner: Partner) -> None:
    """End a suspension."""
    _step(actor, partner, "reinstate", "reinstated")
    announce(PartnerReinstated(partner_id=partner.id, reference=partner.reference))


PLAIN_STEPS: dict[str, Callable[[Actor, Partner], None]] = {
    "activate": activate_partner,
    "reinstate": reinstate_partner,
}
REASONED_STEPS: dict[str, Callable[..., None]] = {
    "put_on_notice": put_partner_on_notice,
    "suspend": suspend_partner,
}
