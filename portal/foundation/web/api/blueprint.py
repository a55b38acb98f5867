"""ApiBlueprint: what every REST endpoint does the same way."""

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.exceptions import HTTPError
from flask import Response, current_app, make_response, request
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import Select

from portal.foundation import clock
from portal.foundation.database import Model, db, transaction
from portal.foundation.errors import NotFound, Refused, WrongState
from portal.foundation.i18n import _l
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.schemas import PageQuery
from portal.foundation.web.errors import problem
from portal.foundation.web.lists import cursor
from portal.foundation.web.policies import signed_in

V = TypeVar("V", bound=Callable[..., Any])
KEY_HEADER = "Idempotency-Key"
MOST_KEY = 200


class IdempotencyKey(Model):
    """The first answer to a POST, given again to the same key and body for 30 days."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.UniqueConstraint("user_id", "key"),)

    user_id: Mapped[int] = mapped_column(doc="Whose key it is.")
    key: Mapped[str] = mapped_column(sa.String(MOST_KEY), doc="As the client sent it.")
    fingerprint: Mapped[str] = mapped_column(sa.String(64), doc="SHA-256 of path and body.")
    status: Mapped[int | None] = mapped_column(doc="Status of the first answer.")
    content_type: Mapped[str] = mapped_column(sa.String(80), default="", doc="Of the first answer.")
    body: Mapped[str] = mapped_column(sa.Text, default="", doc="Of the first answer.")
    used_at: Mapped[datetime] = mapped_column(index=True, doc="When the key was first used.")

    def keep(self, response: Response) -> None:
        """Remember the answer."""
        self.status, self.content_type = response.status_code, response.content_type or ""
        self.body = response.get_data(as_text=True)


def _fingerprint() -> str:
    digest = hashlib.sha256(request.full_path.encode() + b"\x00" + request.get_data(cache=True))
    return digest.hexdigest()


def _answer_again(stored: IdempotencyKey, fingerprint: str) -> Response:
    if stored.fingerprint != fingerprint:
        raise WrongState(
            _l("This Idempotency-Key was used with another body."), code="idempotency_key_reused"
        )
    response = Response(stored.body, status=stored.status, content_type=stored.content_type)
    response.headers["Idempotent-Replay"] = "true"
    return response


def _stored(user_id: int | None, key: str) -> IdempotencyKey | None:
    mine = (IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    return db.session.scalar(sa.select(IdempotencyKey).where(*mine))


def _answer_to(refusal: Refused) -> Response:
    code, errors, extra = refusal.code, refusal.errors, refusal.extra
    return problem(refusal.status, str(refusal), code=code, errors=errors, **extra)


def _once(user_id: int, key: str, answer: Callable[[], Any]) -> Response:
    """Return the key's first answer, made by `answer` in the key's own transaction.

    The key is claimed together with the changes, so that a kill in between leaves both or neither;
    of two at once the second waits and then reads the first's answer. A rule's refusal and a body
    that is not valid are answers too. Refuses (WrongState) a key of another body.
    """
    fingerprint = _fingerprint()
    stored = _stored(user_id, key)
    if stored is not None:
        return _answer_again(stored, fingerprint)
    try:
        with transaction() as session:
            claim = IdempotencyKey(user_id=user_id, key=key, fingerprint=fingerprint)
            claim.used_at = clock.now()
            session.add(claim)
            session.flush()  # a twin waits here for the first one's commit
            try:
                with session.begin_nested():
                    response: Response = make_response(answer())
            except Refused as refusal:
                response = _answer_to(refusal)
            except HTTPError as invalid:
                error_callback = current_app.error_callback  # type: ignore[attr-defined]
                response = make_response(error_callback(invalid))
            claim.keep(response)
    except sa.exc.IntegrityError:
        stored = _stored(user_id, key)
        if stored is None:
            raise
        return _answer_again(stored, fingerprint)
    return response


def idempotent(view: V, *, required: bool) -> V:
    """Give the first answer again to the same key and body.

    Refuses (400) a missing key where `required`, (409) the same key with another body.
    """

    @functools.wraps(view)
    def replayed(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(KEY_HEADER)
        if not key and required:
            return problem(400, str(_l("Send an Idempotency-Key.")), code="key_required")
        if key and (len(key) > MOST_KEY or not key.isprintable()):
            return problem(400, str(_l("This Idempotency-Key is too long.")), code="key_invalid")
        actor = current_actor()
        admits = getattr(view, "admits", signed_in)
        if not key or actor.user_id is None or not admits(actor):
            return view(*args, **kwargs)  # who may not any more is given no old answer either
        return _once(actor.user_id, key, functools.partial(view, *args, **kwargs))

    replayed.demands_key = required  # type: ignore[attr-defined]
    return replayed  # type: ignore[return-value]


class ApiBlueprint(APIBlueprint):
    """A blueprint under /api/v1 whose POSTs take an Idempotency-Key.

    Decorators from the outside in: the route, @requires, @bp.input, @bp.output.
    """

    def __init__(self, name: str, import_name: str, *, tag: str) -> None:
        super().__init__(f"api_{name}", import_name, url_prefix="/api/v1", tag=tag)

    def post(self, rule: str, *, moves_value: bool = False, **options: Any) -> Callable[[V], V]:
        """Register a POST; moves_value: refused without an Idempotency-Key."""

        def register(view: V) -> V:
            return self.route(rule, methods=["POST"], **options)(
                idempotent(view, required=moves_value)
            )

        return register


def listed(
    select: Select[Any], key: Any, query: PageQuery, *, descending: bool = True
) -> tuple[list[Any], str | None]:
    """Return a page of `select`'s first entity or rows ordered by the unique `key`.

    key: a mapped attribute of the entity. Refuses (NotFound) a cursor that it did not make.
    """
    if query.cursor:
        values = cursor.unpack(query.cursor, [key.type])
        if values == [None]:
            raise NotFound
        select = select.where(cursor.beyond([(key, descending)], values))
    order = key.desc() if descending else key.asc()
    rows = list(db.session.scalars(select.order_by(order).limit(query.limit + 1)))
    if len(rows) <= query.limit:
        return rows, None
    rows = rows[: query.limit]
    return rows, cursor.pack([getattr(rows[-1], key.key)])


def forget_keys(before: datetime) -> int:
    """Delete keys first used before an instant; return how many."""
    ids = db.session.scalars(
        sa.delete(IdempotencyKey)
        .where(IdempotencyKey.used_at < before)
        .returning(IdempotencyKey.id)
    ).all()
    return len(ids)
