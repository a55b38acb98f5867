"""Who may do what with users; also the words that other slices' policies are made of."""

from portal.accounts.models import PARTNER_ROLES, Role, User
from portal.foundation.actors import SYSTEM, Actor


def is_system(actor: Actor) -> bool:
    """Return whether Guildhall itself acts, in a job or command."""
    return actor is SYSTEM


def has_role(actor: Actor, *roles: Role) -> bool:
    """Return whether the actor has any of `roles`."""
    return any(role.value in actor.roles for role in roles)


def is_administrator(actor: Actor) -> bool:
    """Return whether the actor is an administrator."""
    return has_role(actor, Role.ADMINISTRATOR)


def is_staff(actor: Actor) -> bool:
    """Return whether the actor works for the vendor."""
    return actor.is_staff


def is_channel_staff(actor: Actor) -> bool:
    """Return whether the actor manages partners, deals and leads."""
    return has_role(actor, Role.ADMINISTRATOR, Role.CHANNEL_MANAGER)


def is_service_staff(actor: Actor) -> bool:
    """Return whether the actor manages repair stations and their jobs."""
    return has_role(actor, Role.ADMINISTRATOR, Role.SERVICE_MANAGER)


def is_marketing_staff(actor: Actor) -> bool:
    """Return whether the actor runs clubs and newsletters."""
    return has_role(actor, Role.ADMINISTRATOR, Role.MARKETING)


def is_of_partner(actor: Actor) -> bool:
    """Return whether the actor works for a partner that is not suspended."""
    of_partner = any(role.value in actor.roles for role in PARTNER_ROLES)
    return of_partner and actor.tenant_id is not None and actor.tenant_is_active


def is_partner_admin(actor: Actor) -> bool:
    """Return whether the actor runs a partner's organisation."""
    return is_of_partner(actor) and has_role(actor, Role.PARTNER_ADMIN)


def is_member(actor: Actor) -> bool:
    """Return whether the actor is a club member."""
    return has_role(actor, Role.MEMBER)


def may_manage_users(actor: Actor) -> bool:
    """Return whether the actor may invite, change and deactivate users."""
    return is_administrator(actor)


def may_view_as(actor: Actor, user: User) -> bool:
    """Return whether an administrator may look through this user's eyes."""
    is_other = actor.user_id != user.id and Role.ADMINISTRATOR.value not in user.role_names
    return is_administrator(actor) and not actor.viewing_as and is_other and user.is_active
