"""What the forms of a list that order a job send: which list, and under which filter."""

from typing import Any
from urllib.parse import parse_qs

from flask import g, request

from kamioi_web.errors import BadRequest
from kamioi_web.list_request import parse_list
from kamioi_web.pages import PAGES
from kamioi_web.security import Refused
from kamioi_web.table_page import TablePage, View

LONGEST_QUERY = 8_000


def asked_for() -> tuple[TablePage, View]:
    """The list, as it is read under the filter; BadRequest, NotFound or Refused when it cannot be."""
    table = _table(request.form.get("page", ""))
    query = request.form.get("query", "")
    if len(query) > LONGEST_QUERY:
        raise BadRequest(f"The filters are {len(query):,} characters long; {LONGEST_QUERY:,} are taken.", "query")
    asked = parse_list(table.href, table.subject.PARAMETERS, parse_qs(query, keep_blank_values=True))
    return table, table.view_of(asked)


def kept(table: TablePage, view: View) -> dict[str, Any]:
    """The list and the filter, as a job keeps them."""
    return {"page": table.name, "filter": [list(pair) for pair in view.request.pairs]}


def under(table: TablePage, view: View) -> str:
    """The filter in words, for the name of a job: “, Status failed, Ticker SBUX”; '' for the whole list."""
    chips = [f"{label} {value}" for label, value, _ in table.cells.chips(view.request)]
    text = "".join(f", {chip}" for chip in chips)
    return text if len(text) <= 160 else text[:159] + "…"


def _table(name: str) -> TablePage:
    table = next((page for page in PAGES if page.name == name), None)
    if table is None:
        choices = ", ".join(page.name for page in PAGES)
        raise BadRequest(f"There is no list “{name[:40]}”. The lists are: {choices}.", "page")
    if not g.admin.may(table.role):
        raise Refused(f"{table.title} takes the role {table.role}; yours is {g.admin.role}.")
    return table
