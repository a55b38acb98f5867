"""ListPage: one subclass a list; the page, its state in the address, and its files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from flask import Response, render_template, request, url_for
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from portal.foundation import i18n
from portal.foundation.actors import Actor
from portal.foundation.database import db
from portal.foundation.i18n import LazyText, _, _l, number_text
from portal.foundation.web.keys import keys_of
from portal.foundation.web.lists import cursor, files, saved
from portal.foundation.web.lists.columns import Cell, Column
from portal.foundation.web.lists.filters import Filter

PAGE_SIZE = 50
COUNT_CAP = 1_000
MOST_PICKED = 1_000
MOST_REMEMBERED = 500
EDGES = frozenset({"after", "before"})
_remembered: dict[tuple[Any, ...], str] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """A drawn row: its key, the address of its page, its cells."""

    id: int
    url: str | None
    cells: list[Cell]
    phone: dict[str, Cell]

    def drawn(self, classes: list[str]) -> Markup:
        """Return the row's cells for a table, each with the class of its column."""
        pairs = zip(classes, self.cells, strict=True)
        cells = (f'<td class="{escape(name)}">{cell.drawn()}</td>' for name, cell in pairs)
        return Markup("".join(cells))  # noqa: S704 - every part is escaped


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, and the address without it."""

    label: LazyText
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Tab:
    """A ready-made or saved view: a label and an address."""

    label: Any
    url: str
    current: bool
    count: int | None = None
    view_id: int | None = None


@dataclass(slots=True)
class Head:
    """A column's head: how it sorts now, and the address that sorts by it."""

    key: str
    label: LazyText
    numeric: bool
    sortable: bool
    sort_url: str
    sorted: str | None
    kind: str = "text"


