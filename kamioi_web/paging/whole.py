"""A list from its first row to its last, for work that has more time than a request: in one snapshot, each row once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from kamioi_web.dialects import dialect_of
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing, Place, Plan, fetch, window_end

STATEMENT_SECONDS = 60.0


def read_all(connection: Connection, listing: Listing, plan: Plan, most: int) -> Iterator[Sequence[Any]]:
    """The rows in the list's order, at most so many at a time, and now and then none: where a filter is rare."""
    one_index = len(plan.streams) == 1 and not plan.residual
    for place, _ in [(Place(), 0)] if one_index else windows(connection, listing, plan):
        yield from _inside(connection, listing, plan, place, most)


def windows(connection: Connection, listing: Listing, plan: Plan) -> Iterator[tuple[Place, int]]:
    """Runs of index entries, with how many there are in each at most; the last one has no end.

    Several streams give their shares, so that reading a window never reads far beyond it in any of them.
    """
    place, size = Place(), dialect_of(connection).scan_rows
    while True:
        _limit(connection)
        end = window_end(connection, listing, plan, place, size)
        yield replace(place, end=end), size
        if end is None:
            return
        place = Place(cursor=end)


def _inside(connection: Connection, listing: Listing, plan: Plan, place: Place, most: int) -> Iterator[Sequence[Any]]:
    while True:
        _limit(connection)
        rows = fetch(connection, listing, plan, place, most)
        yield rows
        if len(rows) < most:
            return
        place = replace(place, cursor=Cursor(getattr(rows[-1], listing.at), rows[-1].id), inclusive=False)


def _limit(connection: Connection) -> None:
    """Each statement has a limit of its own; SQLite counts from here, so it is set anew."""
    dialect_of(connection).limit_reads(connection, STATEMENT_SECONDS)
