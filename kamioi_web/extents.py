"""Changing many rows of a list: how many there are, the number that must be typed, the rows as a job keeps them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template

from kamioi_web.jobs import selection
from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.request_context import database_connection
from kamioi_web.table_page import TablePage, View
from kamioi_web.text import number_text

TYPED_ABOVE = 1_000
SAMPLE = 10


@dataclass(frozen=True)
class Extent:
    """How many rows that is: exactly, or at least so many; `by_status` where the totals tell."""

    n: int
    exact: bool
    by_status: dict[str, int]

    @property
    def text(self) -> str:
        return f"{'' if self.exact else 'at least '}{number_text(self.n)}"

    @property
    def to_type(self) -> str:
        """The number that must be typed first; '' where it need not be."""
        return str(self.n) if self.n > TYPED_ABOVE or not self.exact else ""

    def of(self, one: str, many: str) -> str:
        """The number with what the rows are."""
        return f"{self.text} {one if self.n == 1 else many}"


def extent_of(view: View) -> Extent:
    """How many rows of the list's filter there are now."""
    exactly = view.figures.exactly()
    sums = (exactly or view.figures.sums()).value
    counts: dict[str, int] = {}
    for status, _, n, *_ in sums.rows:
        counts[status] = counts.get(status, 0) + n
    return Extent(sums.n, exactly is not None, counts if exactly else {})


def frozen(table: TablePage, view: View) -> dict[str, Any] | None:
    """All rows under the list's filter as a job keeps them, as they are now; None when there is none."""
    connection = database_connection()
    plan = table.subject.plan(connection, view.filters)
    return selection.of_filter(connection, view.request.pairs, plan, table.name)


def typed_wrong(extent: Extent, typed: str) -> str:
    """What is wrong with the number that was typed; '' when it is right or need not be typed."""
    if not extent.to_type or re.sub(r"[,.\s]", "", typed) == extent.to_type:
        return ""
    if not typed.strip():
        return f"Type {extent.to_type} to change that many."
    return f"“{typed[:20]}” is not {extent.to_type}, the number of rows by now. Look again, and type it to go on."


def ask(
    table: TablePage, asked: ListRequest, page: dict[str, Any], ticked: Sequence[Cursor] = (), status: int = 200
) -> tuple[str, int]:
    """The page that says what a change comes to before it is ordered; `page` is what bulk.html says of it."""
    values: dict[str, list[str]] = {}
    for name, text in asked.pairs:
        values.setdefault(name, []).append(text)
    around = {
        "filters": [(chip[0], chip[1]) for chip in table.cells.chips(asked)],
        "back": table.title,
        "back_href": asked.link(),
        "noun": table.noun,
        "ticked": bool(ticked),
    }
    sample = table.embed(values, SAMPLE, ticked[:SAMPLE])
    return render_template("bulk.html", page=around | page, sample=sample), status
