"""The rows of a list that a bulk action is about: those that were ticked, or all that matched a filter at that time.

A filter is kept as its parameters, with the newest row and the highest id of that time: what comes in later is not
meant, and rows that leave the filter by being changed do not shift the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, and_, or_, select

from kamioi_web.filters import parse_filters
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing, Place, Plan
from kamioi_web.paging.scan import read_chunk
from kamioi_web.queries import mappings
from kamioi_web.queries import transactions as subject
from kamioi_web.schema import from_micros, llm_mappings, to_micros, transactions
from kamioi_web.sql_types import AnySelect

t = transactions.c
SCAN_MS = 200
Places = Sequence[tuple[int, Any]]


def _places(rows: Subquery) -> AnySelect:
    return select(rows)


LISTING = Listing(transactions, "posted_at", _places, ("id", "posted_at"), partitioned=True)
SUBJECTS = {
    "transactions": (subject, LISTING),
    "mappings": (mappings, Listing(llm_mappings, "created_at", _places, ("id", "created_at"))),
}


def of_filter(
    connection: Connection, pairs: Sequence[tuple[str, str]], plan: Plan, page: str = "transactions"
) -> dict[str, Any] | None:
    """All rows of a list that there are now under a filter, as a job keeps it; None when there is none."""
    listing = SUBJECTS[page][1]
    id = listing.table.c.id
    top = read_chunk(connection, listing, plan, Place(), 1, SCAN_MS).resume
    last_id = connection.scalar(select(id).order_by(id.desc()).limit(1))
    kept = {"page": page, "filter": [list(pair) for pair in pairs], "top": str(top), "last_id": last_id}
    return kept if top else None


def of_places(places: Places) -> dict[str, Any]:
    """These rows, (id, posted_at), as a job keeps them."""
    return {"rows": [[id, to_micros(at)] for id, at in sorted(places)]}


class Selection:
    """Reads the rows that a job is about, some at a time."""

    def __init__(self, connection: Connection, kept: Mapping[str, Any]) -> None:
        self.rows = [(id, from_micros(at)) for id, at in kept["rows"]] if "rows" in kept else None
        self.subject, self.listing = SUBJECTS[kept.get("page", "transactions")]
        if self.rows is None:
            values: dict[str, list[str]] = {}
            for name, text in kept["filter"]:
                values.setdefault(name, []).append(text)
            filters: Any = self.subject.resolve(connection, parse_filters(self.subject.PARAMETERS, values))
            plan = self.subject.plan(connection, filters)
            self.plan = replace(plan, residual=(*plan.residual, self.listing.table.c.id <= kept["last_id"]))
            self.top = kept["top"]

    def next(self, connection: Connection, checkpoint: Any, most: int) -> tuple[Places, Any]:
        """The next rows, at most so many (or none, yet), and the checkpoint behind them; None at the end."""
        if self.rows is not None:
            start = checkpoint or 0
            some = self.rows[start : start + most]
            return some, start + len(some) if start + len(some) < len(self.rows) else None
        place = Place(cursor=Cursor.parse(checkpoint or self.top, "top"), inclusive=checkpoint is None)
        found = read_chunk(connection, self.listing, self.plan, place, most, SCAN_MS)
        return [(row[0], row[1]) for row in found.rows], str(found.resume) if found.more else None

    def still(self) -> ColumnElement[bool] | None:
        """What a row must fulfil when it is changed, for it may have been changed since it was read."""
        return None if self.rows is not None else _matching(self.plan)


def _matching(plan: Plan) -> ColumnElement[bool]:
    dates = [t.posted_at >= plan.since] if plan.since else []
    dates += [t.posted_at < plan.until] if plan.until else []
    return and_(or_(*(and_(t.id.is_not(None), *stream.clauses) for stream in plan.streams)), *dates, *plan.residual)
