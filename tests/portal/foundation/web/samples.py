"""A small slice over one table of its own, as plain as a slice can be: list, form, API."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Flask, flash, redirect, render_template_string, url_for
from jinja2 import DictLoader
from pydantic import Field

from portal.foundation import clock
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.audit import record
from portal.foundation.database import Amount, BigInt, Instant, db, enum_type, transaction
from portal.foundation.errors import Forbidden, NotFound, Refused
from portal.foundation.i18n import _l
from portal.foundation.steps import Look
from portal.foundation.web.actors import current_actor
from portal.foundation.web.api.blueprint import ApiBlueprint, listed
from portal.foundation.web.api.schemas import (
    AmountIn,
    Currency,
    In,
    InstantIn,
    InstantOut,
    MoneyOut,
    Name,
    Out,
    PageOut,
    PageQuery,
    Points,
)
from portal.foundation.web.forms import EditForm, Form, amount, day, long_text, text, whole_number
from portal.foundation.web.lists.columns import Column
from portal.foundation.web.lists.filters import (
    ChoiceFilter,
    ContainsFilter,
    DayFilter,
    StartsFilter,
    YesFilter,
)
from portal.foundation.web.lists.page import ListPage
from portal.foundation.web.policies import public, requires, signed_in
from portal.foundation.web.security import csrf

bp = Blueprint("samples", __name__, url_prefix="/samples")
api = ApiBlueprint("samples", __name__, tag="Samples")
tables = sa.MetaData()


class Mood(StrEnum):
    """How a sample is."""

    CALM = "calm"
    WILD = "wild"


MOODS = {Mood.CALM: Look(_l("Calm"), "ring"), Mood.WILD: Look(_l("Wild"), "dot", "bad")}

samples = sa.Table(
    "samples",
    tables,
    sa.Column("id", BigInt, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("note", sa.Text()),
    sa.Column("amount", Amount()),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("rank", BigInt),
    sa.Column("due_on", sa.Date()),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("mood", enum_type(Mood), nullable=False),
)
c = samples.c


class SampleList(ListPage):
    """Samples by name."""

    title = _l("Samples")
    key = c.id
    default_order = "name"
    empty_title = _l("No samples")
    page_size = 7
    columns = [
        Column("name", _l("Name"), c.name),
        Column("note", _l("Note"), c.note, nullable=True),
        Column("amount", _l("Amount"), c.amount, "money", currency=c.currency, nullable=True),
        Column("rank", _l("Rank"), c.rank, "number", nullable=True),
        Column("due_on", _l("Due"), c.due_on, "date", nullable=True, shown=False),
        Column("at", _l("At"), c.at, "instant"),
        Column("mood", _l("Mood"), c.mood, "badge", looks=MOODS),
    ]
    filters = [
        ContainsFilter("contains", _l("Contains"), (c.name, c.note)),
        StartsFilter("starts", _l("Starts with"), c.name),
        ChoiceFilter("mood", _l("Mood"), c.mood, MOODS),
        DayFilter("due_from", _l("Due from"), c.due_on),
        DayFilter("due_until", _l("Due until"), c.due_on, "until"),
        DayFilter("since", _l("Since"), c.at),
        YesFilter("late", _l("Late"), lambda: c.due_on < clock.today()),
    ]

    def select(self) -> sa.Select[Any]:
        """Return all samples."""
        return sa.select(c.id)

    def row_url(self, row: Any) -> str:
        """Return the address of a sample's form."""
        return url_for("samples.edit", sample_id=row.id)


class SampleForm(Form):
    """A field of each kind."""

    name = text(_l("Name"))
    note = long_text(_l("Note"), optional=True)
    amount = amount(_l("Amount"), optional=True)
    rank = whole_number(_l("Rank"), optional=True)
    due_on = day(_l("Due"), optional=True)


class SampleEditForm(EditForm):
    """A sample that others may change meanwhile."""

    name = text(_l("Name"))


LIST = """{% extends layout() %}{% from "components/table.html" import list_table %}
{% block content %}{{ list_table(page) }}{% endblock %}"""
FORM = """{% extends layout() %}{% from "components/form.html" import error_summary, form_rows %}
{% block content %}<form method="post" novalidate>{{ error_summary(form) }}{{ form_rows(form) }}
<button>Send</button></form>{% endblock %}"""


bp.jinja_loader = DictLoader({"samples/list.html": LIST})


def add_sample(actor: Actor, **values: Any) -> int:
    """Add a sample; refuses the name "refused"."""
    if values["name"] == "refused":
        raise Refused(_l("Not this name."), field="name", code="not_this_name", missing=["x"])
    defaults = {"currency": "EUR", "at": clock.now(), "mood": Mood.CALM}
    added = db.session.execute(sa.insert(samples).values(**(defaults | values)))
    record(actor, "settings.setting.changed", setting="sample", value=values["name"])
    return int(added.inserted_primary_key[0])