@dataclass
class ListPage:
    """Base of every list.

    Subclasses say: title, columns (the first is the link), filters, default_order (a column's key,
    "-" before it to descend), views (label → query parameters), empty_title and empty_reason, and
    implement `select` (a select of the entity with `visible_to` applied and every join that the
    columns need) and `row_url`. `key` is the unique column that ends every order.
    """

    actor: Actor
    context: dict[str, Any] = field(default_factory=dict)

    title: ClassVar[LazyText | str] = ""
    columns: ClassVar[list[Column]] = []
    filters: ClassVar[list[Filter]] = []
    default_order: ClassVar[str] = ""
    views: ClassVar[list[tuple[LazyText, dict[str, str]]]] = []
    bulk: ClassVar[list[tuple[LazyText, str]]] = []
    key: ClassVar[Any] = None
    empty_title: ClassVar[LazyText | str] = _l("Nothing here yet")
    empty_reason: ClassVar[LazyText | str] = ""
    empty_action: tuple[Any, str] | None = None
    page_size: ClassVar[int] = PAGE_SIZE

    def select(self) -> Select[Any]:
        """Return the rows that the actor may see, joined with what the columns need."""
        raise NotImplementedError

    def row_url(self, row: Any) -> str | None:
        """Return the address of a row's page; `row.id` is its key."""
        return None

    def extra_columns(self) -> list[ColumnElement[Any]]:
        """Return further expressions that cells or addresses need."""
        return []

    def respond(self, template: str, **context: Any) -> str | Response:
        """Answer the request: the page, its rows alone for HTMX, or a CSV or XLSX file."""
        file_format = request.args.get("format")
        self.prepare()
        if file_format in {"csv", "xlsx"}:
            return files.answer(self, file_format)
        self.load()
        return render_template(template, page=self, **context)

    def prepare(self) -> None:
        """Read filters, order and columns from the address."""
        args = request.args
        self.values = {}
        for one in self.filters:
            value = one.read(args.getlist(one.key))
            if value is not None:
                self.values[one.key] = value
        self.picked = keys_of(args.getlist("ids"))[:MOST_PICKED]
        by_key = {column.key: column for column in self.columns}
        wanted = args.get("order", self.default_order)
        if wanted.lstrip("-") not in by_key or not by_key[wanted.lstrip("-")].sortable:
            wanted = self.default_order
        self.order_key, self.descending = wanted.lstrip("-"), wanted.startswith("-")
        chosen = [key for key in ",".join(args.getlist("columns")).split(",") if key in by_key]
        shown = [by_key[key] for key in chosen] or [c for c in self.columns if c.shown]
        first = self.columns[0]
        self.shown = [first, *(column for column in shown if column is not first)]

    def filtered(self) -> Select[Any]:
        """Return the select with the filters of the address."""
        select = self.select()
        for one in self.filters:
            if one.key in self.values:
                select = select.where(*one.conditions(self.values[one.key]))
        if self.picked:
            select = select.where(type(self).key.in_(self.picked))
        return select

    def order(self) -> list[tuple[ColumnElement[Any], bool]]:
        """Return the order as expressions, each with whether it descends; the key ends it."""
        column = next(c for c in self.columns if c.key == self.order_key)
        order: list[tuple[ColumnElement[Any], bool]] = []
        if column.nullable:
            order.append((column.expression.is_(None), False))
        if column.expression is not type(self).key:
            order.append((column.expression, self.descending))
        return [*order, (type(self).key, self.descending)]

    def selected(self, columns: list[Column]) -> list[ColumnElement[Any]]:
        """Return the expressions of `columns` with the key and the extra ones."""
        found = [type(self).key.label("id"), *self.extra_columns()]
        for column in columns:
            found.extend(column.selected())
        return found

    def load(self) -> None:
        """Read one page of rows, by keyset from the edge that the address names."""
        order = self.order()
        names = [f"o_{index}" for index in range(len(order))]
        edges = [expression.label(name) for (expression, _), name in zip(order, names, strict=True)]
        select = self.filtered().with_only_columns(*self.selected(self.shown), *edges)
        before = request.args.get("before")
        backwards = bool(before)
        word = before or request.args.get("after")
        start = 1
        if word:
            types = [sa.Integer(), *(expression.type for expression, _ in order)]
            start, *values = cursor.unpack(word, types)
            start = max(1, start or 1)
            walk = [(e, not d) for e, d in order] if backwards else order
            select = select.where(cursor.beyond(walk, values))
        ways = [(e, d != backwards) for e, d in order]
        select = select.order_by(*(e.desc() if d else e.asc() for e, d in ways))
        found = db.session.execute(select.limit(self.page_size + 1)).all()
        more = len(found) > self.page_size
        found = found[: self.page_size]
        if backwards:
            found = found[::-1]
            start = max(1, start - len(found))
        self.rows = [self._row(row) for row in found]
        self.count = self.count_up_to(COUNT_CAP + 1)
        self.start = start
        has_previous = more if backwards else start > 1
        has_next = True if backwards else more
        self.previous_url = self.next_url = None
        if found and has_previous:
            edge = cursor.pack([start, *(getattr(found[0], name) for name in names)])
            self.previous_url = self.url(before=edge, after=None)
        if found and has_next:
            edge = cursor.pack([start + len(found), *(getattr(found[-1], n) for n in names)])
            self.next_url = self.url(after=edge, before=None)

    def _row(self, row: Any) -> Row:
        url = self.row_url(row)
        cells, phone = [], {}
        for index, column in enumerate(self.shown):
            cell = column.cell(row)
            if index == 0 and url:
                cell = Cell("link", cell.value, cell.text, url)
            cells.append(cell)
            if column.phone != "none":
                phone[column.phone] = cell
        return Row(row.id, url, cells, phone)

    def count_up_to(self, most: int) -> int:
        """Return how many rows there are, `most` when there are more."""
        # The key and not a constant: without a column the select would lose its table.
        inner = self.filtered().with_only_columns(type(self).key).order_by(None).limit(most)
        return db.session.scalar(sa.select(sa.func.count()).select_from(inner.subquery())) or 0

    def url(self, **changes: str | None) -> str:
        """Return the address of this list with some parameters changed; None takes one away."""
        args: dict[str, list[str]] = {k: v for k, v in request.args.lists() if any(v)}
        for key, value in changes.items():
            args.pop(key, None)
            if value is not None:
                args[key] = [value]
        return self._address(args)

    @cached_property
    def _path(self) -> str:
        return url_for(request.endpoint or "", **(request.view_args or {}))

    def _address(self, args: Mapping[str, Any]) -> str:
        # Not url_for: it takes names such as _external or _scheme from whoever wrote the address.
        return f"{self._path}?{urlencode(args, doseq=True)}" if args else self._path

    def remembered(self, draw: Callable[["ListPage"], str]) -> str:
        """Return what `draw` makes of this list, remembered for its language and address.

        For parts that depend on nothing else: the filters with their choices, unless those are
        read from the database.
        """
        if any(callable(getattr(one, "choices", None)) for one in self.filters):
            return draw(self)
        args = tuple(pair for pair in request.args.items(multi=True) if pair[0] not in EDGES)
        key = (type(self), request.path, i18n.language(), args)
        found = _remembered.get(key)
        if found is None:
            if len(_remembered) >= MOST_REMEMBERED:
                _remembered.clear()
            found = _remembered[key] = draw(self)
        return found

    @cached_property
    def heads(self) -> list[Head]:
        """Return the heads of the shown columns."""
        found = []
        for column in self.shown:
            now = None
            if column.key == self.order_key:
                now = "desc" if self.descending else "asc"
            order = column.key if now == "desc" or (now is None and not column.numeric) else None
            url = self.url(order=order or f"-{column.key}", after=None, before=None)
            found.append(
                Head(
                    column.key, column.label, column.numeric, column.sortable, url, now, column.kind
                )
            )
        return found

    @property
    def chips(self) -> list[Chip]:
        """Return the filters in force."""
        return [
            Chip(
                one.label,
                one.words(self.values[one.key]),
                self.url(**{one.key: None, "after": None, "before": None}),
            )
            for one in self.filters
            if one.key in self.values
        ]

    @cached_property
    def tabs(self) -> list[Tab]:
        """Return the ready-made views; the one in force is marked."""
        now = {key: value for key, value in request.args.items() if key in self.filter_keys}
        found = []
        for label, parameters in self.views:
            state = {key: v for key, v in parameters.items() if key in self.filter_keys}
            found.append(Tab(label, self._address(parameters), state == now))
        kept = saved.lasting(request.query_string.decode("utf-8", "replace"))
        for view in self._own_views:
            address = self._address(dict(parse_qsl(view.query)))
            is_current = view.query == kept
            if is_current:
                found = [replace(tab, current=False) for tab in found]
            found.append(Tab(view.name, address, is_current, view_id=view.id))
        return found

    @cached_property
    def _own_views(self) -> list[saved.SavedView]:
        return saved.saved_views(self.actor, request.endpoint or "")

    @property
    def may_be_saved(self) -> bool:
        """Return whether the reader may keep the present view: not one that is there already."""
        is_plain = not request.view_args and self.actor.is_signed_in
        return is_plain and not self.actor.viewing_as and not any(t.current for t in self.tabs)

    @cached_property
    def filter_keys(self) -> set[str]:
        """Return the parameters that are filters."""
        return {one.key for one in self.filters}

    @property
    def filter_form(self) -> FlaskForm:
        """Return the filters as a GET form."""
        fields: dict[str, Any] = {one.key: one.field() for one in self.filters}
        fields["Meta"] = type("Meta", (), {"csrf": False})
        return type("FilterForm", (FlaskForm,), fields)(formdata=request.args)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return the parameters that the filter form must carry along."""
        items = request.args.items(multi=True)
        return [(key, value) for key, value in items if key in {"order", "columns"} and value]

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        """Return the parameters that the choice of columns must carry along."""
        gone = {"columns", "after", "before"}
        return [(k, v) for k, v in request.args.items(multi=True) if k not in gone and v]

    @property
    def count_text(self) -> str:
        """Return how many rows there are, "1,000+" beyond the cap."""
        if self.count > COUNT_CAP:
            return _("%(count)s+", count=number_text(COUNT_CAP))
        return number_text(self.count)

    @property
    def range_text(self) -> str:
        """Return which rows the page shows, such as 1–50 of 1,284."""
        if not self.rows:
            return ""
        return _(
            "%(first)s–%(last)s of %(count)s",
            first=number_text(self.start),
            last=number_text(self.start + len(self.rows) - 1),
            count=self.count_text,
        )

    @property
    def export_urls(self) -> dict[str, str]:
        """Return the addresses of the list as files."""
        cut: dict[str, str | None] = {"after": None, "before": None}
        return {
            "CSV": self.url(format="csv", **cut),
            "XLSX": self.url(format="xlsx", **cut),
        }

    @property
    def column_choice(self) -> list[tuple[str, LazyText, bool]]:
        """Return every column with whether it is shown."""
        return [(c.key, c.label, c in self.shown) for c in self.columns]

    @property
    def is_filtered(self) -> bool:
        """Return whether any filter is in force."""
        return bool(self.values)
