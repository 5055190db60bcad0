"""The parts of a list's page, as its templates take them: the chunk, the chips, the timeline, the JSON."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import g

from kamioi_web import saved_views
from kamioi_web.actions.preferences import of_page
from kamioi_web.exporting.formats import offered
from kamioi_web.figures import Sums
from kamioi_web.filters import number
from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place
from kamioi_web.paging.positions import Spans
from kamioi_web.paging.scan import Found, read_chunk
from kamioi_web.queries import merchants, search_words
from kamioi_web.schema import EPOCH, to_micros
from kamioi_web.text import LABELS, STATUS_LABELS, age_text, day_text, number_text, rough
from kamioi_web.timeline import bars

if TYPE_CHECKING:
    from kamioi_web.table_page import TablePage, View

MOST_LIKELIER = 3
EXPORT_ROLE = "reviewer"
BEFORE_ALL = Cursor(EPOCH, 0)  # no row is older


def chunk(
    table: "TablePage", view: "View", place: Place, found: Found, start: int | None, direction: str
) -> dict[str, Any]:
    """The rows of one answer with the links that go on from both of its ends."""
    listing = table.subject.LISTING
    beside = table.subject.beside(view.connection, found.rows)
    rows = list(found.rows)[:: -1 if place.direction == "newer" else 1]
    ends = [Cursor(getattr(row, listing.at), row.id) for row in (rows[:1] + rows[-1:])]
    first, last = (ends[0], ends[-1]) if ends else (place.cursor, place.cursor)
    parts: dict[str, Any] = {
        "rows": table.cells.present(rows, _end_of_query(view), start, beside),
        "first": str(ends[0]) if ends else "",
        "last": str(ends[-1]) if ends else "",
        "start": start,
        "direction": direction,
        "end": "",
        "searched": None,
    }
    beyond = {"older": last, "newer": first} | ({place.direction: found.resume} if found.resume else {})
    inside = direction == "both" and place.cursor is not None and place.cursor != BEFORE_ALL
    going = {"older": inside, "newer": inside or place.cursor == BEFORE_ALL}
    going[place.direction] = found.more
    for side, parameter in (("newer", "before"), ("older", "after")):
        parts |= _link(view, side, parameter, beyond[side] if going.get(side) else None, start, len(rows))
    if not going["older"] and direction != "newer":
        parts["end"] = end_text(view, start, len(rows))
    if found.searched and found.resume:
        parts["searched"] = _searched(table, view, found)
    return parts


def _link(view: "View", side: str, parameter: str, at: Cursor | None, start: int | None, n: int) -> dict[str, Any]:
    if at is None:
        return {f"{side}_rows": None, f"{side}_href": None}
    number_there = None if start is None else start + n if side == "older" else max(1, start - view.limit)
    counted = (("from", number_there),) if number_there else ()
    rows = view.request.link((parameter, at), *counted, under="/rows")
    return {f"{side}_rows": rows, f"{side}_href": view.request.link((parameter, at))}


def start_number(text: str) -> int | None:
    """The row number that a page passes on to the rows it asks for."""
    return number(text, "from") if text else None


def end_text(view: "View", start: int | None, shown: int) -> str:
    """What the last row of the list says."""
    if start is None:
        return "End of the list."
    total = start - 1 + shown
    return f"End of the list: {number_text(total)} {'row' if total == 1 else 'rows'}." if total else "Nothing matches."


def _searched(table: "TablePage", view: "View", found: Found) -> dict[str, Any]:
    """How far a bounded scan has come in time and in rows of the whole list."""
    assert found.resume is not None
    everything = table.figures_of_all(view).spans()
    spans = everything.value if everything else Spans([])
    passed = spans.around(to_micros(found.resume.at))[2]
    day = day_text(found.resume.at.date().isoformat())
    n = len(found.rows)
    text = f"Searched back to {day}: {rough(passed)} of {rough(spans.total)} rows, {n} found here"
    return {"text": text, "share": round(passed / max(1, spans.total), 3)}


def page(table: "TablePage", view: "View", rows: Mapping[str, Any], found: Found, at: str) -> dict[str, Any]:
    """Everything around the rows."""
    asked = view.request
    total = _total(view, found, rows)
    fields = table.cells.fields(asked, table.counts(view.connection))
    in_form = {field.get(name) for field in fields for name in ("name", "low_name", "high_name")}
    searched, _ = table.cells.SEARCH
    return fragment(table, view, since=_newest(table, view, rows)) | {
        "total": total,
        "chunk": rows,
        "at": at,
        "position": _position(view, rows, total),
        "chips": [
            {"label": label, "value": value, "remove_href": asked.link(without=names)}
            for label, value, names in table.cells.chips(asked)
        ],
        "tabs": _tabs(table, view),
        "pairs": asked.pairs,
        "tools": table.tools(view) if table.tools else None,
        "statuses": list(STATUS_LABELS.items()),
        "clear_href": asked.all_href if asked.pairs else None,
        "views": saved_views.offered(table, view.connection, asked),
        "fields": fields,
        "kept": [pair for pair in (*asked.pairs, *asked.whole) if pair[0] not in in_form],
        "search": {
            "in": table.name,
            "value": dict(asked.pairs).get(searched, ""),
            "kept": [pair for pair in asked.pairs if pair[0] not in (searched, f"{searched}_id")],
        },
        "query": asked.link().partition("?")[2] if asked.pairs else "",
        "formats": offered() if g.admin.may(EXPORT_ROLE) else [],
        "jump": {"action": asked.href, "kept": asked.pairs, "date": "", "page": ""},
        "newest_href": asked.link(),
        "oldest_href": asked.link(("before", BEFORE_ALL)),
        "newer": None,
        "empty": _empty(table, view, rows),
    }


def _tabs(table: "TablePage", view: "View") -> list[dict[str, Any]]:
    """The statuses that stand above a list as links, with the rows of each under the other filters where those are
    kept; none for a list that offers no TABS."""
    statuses = getattr(table.cells, "TABS", ())
    if not statuses:
        return []
    counts = replace(view.figures, filters=replace(view.filters, status=())).split("status")
    tabs: list[dict[str, Any]] = []
    for name in (*statuses, "all"):
        values = () if name == "all" else (name,)
        n = sum(n for status, n in (counts or {}).items() if status in (values or counts or ()))
        tabs.append({
            "label": LABELS.get(name, name).capitalize(),
            "count": "" if counts is None else number_text(n),
            "href": view.request.link(*(("status", value) for value in values), without=("status",)),
            "current": view.request.given.get("status", ()) == values,
        })  # fmt: skip
    return tabs


def fragment(table: "TablePage", view: "View", since: Cursor | None = None) -> dict[str, Any]:
    """What the frames of fragments know of their page."""
    asked = view.request
    chosen, shown = of_page(g.admin.preferences, table.name), shown_columns(table)
    return {
        "name": table.name,
        "title": table.title,
        "noun": table.noun,
        "href": asked.href,
        "rows_href": asked.link(under="/rows"),
        "summary_href": asked.link(under="/summary"),
        "timeline_href": asked.link(under="/timeline"),
        "newer_href": _newer_href(asked, since) if since else "",
        "preferences_href": "/preferences",
        "bulk_href": table.bulk if table.bulk and g.admin.may(table.bulk_role) else "",
        "columns": [
            {
                "key": key,
                "label": label,
                "shown": key in shown,
                "fixed": key in table.cells.FIXED,
            }
            for key, label in table.cells.COLUMNS.items()
        ],
        "density": chosen.get("density", "comfortable"),
        "newer": None,
    }


def shown_columns(table: "TablePage") -> list[str]:
    """The keys of the columns that the admin sees, in their order."""
    columns, hidden, fixed = table.cells.COLUMNS, table.cells.HIDDEN, table.cells.FIXED
    chosen = of_page(g.admin.preferences, table.name).get("columns") or [key for key in columns if key not in hidden]
    return [key for key in columns if key in chosen or key in fixed]


def _newer_href(asked: ListRequest, since: Cursor) -> str:
    date = [("date_since", text) for name, text in asked.pairs if name == "since"]
    return asked.link(("since", since), *date, without=("since",), under="/newer")


def newer(view: "View", count: int, most: int) -> dict[str, Any] | None:
    """The notice of newer rows; None while there are none."""
    if not count:
        return None
    text = f"{number_text(count)} newer" if count <= most else f"more than {number_text(most)} newer"
    return {"count": count, "text": text, "href": view.request.link()}


def summary(table: "TablePage", view: "View") -> dict[str, Any]:
    """The tiles, the currencies to choose from, and how old and how exact the figures are."""
    aged = view.figures.sums()
    sums = aged.value
    currency = dict(view.request.pairs).get("currency") or sums.currency
    reached = f"read back to {day_text(sums.reached.at.date().isoformat())}" if sums.reached else ""
    return {
        "tiles": table.cells.tiles(view.figures, view.request, sums, currency),
        "age": age_text(aged.age),
        "label": "at least" if sums.reached else "exact",
        "note": reached,
        "currencies": _currencies(view, sums, currency),
    }


def _currencies(view: "View", sums: Sums, current: str) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for _, code, n, *_ in sums.rows:
        counts[code] = counts.get(code, 0) + n
    if len(counts) < 2:
        return []
    return [
        {
            "code": code,
            "text": f"{number_text(n)} rows in {code}",
            "href": view.request.link(("currency", code), without=("currency",)),
            "current": code == current,
        }
        for code, n in sorted(counts.items(), key=lambda item: -item[1])
    ]


def timeline(table: "TablePage", view: "View") -> dict[str, Any] | None:
    """The bars of the filter's own days or months, or of the whole list where those are not kept."""
    aged = view.figures.spans()
    note = "" if aged else "all rows; this filter's own are not kept by day"
    aged = aged or table.figures_of_all(view).spans()
    if aged is None or not aged.value.spans:
        return None
    found = bars(aged.value, lambda day: view.request.link(("date", day)))
    return found | {"note": note, "age": age_text(aged.age)}


