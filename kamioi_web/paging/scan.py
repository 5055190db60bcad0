"""The bounded scan: what no index serves is looked for a window at a time, within a time budget, and goes on later.

A window is a run of index entries along the plan's streams: one statement finds its end by skipping on the index
alone, another reads the matching rows between here and there. The windows grow while there is time left.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kamioi_web.dialects import dialect_of
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing, Place, Plan, fetch, sums, window_end

FIRST_WINDOW = 2_000
Bound = Callable[[Cursor | None, int], datetime | None]


@dataclass(frozen=True)
class Found:
    """Rows in reading order; `more` says that the list may go on beyond `resume`."""

    rows: Sequence[Any]
    more: bool
    resume: Cursor | None
    searched: bool = False  # the time ran out at `resume` before the chunk was full


def read_chunk(
    connection: Connection,
    listing: Listing,
    plan: Plan,
    place: Place,
    limit: int,
    budget_ms: int,
    bound: Bound | None = None,
) -> Found:
    """The next `limit` rows from that place on: by key where an index serves the filter, else by a bounded scan.

    `bound` tells from the totals a time that so many rows do not go below, which spares the planner older partitions.
    """
    if plan.residual:
        return _scan_chunk(connection, listing, plan, place, limit, budget_ms, bound)
    bounded = _bounded(place, limit + 1, bound)
    rows = fetch(connection, listing, plan, bounded, limit + 1)
    if bounded.low and len(rows) <= limit:  # the totals were read a moment ago; rows may have gone since
        rows = fetch(connection, listing, plan, place, limit + 1)
    return Found(rows[:limit], len(rows) > limit, _cursor(listing, rows[:limit]))


def tally(
    connection: Connection,
    listing: Listing,
    plan: Plan,
    keys: tuple[str, ...],
    measures: tuple[str, ...],
    budget_ms: int,
) -> tuple[list[tuple], Cursor | None]:
    """Sums as totals would give them, read from the rows, and how far the time reached; None at the end."""
    found: dict[tuple, list[int]] = {}
    for window in windows(connection, listing, plan, Place(), budget_ms):
        for row in sums(connection, listing, plan, window, keys, measures):
            key = tuple(row[: len(keys)])
            found[key] = [a + b for a, b in zip(found.get(key, [0] * len(row)), row[len(keys) :], strict=False)]
    return [(*key, *values) for key, values in found.items()], window.end


def _scan_chunk(
    connection: Connection,
    listing: Listing,
    plan: Plan,
    place: Place,
    limit: int,
    budget_ms: int,
    bound: Bound | None,
) -> Found:
    rows: list[Any] = []
    for window in windows(connection, listing, plan, place, budget_ms, bound):
        rows += fetch(connection, listing, plan, window, limit + 1 - len(rows))
        if len(rows) > limit:
            return Found(rows[:limit], True, _cursor(listing, rows[:limit]))
    if window.end is None:
        return Found(rows, False, _cursor(listing, rows))
    return Found(rows, True, window.end, searched=True)


def windows(
    connection: Connection, listing: Listing, plan: Plan, place: Place, budget_ms: int, bound: Bound | None = None
) -> Iterator[Place]:
    """Windows from that place on until the time is spent; the last window of the list has no end.

    At least one comes. Each is as large as the rest of the time allows at the pace so far.
    """
    size, seen, began = FIRST_WINDOW, 0, time.monotonic()
    while True:
        bounded = _bounded(place, size, bound)
        end = window_end(connection, listing, plan, bounded, size)
        if end is None and bounded.low:
            end = window_end(connection, listing, plan, place, size)
        yield replace(place, end=end)
        seen += size
        spent = (time.monotonic() - began) * 1000
        if end is None or spent > budget_ms * 0.7:
            return
        at_this_pace = int(seen / max(spent, 0.1) * (budget_ms - spent) / 2)
        size = max(FIRST_WINDOW, min(at_this_pace, 4 * size, dialect_of(connection).scan_rows))
        place = replace(place, cursor=end, inclusive=False)


def _bounded(place: Place, rows: int, bound: Bound | None) -> Place:
    return replace(place, low=bound(place.cursor, rows)) if bound and place.direction == "older" else place


def _cursor(listing: Listing, rows: Sequence[Any]) -> Cursor | None:
    return Cursor(getattr(rows[-1], listing.at), rows[-1].id) if rows else None