@bp.get("/")
@requires(signed_in)
def index() -> Any:
    """List the samples."""
    return SampleList(current_actor()).respond("samples/list.html")


@bp.route("/new", methods=["GET", "POST"])
@requires(signed_in)
def new() -> Any:
    """Add a sample."""
    form = SampleForm.from_request()
    if form.submitted():
        try:
            with transaction():
                add_sample(current_actor(), **form.values())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash("Added.")
            return redirect(url_for(".index"), 303)
    return render_template_string(FORM, form=form), form.status


@bp.route("/<int:sample_id>", methods=["GET", "POST"])
@requires(signed_in)
def edit(sample_id: int) -> Any:
    """Change a sample; its rank counts the changes."""
    row = db.session.execute(sa.select(samples).where(c.id == sample_id)).first()
    if row is None:
        raise NotFound
    form = SampleEditForm.from_request(name=row.name, version=row.rank)
    if form.submitted():
        try:
            with transaction() as session:
                now = sa.select(c.rank).where(c.id == sample_id).with_for_update()
                rank = session.scalar(now) or 0
                values = form.values()
                form.check_version(rank)
                change = sa.update(samples).where(c.id == sample_id)
                session.execute(change.values(rank=rank + 1, **values))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for(".index"), 303)
    return render_template_string(FORM, form=form), form.status


@bp.get("/broken/<kind>")
@public
def broken(kind: str) -> str:
    """Fail in one of the ways."""
    errors = {"refused": Refused(_l("No.")), "forbidden": Forbidden(), "missing": NotFound()}
    raise errors.get(kind, ValueError("the secret is swordfish"))


@bp.get("/origin")
@public
def origin() -> dict[str, str]:
    """Show what the request knows of its caller."""
    with transaction():
        record(SYSTEM, "settings.setting.changed", setting="origin", value="x")
    return {}


@bp.post("/upload")
@public
def upload() -> str:
    """Read a form."""
    from_form = Form.from_request()
    from_form.is_submitted()
    return "read"


def undeclared() -> str:
    """Stand without a policy."""
    return "open"


bp.add_url_rule("/undeclared", "undeclared", undeclared)


class SampleIn(In):
    """A sample to add."""

    name: Name
    amount: AmountIn | None = None
    currency: Currency = "EUR"
    rank: Points | None = None
    due_on: date | None = None
    at: InstantIn | None = None
    tags: Annotated[list[Name], Field(max_length=5)] = []


class SampleOut(Out):
    """A sample."""

    id: int
    name: str
    rank: int | None
    at: InstantOut
    amount: MoneyOut | None


def shown(row: Any) -> dict[str, Any]:
    """Return what the API says of a sample."""
    money = {"amount": row.amount, "currency": row.currency} if row.amount is not None else None
    return {"id": row.id, "name": row.name, "rank": row.rank, "at": row.at, "amount": money}


def _add(body: SampleIn) -> dict[str, Any]:
    with transaction() as session:
        values = body.model_dump(exclude_none=True, exclude={"tags"})
        key = add_sample(current_actor(), **values)
        row = session.execute(sa.select(samples).where(c.id == key)).one()
        return shown(row)


@api.post("/samples")
@requires(signed_in)
@api.input(SampleIn, arg_name="body")
@api.output(SampleOut, status_code=201)
def add(body: SampleIn) -> dict[str, Any]:
    """Add a sample."""
    return _add(body)


@api.post("/valuable-samples", moves_value=True)
@requires(signed_in)
@api.input(SampleIn, arg_name="body")
@api.output(SampleOut, status_code=201)
def add_valuable(body: SampleIn) -> dict[str, Any]:
    """Add a sample of value."""
    return _add(body)


@api.post("/failing-samples")
@requires(signed_in)
@api.input(SampleIn, arg_name="body")
@api.output(SampleOut, status_code=201)
def add_failing(body: SampleIn) -> dict[str, Any]:
    """Add a sample, then fail; unless the name is "fine"."""
    added = _add(body)
    if body.name != "fine":
        raise ValueError("a bug")
    return added


@api.get("/samples")
@requires(signed_in)
@api.input(PageQuery, location="query", arg_name="query")
@api.output(PageOut[SampleOut])
def list_samples(query: PageQuery) -> dict[str, Any]:
    """List the samples."""
    found, next_cursor = listed(sa.select(SampleRow), SampleRow.id, query)
    return {"items": [shown(row) for row in found], "next_cursor": next_cursor}


class SampleRow:
    """A sample as `listed` reads it."""


sa.orm.registry(metadata=tables).map_imperatively(SampleRow, samples)


def install(app: Flask) -> None:
    """Add the samples to an application."""
    app.register_blueprint(bp)
    app.register_blueprint(api)
    csrf.exempt(api)