def _total(view: "View", found: Found, rows: Mapping[str, Any]) -> dict[str, Any]:
    """The number of rows: exact from the totals or when all of them are here, else at least those seen."""
    aged = view.figures.exactly()
    if aged:
        n, exact, age = aged.value.n, True, age_text(aged.age)
    else:
        n, age = (rows["start"] or 1) - 1 + len(found.rows), ""
        exact = not found.more and rows["start"] == 1
    return {"n": n, "text": number_text(n), "exact": exact, "label": "exact" if exact else "at least", "age": age}


def _position(view: "View", rows: Mapping[str, Any], total: Mapping[str, Any]) -> dict[str, str]:
    start, n = rows["start"], len(rows["rows"])
    if start is None or not n:
        return {"text": "", "page": "", "note": ""}
    of = f" of {total['text']}" if total["exact"] else ""
    text = f"Rows {number_text(start)} – {number_text(start + n - 1)}{of}"
    return {"text": text, "page": number_text((start - 1) // view.limit + 1), "note": ""}


def _newest(table: "TablePage", view: "View", rows: Mapping[str, Any]) -> Cursor | None:
    """The newest row when the page was made; what comes above it later is news."""
    if rows["start"] == 1 and rows["first"]:
        return Cursor.parse(rows["first"], "at")
    plan = table.subject.plan(view.connection, view.filters)
    if plan.residual:
        return None
    spans = view.figures.spans()
    place = Place(low=spans.value.low_bound(None, 2) if spans else None)
    return read_chunk(view.connection, table.subject.LISTING, plan, place, 1, 0).resume


def _empty(table: "TablePage", view: "View", rows: Mapping[str, Any]) -> dict[str, Any] | None:
    if rows["rows"] or rows["searched"] or rows["newer_rows"]:
        return None
    if not view.request.pairs:
        return {"message": f"There are no {table.noun} yet.", "suggestions": []}
    suggestions = [
        {"label": f"Remove {label}: {value}", "href": view.request.link(without=names)}
        for label, value, names in table.cells.chips(view.request)
    ]
    return {"message": f"No {table.noun} match.", "suggestions": [*_likelier(table, view), *suggestions]}


def _likelier(table: "TablePage", view: "View") -> list[dict[str, str]]:
    """The same list with a word in place of one that no merchant has."""
    name, among = table.cells.SEARCH
    text = view.request.given.get(name)
    if not text or among != "merchants" or merchants.matching(view.connection, text, 0) != ():
        return []
    return [
        {"label": f"Did you mean {other}?", "href": view.request.link((name, other), without=(name,))}
        for other, _ in search_words.corrections(view.connection, text, 0, MOST_LIKELIER)
    ]


def _end_of_query(view: "View") -> str:
    query = view.request.link().partition("?")[2]
    return f"&{query}" if query else ""
