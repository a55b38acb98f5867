"""The list of users."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import url_for
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from portal.accounts import policy
from portal.accounts.models import PARTNER_ROLES, ROLE_LABELS, STAFF_ROLES, Role, User, UserRole
from portal.foundation.i18n import _l
from portal.foundation.steps import Look
from portal.foundation.web.lists.columns import Cell, Column
from portal.foundation.web.lists.filters import ChoiceFilter, ContainsFilter, StartsFilter
from portal.foundation.web.lists.page import ListPage

STATE_LOOKS = {
    "active": Look(_l("Active"), "dot", "good"),
    "invited": Look(_l("Invited"), "half", "info"),
    "deactivated": Look(_l("Deactivated"), "bar", "neutral"),
}
KINDS = {"staff": _l("Staff"), "partner": _l("Partners' people"), "member": _l("Members")}
KIND_ROLES = {"staff": STAFF_ROLES, "partner": PARTNER_ROLES, "member": {Role.MEMBER}}
STATE = sa.case(
    (User.is_active.is_(False), "deactivated"),
    (User.password_hash.is_(None), "invited"),
    else_="active",
)


def state_of(user: User) -> Look:
    """Return how the user's state is drawn."""
    if not user.is_active:
        return STATE_LOOKS["deactivated"]
    return STATE_LOOKS["active" if user.password_hash else "invited"]


def role_words(names: str | None) -> str:
    """Return the labels of role names separated by commas."""
    found = (ROLE_LABELS[Role(name)] for name in sorted((names or "").split(",")) if name)
    return ", ".join(str(label) for label in found) or "–"


@dataclass(frozen=True)
class RolesColumn(Column):
    """The roles as words."""

    def cell(self, row: Any) -> Cell:
        """Return the roles of one row."""
        words = self.plain(row)
        return Cell("text", words, str(words))

    def plain(self, row: Any) -> object:
        """Return the roles as a file holds them."""
        return role_words(getattr(row, f"c_{self.key}"))


@dataclass(frozen=True)
class RoleFilter(ChoiceFilter):
    """Users who have any of the roles that the chosen values stand for."""

    roles: Callable[[str], set[Role] | frozenset[Role]] = lambda value: {Role(value)}

    def conditions(self, value: list[str]) -> list[ColumnElement[bool]]:
        """Match users with any of the roles."""
        roles = set().union(*(self.roles(text) for text in value))
        having = sa.select(UserRole.user_id).where(UserRole.role.in_(sorted(roles)))
        return [User.id.in_(having)]


def _kind_roles(value: str) -> Any:
    return KIND_ROLES[value]


def _states() -> Mapping[str, Any]:
    return {key: look.label for key, look in STATE_LOOKS.items()}


# By name: the partners slice lies above this one.
PARTNERS = sa.table("partners", sa.column("id"), sa.column("name"))
ROLES = (
    sa.select(sa.func.aggregate_strings(sa.cast(UserRole.role, sa.String), ","))
    .where(UserRole.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)


class UserList(ListPage):
    """Users, for administrators."""

    title = _l("Users")
    columns = [
        Column("name", _l("Name"), User.name, phone="name"),
        Column("email", _l("E-mail"), User.email, sortable=False, phone="second"),
        RolesColumn("roles", _l("Roles"), ROLES, sortable=False),
        Column("partner", _l("Partner"), PARTNERS.c.name, sortable=False),
        Column(
            "state", _l("State"), STATE, kind="badge", looks=STATE_LOOKS, sortable=False,
            phone="badge",
        ),
        Column(
            "second_factor", _l("Second factor since"), User.totp_confirmed_at, kind="instant",
            sortable=False, shown=False,
        ),
        Column("created_at", _l("Made"), User.created_at, kind="instant", sortable=False),
    ]  # fmt: skip
    filters = [
        ContainsFilter("name", _l("Name contains"), (User.name,)),
        StartsFilter("email", _l("E-mail starts with"), User.email_key),
        RoleFilter("kind", _l("Kind"), choices=KINDS, roles=_kind_roles),
        RoleFilter("role", _l("Role"), choices=ROLE_LABELS),
        ChoiceFilter("state", _l("State"), STATE, _states),
    ]
    views = [
        (_l("All"), {}),
        (_l("Staff"), {"kind": "staff"}),
        (_l("Partners' people"), {"kind": "partner"}),
        (_l("Members"), {"kind": "member"}),
        (_l("Invited"), {"state": "invited"}),
        (_l("Deactivated"), {"state": "deactivated"}),
    ]
    default_order = "name"
    key = User.id
    empty_title = _l("No such users")
    empty_reason = _l("Take a filter away, or invite somebody.")

    def select(self) -> Select[Any]:
        """Return the users whom the actor may see, with their partner's name."""
        select = sa.select(User.id).outerjoin(PARTNERS, PARTNERS.c.id == User.partner_id)
        return select.where(policy.visible_to(self.actor))

    def row_url(self, row: Any) -> str:
        """Return the address of the user's page."""
        return url_for("users.show", user_id=row.id)

    def prepare(self) -> None:
        """Read the address; an empty list offers to invite."""
        super().prepare()
        self.empty_action = (_l("Invite a user"), url_for("users.new"))
