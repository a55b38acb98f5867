"""Who may send files on the desk and see what became of them."""

import sqlalchemy as sa

from portal.foundation.actors import Actor
from portal.foundation.imports.models import ImportJob
from portal.foundation.imports.registry import ImportKind, kinds_for


def may_see_imports(actor: Actor) -> bool:
    """Return whether the actor works for the vendor and may send files of any kind."""
    return actor.is_staff and bool(kinds_for(actor))


def may_import(actor: Actor, kind: ImportKind) -> bool:
    """Return whether the actor may send files of this kind."""
    return actor.is_staff and kind.policy(actor)


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition of what the actor may see: imports of the kinds it may send."""
    names = [kind.name for kind in kinds_for(actor)] if actor.is_staff else []
    return ImportJob.kind.in_(names)
