"""Users, what they may be, and how they prove who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l


class Role(StrEnum):
    """What a user may be; several a person."""

    ADMINISTRATOR = "administrator"
    CHANNEL_MANAGER = "channel_manager"
    SERVICE_MANAGER = "service_manager"
    MARKETING = "marketing"
    PARTNER_ADMIN = "partner_admin"
    PARTNER_SALES = "partner_sales"
    TECHNICIAN = "technician"
    MEMBER = "member"


STAFF_ROLES = frozenset(
    {Role.ADMINISTRATOR, Role.CHANNEL_MANAGER, Role.SERVICE_MANAGER, Role.MARKETING}
)
PARTNER_ROLES = frozenset({Role.PARTNER_ADMIN, Role.PARTNER_SALES, Role.TECHNICIAN})
ROLE_LABELS = {
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.CHANNEL_MANAGER: _l("Channel manager"),
    Role.SERVICE_MANAGER: _l("Service manager"),
    Role.MARKETING: _l("Marketing"),
    Role.PARTNER_ADMIN: _l("Partner administrator"),
    Role.PARTNER_SALES: _l("Partner sales"),
    Role.TECHNICIAN: _l("Technician"),
    Role.MEMBER: _l("Member"),
}


class User(Model):
    """A person who signs in: staff, of a partner, or a club member."""

    __tablename__ = "users"
    __table_args__ = (sa.Index(None, "name", "id"),)

    email: Mapped[str] = mapped_column(sa.String(254), doc="As written by the user.")
    email_key: Mapped[str] = mapped_column(
        sa.String(254), unique=True, doc="Trimmed and lower-cased; what signing in compares."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="Shown to others.")
    password_hash: Mapped[str | None] = mapped_column(
        sa.String(200), doc="Argon2id; none until an invitation is accepted."
    )
    partner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("partners.id"), index=True, doc="The partner the user works for."
    )
    language: Mapped[str | None] = mapped_column(sa.String(12), doc="Chosen; else the browser's.")
    zone: Mapped[str] = mapped_column(sa.String(64), default="UTC", doc="IANA time zone.")
    is_active: Mapped[bool] = mapped_column(default=True, doc="False: may not sign in.")
    created_at: Mapped[datetime] = mapped_column(doc="When the user was made.")
    totp_secret: Mapped[str | None] = mapped_column(
        sa.String(200), doc="Second factor's secret, encrypted; none without one."
    )
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(doc="When it was first proven.")
    totp_last_step: Mapped[int | None] = mapped_column(doc="Last used time step; each code once.")
    notifications: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="Kind of notice to whether it comes by mail; absent means yes."
    )
    version: Mapped[int] = mapped_column(
        default=1, doc="Counts changes by administrators; guards against stale forms."
    )

    roles: Mapped[list["UserRole"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", lazy="selectin", order_by="UserRole.id"
    )

    @property
    def role_names(self) -> frozenset[str]:
        """Return the roles as plain names."""
        return frozenset(row.role.value for row in self.roles)


class UserRole(Model):
    """One role of one user."""

    __tablename__ = "user_roles"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "role"),
        sa.Index(None, "role", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), doc="Whose role.")
    role: Mapped[Role] = mapped_column(enum_type(Role), doc="Which.")

    user: Mapped[User] = relationship(back_populates="roles")


class UserSession(Model):
    """A sign-in on one device; ends on the server."""

    __tablename__ = "user_sessions"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True, doc="Who.")
    token_hash: Mapped[str] = mapped_column(
        sa.String(64), unique=True, doc="SHA-256 of the 256-bit id in the cookie."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When the user signed in.")
    last_seen_at: Mapped[datetime] = mapped_column(doc="Last request, to the quarter hour.")
    expires_at: Mapped[datetime] = mapped_column(doc="Ends then at the latest.")
    ended_at: Mapped[datetime | None] = mapped_column(doc="When it was ended.")
    address: Mapped[str] = mapped_column(sa.String(45), doc="Network address at sign-in.")
    device: Mapped[str] = mapped_column(sa.String(200), doc="Browser and system, as it says.")
    viewing_as_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("users.id"), doc="The user an administrator looks as."
    )
    confirmed_at: Mapped[datetime] = mapped_column(doc="When the password was last given.")


class ApiToken(Model):
    """A bearer token of the API; acts as its user."""

    __tablename__ = "api_tokens"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True, doc="Whose.")
    name: Mapped[str] = mapped_column(sa.String(100), doc="What it is for.")
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, doc="SHA-256.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was made.")
    expires_at: Mapped[datetime | None] = mapped_column(doc="Ends then; none: until revoked.")
    revoked_at: Mapped[datetime | None] = mapped_column(doc="When it was revoked.")


class Purpose(StrEnum):
    """What a mailed link is for."""

    INVITATION = "invitation"
    RESET = "reset"
    SIGN_IN = "sign_in"
    EMAIL = "email"


class OneTimeToken(Model):
    """A secret that works once: an invitation, a reset, a new address, a second step."""

    __tablename__ = "one_time_tokens"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True, doc="For whom.")
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose), doc="What it opens.")
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, doc="SHA-256.")
    created_at: Mapped[datetime] = mapped_column(doc="When it was made.")
    expires_at: Mapped[datetime] = mapped_column(doc="Useless after this.")
    used_at: Mapped[datetime | None] = mapped_column(doc="When it was used, or made useless.")
    email: Mapped[str | None] = mapped_column(
        sa.String(254), doc="The new address, where that is what it confirms."
    )


class RecoveryCode(Model):
    """A code that stands in for the second factor once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True, doc="Whose.")
    code_hash: Mapped[str] = mapped_column(
        sa.String(64), unique=True, doc="HMAC-SHA-256 with a key derived from SECRET_KEY."
    )
    used_at: Mapped[datetime | None] = mapped_column(doc="When it was used.")


class SignInBackOff(Model):
    """Failed sign-ins with one address, known here or not; the wait grows."""

    __tablename__ = "sign_in_back_offs"

    email_key: Mapped[str] = mapped_column(sa.String(254), unique=True, doc="What was typed.")
    failures: Mapped[int] = mapped_column(doc="In a row.")
    last_at: Mapped[datetime] = mapped_column(index=True, doc="When the last one was.")
    blocked_until: Mapped[datetime | None] = mapped_column(doc="No try before this.")
