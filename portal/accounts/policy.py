"""Who may do what with users; also the words that other slices' policies are made of."""

from collections.abc import Iterable

import sqlalchemy as sa

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


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which users the actor may see as such: administrators all, the others themselves."""
    if is_system(actor) or may_manage_users(actor):
        return sa.true()
    return User.id == actor.user_id if actor.user_id is not None else sa.false()


def grantable_roles(actor: Actor) -> list[Role]:
    """Return the roles that the actor may give: never more than the actor is."""
    if is_system(actor) or is_administrator(actor):
        return list(Role)
    return []


def may_grant(actor: Actor, roles: Iterable[Role]) -> bool:
    """Return whether the actor may give all of `roles`."""
    return set(roles) <= set(grantable_roles(actor))


def may_change_user(actor: Actor, user: User) -> bool:
    """Return whether the actor may change this user's name, roles and partner."""
    return may_manage_users(actor) and may_grant(actor, [row.role for row in user.roles])


def may_deactivate_user(actor: Actor, user: User) -> bool:
    """Return whether the actor may shut this user out; nobody shuts out themselves."""
    return may_change_user(actor, user) and user.is_active and user.id != actor.user_id


def may_reactivate_user(actor: Actor, user: User) -> bool:
    """Return whether the actor may let this user in again."""
    return may_change_user(actor, user) and not user.is_active


def may_send_link(actor: Actor, user: User) -> bool:
    """Return whether the actor may have a link mailed to the user that sets a password."""
    return may_change_user(actor, user) and user.is_active


def may_reset_second_factor(actor: Actor, user: User) -> bool:
    """Return whether the actor may turn off the second factor of a user who has lost it."""
    has_one = user.totp_confirmed_at is not None
    return may_change_user(actor, user) and has_one and user.id != actor.user_id


def is_oneself(actor: Actor) -> bool:
    """Return whether a user acts in person: devices, passwords and tokens are nobody else's."""
    return actor.is_signed_in and not actor.viewing_as


def may_view_as(actor: Actor, user: User) -> bool:
    """Return whether an administrator may look through this user's eyes."""
    is_other = actor.user_id != user.id and Role.ADMINISTRATOR.value not in user.role_names
    return is_administrator(actor) and not actor.viewing_as and is_other and user.is_active
