"""Rules' figures that an administrator edits; each has a default, a type and bounds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import Sentence, record, sentences
from portal.foundation.database import Model, db
from portal.foundation.errors import Refused
from portal.foundation.i18n import ZONES, LazyText, _l
from portal.foundation.money import parse_currency

sentences(
    {"settings.setting.changed": Sentence(_l("%(actor)s set %(setting)s to %(value)s"), "half")}
)


class Setting(Model):
    """A setting that differs from its default."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(sa.String(80), unique=True, doc="slice.setting.")
    value: Mapped[Any] = mapped_column(sa.JSON(), doc="What holds instead of the default.")
    changed_at: Mapped[datetime] = mapped_column(doc="When it was last set.")


@dataclass(frozen=True, slots=True)
class Definition:
    """A setting's name, default, and what a value may be.

    default: its type is the setting's. unit: shown behind the field. minimum, maximum: for int.
    zone, currency: a text that names one.
    """

    name: str
    default: int | str | bool
    label: LazyText
    unit: LazyText | str = ""
    help: LazyText | str = ""
    minimum: int = 0
    maximum: int = 1_000_000
    zone: bool = False
    currency: bool = False


DEFINITIONS: dict[str, Definition] = {}


def define(*definitions: Definition) -> None:
    """Register a slice's settings; refuses (ValueError) a name given twice."""
    for definition in definitions:
        if definition.name in DEFINITIONS:
            raise ValueError(f"setting {definition.name} is defined twice")
        DEFINITIONS[definition.name] = definition


def all_values() -> dict[str, Any]:
    """Return every setting's value; one query, remembered for the present session."""
    cached = db.session.info.get("settings")
    if cached is None:
        cached = {name: definition.default for name, definition in DEFINITIONS.items()}
        cached.update(
            (row.name, row.value)
            for row in db.session.execute(sa.select(Setting.name, Setting.value))
            if row.name in DEFINITIONS
        )
        db.session.info["settings"] = cached
    values: dict[str, Any] = cached
    return values


def setting(name: str) -> Any:
    """Return the value of the setting `name`; refuses (KeyError) an unknown one."""
    return all_values()[name]


def change_setting(actor: Actor, *, name: str, value: str | int | bool) -> None:
    """Set `name` to `value`, in the audit with before and after.

    Refuses a value of another type or out of bounds, naming the setting as the field.
    """
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise Refused(_l("There is no such setting."))
    checked = _checked(definition, value)
    before = setting(name)
    if before == checked:
        return
    row = db.session.scalar(sa.select(Setting).where(Setting.name == name).with_for_update())
    if row is None:
        row = Setting(name=name)
        db.session.add(row)
    row.value, row.changed_at = checked, clock.now()
    db.session.info.pop("settings", None)
    record(actor, "settings.setting.changed", row, setting=name, value=(before, checked))


def _checked(definition: Definition, value: str | int | bool) -> int | str | bool:
    if isinstance(definition.default, bool):
        return value if isinstance(value, bool) else str(value).lower() in {"1", "true", "on", "y"}
    if isinstance(definition.default, int):
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise Refused(_l("Write a whole number."), field=definition.name) from None
        if not definition.minimum <= number <= definition.maximum:
            raise Refused(
                _l(
                    "Write a number from %(low)s to %(high)s.",
                    low=definition.minimum,
                    high=definition.maximum,
                ),
                field=definition.name,
            )
        return number
    text = str(value).strip()
    if definition.zone and text not in ZONES:
        raise Refused(_l("This is not a time zone, such as Europe/Oslo."), field=definition.name)
    if definition.currency:
        return parse_currency(text, field=definition.name)
    if (definition.default and not text) or (text and not text.isprintable()):
        raise Refused(_l("Fill this in with letters that can be printed."), field=definition.name)
    if len(text) > 200:
        raise Refused(_l("At most 200 characters."), field=definition.name)
    return text


define(
    Definition("vendor.name", "Halden Instruments", _l("Vendor's name")),
    Definition("vendor.zone", "Europe/Oslo", _l("Vendor's time zone"), zone=True),
    Definition("vendor.currency", "EUR", _l("Vendor's currency"), currency=True),
)
