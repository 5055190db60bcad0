"""A list as JSON: what it takes and what it answers. Pages by number (through positions, at any depth) or by cursor."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import jsonify

from kamioi_web.api.answers import Meta, Pagination
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.filters import Parameter, number, one_of, parse_filters, refuse_unknown, taking
from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place
from kamioi_web.schema import ACCOUNT_TYPES

if TYPE_CHECKING:
    from kamioi_web.table_page import TablePage, View

DEFAULT_LIMIT = 50
ALL = "all"  # the old clients' word for a filter that is not used
DAYS = {"week": 7, "month": 30, "quarter": 90}


@taking(description="The nearest of 1 to the largest page is taken, and meta.notes says so.", type="integer")
def limit(text: str, name: str) -> int:
    """A reader of how many rows a page holds."""
    if re.fullmatch(r"-?[0-9]+", text, re.ASCII):
        return int(text[:20])
    raise BadRequest(f"“{text[:40]}” is not a number that “{name}” takes: 1, 2, 3 and so on.", name)


cursor = taking(
    description="A place in the list: the “cursor” of a row, or “next_cursor” of the page before.",
    pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z~[0-9]{1,19}$",
    format="cursor",
    examples=["2024-03-14T09:49:13.123456Z~42"],
)(Cursor.parse)


@dataclass(frozen=True)
class OtherName(Parameter):
    """Another name of the parameter `of`, as old clients use it; `turn` makes its value, None when that stays open."""

    of: str = ""
    turn: Callable[[Any], Any] = lambda value: value


PLACES = (
    Parameter("page", "Page, from 1", number),
    Parameter("cursor", "Page that begins after this place, instead of “page”", cursor),
    Parameter("limit", "Rows of a page", limit),
    OtherName("per_page", "Rows of a page", limit, of="limit"),
)


def parameters_of(table: "TablePage") -> tuple[Parameter, ...]:
    """Everything that a list takes: its filters, what the old clients call some of them, and the page."""
    own = {parameter.name: parameter for parameter in table.subject.PARAMETERS}
    searched, accounts = table.cells.SEARCH[0], one_of((ALL, "user", *ACCOUNT_TYPES))
    others = (
        OtherName("search", "Search", own[searched].read, of=searched),
        OtherName("dashboard", "Account", accounts, many=True, of="account_type", turn=_account_types),
        OtherName("dateFilter", "Age", one_of((ALL, *DAYS)), of="since", turn=_since),
    )
    return (
        *(_taking_all(parameter) if parameter.name == "status" else parameter for parameter in own.values()),
        *(parameter for parameter in others if parameter.of in own and parameter.name not in own),
        *PLACES,
    )


def show(table: "TablePage", values: Mapping[str, list[str]]) -> Any:
    """The answer: rows, the exact total, where the next page begins, and the figures of the filter."""
    given = _read_query(parameters_of(table), values)
    asked = {parameter.name: given.pop(parameter.name, None) for parameter in PLACES}
    rows, notes = _fitting(asked["limit"], table.largest)
    view = replace(table.view_of(ListRequest(table.href, given, ())), limit=rows)
    return jsonify(_answer(table, view, asked["page"], asked["cursor"], notes))


def _read_query(parameters: Sequence[Parameter], values: Mapping[str, list[str]]) -> dict[str, Any]:
    """What is given, under our names; BadRequest names what is unknown, malformed or given twice."""
    refuse_unknown(values, [parameter.name for parameter in parameters])
    given = parse_filters(parameters, values)
    for parameter in parameters:
        if not isinstance(parameter, OtherName) or parameter.name not in given:
            continue
        value = parameter.turn(given.pop(parameter.name))
        if value is not None and parameter.of in given:
            raise BadRequest(
                f"“{parameter.name}” is another name of “{parameter.of}”; give one of them.", parameter.name
            )
        given |= {parameter.of: value} if value is not None else {}
    if "page" in given and "cursor" in given:
        raise BadRequest("“page” and “cursor” both name a place; give one.", "cursor")
    if ALL in given.get("status", ()):
        del given["status"]
    return given


def _taking_all(parameter: Parameter) -> Parameter:
    return replace(parameter, read=one_of((*parameter.read.takes["enum"], ALL)))


def _account_types(words: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if ALL in words else tuple("individual" if word == "user" else word for word in words)


def _since(word: str) -> date | None:
    return None if word == ALL else datetime.now(UTC).date() - timedelta(days=DAYS[word])


def _fitting(wanted: int | None, largest: int) -> tuple[int, list[str]]:
    """The rows of a page, and a note where it is not what was asked for."""
    if wanted is None:
        return min(DEFAULT_LIMIT, largest), []
    taken = min(largest, max(1, wanted))
    return taken, [] if taken == wanted else [f"limit {wanted} was taken as {taken}; it goes from 1 to {largest}"]


def _answer(
    table: "TablePage", view: "View", page: int | None, after: Cursor | None, notes: list[str]
) -> dict[str, Any]:
    page = None if after else page or 1
    place = Place(cursor=after) if after else _page(table, view, page or 1)
    found = table.read(view, place, table.subject.WHOLE_LISTING) if place else None
    rows = found.rows if found else []
    more = found.resume if found and found.more else None
    beside = table.subject.beside(view.connection, rows)
    exactly = view.figures.exactly()
    total = exactly.value.n if exactly else None
    meta = _meta(page, view.limit, total, more)
    meta |= {"searched_to": str(more) if more and found and found.searched else None, "notes": notes}
    content = {
        table.name: [table.cells.as_json(row, beside) for row in rows],
        "total": total,
        "pagination": _pagination(meta, more),
    }
    stats = table.cells.stats(view.figures)
    return {"success": True, **({"data": content} if table.under_data else content), "meta": meta, "stats": stats}


def _meta(page: int | None, rows: int, total: int | None, more: Cursor | None) -> Meta:
    return {
        "page": page,
        "per_page": rows,
        "total": total,
        "total_pages": max(1, -(-total // rows)) if total is not None else None,
        "has_next": more is not None,
        "has_prev": page is None or page > 1,
        "exact": total is not None,
        "searched_to": None,
        "notes": [],
    }


def _pagination(meta: Meta, more: Cursor | None) -> Pagination:
    return {
        "page": meta["page"],
        "limit": meta["per_page"],
        "total": meta["total"],
        "totalPages": meta["total_pages"],
        "pages": meta["total_pages"],
        "has_next": meta["has_next"],
        "has_prev": meta["has_prev"],
        "next_cursor": str(more) if more else None,
    }


def _page(table: "TablePage", view: "View", page: int) -> Place | None:
    """Where that page begins; None past the end, which to the old clients is an empty page."""
    if page == 1:
        return Place()
    try:
        return table.open_row(view, (page - 1) * view.limit + 1)
    except NotFound:
        return None
