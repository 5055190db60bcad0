"""TablePage: one list as page, rows, summary, timeline, newer and JSON, all from the same query module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy import Connection

from kamioi_web import list_parts, saved_views
from kamioi_web.api import lists
from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.figures import Figures, Subject
from kamioi_web.filters import end_of
from kamioi_web.list_request import PLACES, ListRequest, parse_list, single
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing, Place, Plan, Stream, count_up_to, fetch
from kamioi_web.paging.positions import END_OF_TIME, Positions, Span, Spans
from kamioi_web.paging.scan import Bound, Found, read_chunk
from kamioi_web.request_context import database_connection, database_of, settings_of
from kamioi_web.schema import ROLES
from kamioi_web.text import number_text

NEWER_COUNTED = 1_000
UNKNOWN = 2**62  # rows, where only so many could be read: no row is said to lie beyond the end


@dataclass(frozen=True)
class View:
    """One request's look at a list: what it asks for and how it is read."""

    connection: Connection
    request: ListRequest
    filters: Any
    figures: Figures
    limit: int


@dataclass(frozen=True)
class TablePage:
    """A list's page. `subject` is its query module, `cells` the module that shows its rows.

    `name` names its template, its JSON and, unless `path` says otherwise, its address; `noun` is what its rows are.
    `section` is the heading that it stands under in the navigation, `role` the least that may look at it.
    """

    name: str
    title: str
    subject: Subject
    cells: ModuleType
    path: str = ""
    rows_are: str = ""
    section: str = ""
    role: str = ROLES[0]
    api: str = ""  # its address under /api/admin, where that is another
    largest: int = 100  # rows of a page of the API
    under_data: bool = False  # the old clients look for its rows inside of “data”
    bulk: str = ""  # the address at which many of its rows are changed
    bulk_role: str = "operator"
    tools: Callable[[Any], dict[str, Any]] | None = None  # what NAME_tools.html, above the list, is told of its View

    @property
    def href(self) -> str:
        return self.path or f"/{self.name}"

    @property
    def noun(self) -> str:
        return self.rows_are or self.name

    @property
    def api_path(self) -> str:
        return f"/api/admin{self.api or self.href}"

    def register(self, pages: Blueprint) -> None:
        """Give the list its URLs, each behind its role."""
        guarded = require_role(self.role)
        for under, view in {
            "": self.show_page,
            "/rows": self.show_rows,
            "/summary": self.show_summary,
            "/timeline": self.show_timeline,
            "/newer": self.show_newer,
            ".json": self.show_json,
        }.items():
            endpoint = f"{self.name}{under}".replace(".", "/")
            pages.add_url_rule(self.href + under, endpoint=endpoint, view_func=guarded(view))

    # Views, in the order in which a browser asks for them.

    def show_page(self) -> Any:
        """The whole page, opened at the place that the URL names."""
        values = request.args.to_dict(flat=False)
        default, notice = saved_views.open_default(self) if not values else ("", "")
        if default:
            return redirect(default)
        whole = saved_views.take_whole(values)
        view = self._view(values, PLACES)
        if (whole and values) or any(not text.strip() for texts in values.values() for text in texts):
            given = [(name, text) for name in PLACES for text in values.get(name, []) if text.strip()]
            return redirect(view.request.link(*given))  # a form sends its empty fields too, and those it need not
        place, start, at = self._open(view)
        found = self.read(view, place)
        start = start or self._first_number(view, place, found)
        chunk = list_parts.chunk(self, view, place, found, start, "both")
        page = list_parts.page(self, view, chunk, found, at or (chunk["first"] if place.cursor else ""))
        page["notice"] = notice
        boxes = {"summary_html": self._box("summary", view, page), "timeline_html": self._box("timeline", view, page)}
        return self._render("page", chunk=chunk, page=page, **boxes)

    def show_rows(self) -> Any:
        """The rows beyond a cursor, as tbody elements."""
        values = request.args.to_dict(flat=False)
        view = self._view(values, ("after", "before", "from"))
        after, before = single(values, "after"), single(values, "before")
        if bool(after) == bool(before):
            raise BadRequest("Rows are read after a place or before one: give “after” or “before”.", "after")
        cursor = Cursor.parse(after or before, "after" if after else "before")
        place = Place("older" if after else "newer", cursor)
        start = list_parts.start_number(single(values, "from"))
        found = self.read(view, place)
        chunk = list_parts.chunk(self, view, place, found, start, place.direction)
        return self._render("rows", chunk=chunk, page=list_parts.fragment(self, view))

    def show_summary(self) -> Any:
        """The figures above the list."""
        view = self._view(request.args.to_dict(flat=False), ())
        page = list_parts.fragment(self, view)
        return self._render("summary", page=page, summary=list_parts.summary(self, view))

    def show_timeline(self) -> Any:
        """How the list lies in time."""
        view = self._view(request.args.to_dict(flat=False), ())
        page = list_parts.fragment(self, view)
        return self._render("timeline", page=page, timeline=list_parts.timeline(self, view))

    def show_newer(self) -> Any:
        """How many rows are newer than the page that asks."""
        values = request.args.to_dict(flat=False)
        since = Cursor.parse(single(values, "since"), "since")
        values["since"] = values.pop("date_since", [])  # here “since” is a place, and the date filter steps aside
        view = self._view(values, ())
        plan = self.subject.plan(view.connection, view.filters)
        count = 0
        if not plan.residual:
            count = count_up_to(view.connection, self.subject.LISTING, plan, Place("newer", since), NEWER_COUNTED + 1)
        page = list_parts.fragment(self, view, since=since)
        return self._render("newer", page=page | {"newer": list_parts.newer(view, count, NEWER_COUNTED)})

    def show_json(self) -> Any:
        """The list as JSON, in the shape that the old clients read."""
        return lists.show(self, request.args.to_dict(flat=False))

    def embed(self, values: dict[str, list[str]], limit: int, places: Sequence[Cursor] = ()) -> Markup:
        """The newest rows under a filter, or those of some places, inside another page; with a link to all of them."""
        view = replace(self._view(values, ()), limit=limit)
        place = Place()
        found = self._read_places(view, places) if places else self.read(view, place)
        exactly = view.figures.exactly()
        n = exactly.value.n if exactly else None
        everything = "Open as a list" if n == 1 else f"All {number_text(n)} {self.noun}" if n else f"All {self.noun}"
        html = self._html(
            "embedded",
            page=list_parts.fragment(self, view),
            chunk=list_parts.chunk(self, view, place, found, 1, "older"),
            href=view.request.link(),
            more=everything if found.rows and not places else "",
        )
        return Markup(html)  # noqa: S704 - the template has escaped it

    def _read_places(self, view: View, places: Sequence[Cursor]) -> Found:
        table = self.subject.LISTING.table
        moments = [place.at for place in places]
        few = Stream(None, (table.c.id.in_([place.id for place in places]),))
        plan = Plan((few,), min(moments), max(moments) + timedelta(microseconds=1))
        return Found(fetch(view.connection, self.subject.LISTING, plan, Place(), len(places)), False, None)

    # What the views share.

    def figures_of_all(self, view: View) -> Figures:
        """The figures of the whole list, whatever the filter."""
        return replace(view.figures, filters=self.subject.resolve(view.connection, {}))

    def counts(self, connection: Connection) -> dict[str, list[tuple[str, int]]]:
        """The values that the filter form offers, with the rows of each in the whole list."""
        aggregates = current_app.extensions["aggregates"]
        return aggregates.get(f"counts {self.name}", lambda: self.subject.counts(connection)).value

    def positions(self, view: View) -> Positions | None:
        """Where rows are in this list; None when neither totals nor a short index tell."""
        listing, plan = self.subject.LISTING, self.subject.plan(view.connection, view.filters)
        spans = view.figures.spans()
        if spans:
            return Positions(view.connection, listing, plan, spans.value, view.figures.refine())
        if plan.residual:
            return None
        sums = view.figures.sums().value
        everything: Span = (0, END_OF_TIME, sums.n if sums.reached is None else UNKNOWN)
        return Positions(view.connection, listing, plan, Spans([everything]))

    def _view(self, values: dict[str, list[str]], also: tuple[str, ...]) -> View:
        return self.view_of(parse_list(self.href, self.subject.PARAMETERS, values, also))

    def view_of(self, asked: ListRequest) -> View:
        """How the list is read for that; NotFound when a filter names what does not exist."""
        asked = replace(asked, whole=saved_views.whole_list(self.name))
        connection, settings = database_connection(), settings_of()
        filters = self.subject.resolve(connection, asked.given)
        aggregates = current_app.extensions["aggregates"]
        figures = Figures(connection, aggregates, self.subject, filters, settings.scan_ms)
        return View(connection, asked, filters, figures, settings.chunk_rows)

    def _open(self, view: View) -> tuple[Place, int | None, str]:
        """The place that the URL names, the number of its first row, and the cursor to mark."""
        asked = view.request
        if asked.page or asked.row:
            row = asked.row or ((asked.page or 1) - 1) * view.limit + 1
            return (Place(), 1, "") if row == 1 else (self.open_row(view, row), row, "")
        if asked.at:
            return Place(cursor=asked.at, inclusive=True), None, str(asked.at)
        if asked.before:
            return Place("newer", asked.before), None, ""
        beyond = asked.after or (Cursor(end_of(asked.date), 0) if asked.date else None)
        if beyond:
            return Place(cursor=beyond), None, ""
        return Place(), 1, ""

    def open_row(self, view: View, row: int) -> Place:
        """The place of that row, counted from 1; NotFound past the end, BadRequest where it cannot be told."""
        positions = self.positions(view)
        cursor = positions.place_of(row - 1) if positions else None
        if cursor is None:
            raise self._no_such_row(view, positions, row)
        return Place(cursor=cursor, inclusive=True)

    def _no_such_row(self, view: View, positions: Positions | None, row: int) -> Exception:
        if positions and row > positions.spans.total:
            total = positions.spans.total
            pages = max(1, -(-total // view.limit))
            return NotFound(f"There is no row {row:,}: the list has {total:,} rows on {pages:,} pages.")
        return BadRequest("Row and page numbers that far are not kept for this filter. Go by date instead.", "page")

    def _first_number(self, view: View, place: Place, found: Found) -> int | None:
        """The number of the first row that is shown, counted from 1; None where it cannot be told."""
        top = (found.rows[:1] if place.direction == "older" else found.rows[-1:]) or None
        positions = self.positions(view) if top else None
        newer = (
            positions.row_of(Cursor(getattr(top[0], self.subject.LISTING.at), top[0].id)) if top and positions else None
        )
        return None if newer is None else newer + 1

    def read(self, view: View, place: Place, listing: Listing | None = None) -> Found:
        """The rows of one page from that place on, as a page shows them or with the columns of another listing."""
        plan = self.subject.plan(view.connection, view.filters)
        bound = self._bound(view, plan)
        if plan.residual and place.direction == "older":
            cursor = view.figures.past_gap(place.cursor)
            place = replace(place, cursor=cursor, inclusive=place.inclusive and cursor == place.cursor)
        listing = listing or self.subject.LISTING
        return read_chunk(view.connection, listing, plan, place, view.limit, settings_of().scan_ms, bound)

    def _bound(self, view: View, plan: Plan) -> Bound | None:
        """What tells how far down so many rows reach, where the database has partitions to spare the planner."""
        if not (database_of().dialect.partitions and self.subject.LISTING.partitioned):
            return None
        spans = (self.figures_of_all(view) if plan.residual else view.figures).spans()
        return spans.value.low_bound if spans else None

    def _box(self, frame: str, view: View, page: dict[str, Any]) -> Markup:
        """A summary or a timeline inside the page, kept for some seconds; empty when it would cost a scan."""
        if frame == "summary" and not view.figures.covered:
            return self._markup(frame, page, None)
        make = {"summary": list_parts.summary, "timeline": list_parts.timeline}[frame]
        key = f"{frame} {self.name} {view.request.pairs}"
        return view.figures.aggregates.get(key, lambda: self._markup(frame, page, make(self, view))).value

    def _markup(self, frame: str, page: dict[str, Any], content: dict[str, Any] | None) -> Markup:
        return Markup(self._html(frame, page=page, **{frame: content}))  # noqa: S704 - the template has escaped it

    def _html(self, frame: str, **context: Any) -> str:
        return render_template(f"{self.name}.html", frame=f"table/{frame}.html", **context)

    def _render(self, frame: str, **context: Any) -> Response:
        response = current_app.make_response(self._html(frame, **context))
        if frame != "page":
            response.headers["X-Fragment"] = "1"
        return response
