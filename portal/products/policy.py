"""Who may see and change the price list."""

from portal.accounts.policy import is_channel_staff, is_of_partner, is_staff, is_system
from portal.foundation.actors import Actor


def may_see_products(actor: Actor) -> bool:
    """Return whether the actor may look through the price list: staff and partners."""
    return is_system(actor) or is_staff(actor) or is_of_partner(actor)


def may_list_products(actor: Actor) -> bool:
    """Return whether the actor has the list of products among the pages."""
    return is_staff(actor)


def may_import_products(actor: Actor) -> bool:
    """Return whether the actor may send files of products."""
    return is_channel_staff(actor)
