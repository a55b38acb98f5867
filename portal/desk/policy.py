"""Who may see what of the desk."""

from portal.accounts.policy import is_administrator, is_staff
from portal.foundation.actors import Actor


def may_see_desk(actor: Actor) -> bool:
    """Return whether the actor works for the vendor."""
    return is_staff(actor)


def may_change_settings(actor: Actor) -> bool:
    """Return whether the actor may change the figures of the rules."""
    return is_administrator(actor)


def may_see_machinery(actor: Actor) -> bool:
    """Return whether the actor may see jobs, deliveries, mail and the audit."""
    return is_administrator(actor)
