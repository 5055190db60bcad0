"""A list as JSON. Pages of at most 100 by number (through positions, at any depth) or by cursor."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.filters import number
from kamioi_web.list_request import single
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place
from kamioi_web.paging.scan import Found, read_chunk
from kamioi_web.request_context import settings_of

if TYPE_CHECKING:
    from kamioi_web.table_page import TablePage, View

LARGEST_PAGE = 100
DEFAULT_LIMIT = 50
DATE_FILTERS = {"week": 7, "month": 30, "quarter": 90}

Values = dict[str, list[str]]


def legacy_parameters(values: Values, searched: str) -> tuple[Values, list[str]]:
    """The old clients' names and words as ours, and notes on what was changed: per_page, dashboard, dateFilter, all.

    `searched` is the list's own name of their “search”.
    """
    notes: list[str] = []
    renamed = {"per_page": "limit", "search": searched}
    found = {renamed.get(name, name): texts for name, texts in values.items() if texts != ["all"]}
    if len(found) < len([texts for texts in values.values() if texts != ["all"]]):
        raise BadRequest(
            f"“per_page” is another name of “limit”, and “search” of “{searched}”; give one of them.", "limit"
        )
    if "dashboard" in found:
        _one_name(found, "dashboard", "account_type")
        found["account_type"] = ["individual" if text == "user" else text for text in found.pop("dashboard")]
    if single(found, "dateFilter"):
        _one_name(found, "dateFilter", "since")
        days = _days(single(found, "dateFilter"))
        found["since"] = [(datetime.now(UTC).date() - timedelta(days=days)).isoformat()]
    found.pop("dateFilter", None)
    limit = single(found, "limit")
    if re.fullmatch(r"-?[0-9]+", limit) and not 1 <= int(limit[:20]) <= LARGEST_PAGE:
        found["limit"] = [str(min(LARGEST_PAGE, max(1, int(limit[:20]))))]
        notes.append(f"limit {limit[:20]} was taken as {found['limit'][0]}; it goes from 1 to {LARGEST_PAGE}")
    return found, notes


def answer(table: "TablePage", view: "View", values: Values, notes: list[str]) -> dict[str, Any]:
    """The whole answer: rows, the exact total, where the next page begins, and the figures of the filter."""
    limit = number(single(values, "limit") or str(DEFAULT_LIMIT), "limit")
    page, found = _read(table, view, values, limit)
    beside = table.subject.beside(view.connection, found.rows)
    total = view.figures.sums().value if view.figures.covered else None
    n = total.n if total else None
    pages = max(1, -(-n // limit)) if n is not None else None
    cursor = str(found.resume) if found.more and found.resume else None
    return {
        "success": True,
        table.name: [table.cells.as_json(row, beside) for row in found.rows],
        "total": n,
        "pagination": {"page": page, "limit": limit, "total": n, "totalPages": pages, "next_cursor": cursor},
        "meta": {
            "page": page,
            "per_page": limit,
            "total": n,
            "total_pages": pages,
            "has_next": found.more,
            "has_prev": page is None or page > 1,
            "exact": n is not None,
            "searched_to": cursor if found.searched else None,
            "notes": notes,
        },
        "stats": table.cells.stats(view.figures),
    }


def _one_name(values: Values, old: str, name: str) -> None:
    """BadRequest when the same thing is given under both of its names."""
    if "".join(values[old]).strip() and "".join(values.get(name, [])).strip():
        raise BadRequest(f"“{old}” is another name of “{name}”; give one of them.", old)


def _days(text: str) -> int:
    if text not in DATE_FILTERS:
        choices = ", ".join(["all", *DATE_FILTERS])
        raise BadRequest(f"“{text[:40]}” is not a dateFilter. It is one of: {choices}.", "dateFilter")
    return DATE_FILTERS[text]


def _read(table: "TablePage", view: "View", values: Values, limit: int) -> tuple[int | None, Found]:
    text = single(values, "cursor")
    if text and single(values, "page"):
        raise BadRequest("“page” and “cursor” both name a place; give one.", "cursor")
    page = None if text else number(single(values, "page") or "1", "page")
    place = Place(cursor=Cursor.parse(text, "cursor")) if text else _page(table, view, page or 1, limit)
    if place is None:
        return page, Found([], False, None)
    plan = table.subject.plan(view.connection, view.filters)
    return page, read_chunk(view.connection, table.subject.WHOLE_LISTING, plan, place, limit, settings_of().scan_ms)


def _page(table: "TablePage", view: "View", page: int, limit: int) -> Place | None:
    """Where that page begins; None past the end, which to the old clients is an empty page."""
    if page == 1:
        return Place()
    try:
        return table.open_row(view, (page - 1) * limit + 1)
    except NotFound:
        return None
