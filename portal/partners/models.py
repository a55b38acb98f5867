"""Partners: organisations that sell the vendor's products or mend them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation.database import Model, enum_type
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps


class PartnerKind(StrEnum):
    """What a partner mainly does; sets its defaults."""

    DISTRIBUTOR = "distributor"
    RESELLER = "reseller"
    REPAIR_STATION = "repair_station"


class PartnerState(StrEnum):
    """Where the partnership stands; suspended and terminated ones may not act."""

    ONBOARDING = "onboarding"
    ACTIVE = "active"
    ON_NOTICE = "on_notice"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


KIND_LABELS = {
    PartnerKind.DISTRIBUTOR: _l("Distributor"),
    PartnerKind.RESELLER: _l("Reseller"),
    PartnerKind.REPAIR_STATION: _l("Repair station"),
}
PARTNER_LOOKS = {
    PartnerState.ONBOARDING: Look(_l("Onboarding"), "ring", "info"),
    PartnerState.ACTIVE: Look(_l("Active"), "dot", "good"),
    PartnerState.ON_NOTICE: Look(_l("On notice"), "triangle", "warn"),
    PartnerState.SUSPENDED: Look(_l("Suspended"), "cross", "bad"),
    PartnerState.TERMINATED: Look(_l("Terminated"), "bar", "neutral"),
}


PARTNER_STEPS = Steps(
    PARTNER_LOOKS,
    [
        Step(
            "activate",
            frozenset({PartnerState.ONBOARDING, PartnerState.ON_NOTICE}),
            PartnerState.ACTIVE,
            _l("Make active"),
            "primary",
        ),
        Step(
            "reinstate",
            frozenset({PartnerState.SUSPENDED}),
            PartnerState.ACTIVE,
            _l("Reinstate"),
            "primary",
            _l("Reinstate this partner? Its people can act again at once."),
        ),
        Step(
            "put_on_notice",
            frozenset({PartnerState.ACTIVE}),
            PartnerState.ON_NOTICE,
            _l("Put on notice"),
            "quiet",
        ),
        Step(
            "suspend",
            frozenset({PartnerState.ONBOARDING, PartnerState.ACTIVE, PartnerState.ON_NOTICE}),
            PartnerState.SUSPENDED,
            _l("Suspend"),
            "quiet",
        ),
    ],
)


class Partner(Model):
    """An organisation that sells or mends; the tenant of its users' data."""

    __tablename__ = "partners"
    __table_args__ = (
        sa.Index(None, "name_key", "id"),
        sa.Index(None, "kind", "country", "id"),
        sa.Index(None, "status", "id"),
        sa.Index(None, "country", "id"),
    )

    reference: Mapped[str] = mapped_column(
        sa.String(60), unique=True, doc="The vendor's reference."
    )
    name: Mapped[str] = mapped_column(sa.String(200), doc="Legal name.")
    name_key: Mapped[str] = mapped_column(sa.String(200), doc="Name, lower-case, for sorting.")
    kind: Mapped[PartnerKind] = mapped_column(enum_type(PartnerKind), doc="What it mainly does.")
    country: Mapped[str] = mapped_column(sa.String(2), doc="ISO 3166 alpha-2.")
    city: Mapped[str | None] = mapped_column(sa.String(100), doc="Seat.")
    domain: Mapped[str | None] = mapped_column(sa.String(253), doc="Web domain, lower-case.")
    tax_id: Mapped[str | None] = mapped_column(sa.String(40), doc="As registered, no separators.")
    email: Mapped[str | None] = mapped_column(sa.String(254), doc="Where the organisation reads.")
    tier: Mapped[str | None] = mapped_column(sa.String(40), doc="Programme level.")
    latitude: Mapped[float | None] = mapped_column(sa.Float, doc="Degrees north.")
    longitude: Mapped[float | None] = mapped_column(sa.Float, doc="Degrees east.")
    zone: Mapped[str] = mapped_column(sa.String(64), default="UTC", doc="IANA time zone.")
    status: Mapped[PartnerState] = mapped_column(
        enum_type(PartnerState), doc="Where the partnership stands."
    )
    created_at: Mapped[datetime] = mapped_column(doc="When it was added.")
    version: Mapped[int] = mapped_column(
        default=1, doc="Counts changes; guards against stale forms."
    )

    __mapper_args__ = {"version_id_col": version}
