"""Reading a chunk of a list by key, in either direction, along the index that serves its filter.

A list has one order, (time, id), newest first. A Plan says which index streams hold the rows that a filter asks for
and which of its conditions no index serves; those are left to kamioi_web.paging.scan.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)

from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import Moment
from kamioi_web.sql_types import AnySelect

Direction = Literal["older", "newer"]
LIMIT: Any = bindparam("limit", type_=BigInteger)
COUNT: Any = bindparam("count", type_=BigInteger)


@dataclass(frozen=True, eq=False)
class Listing:
    """A table in its one order; `decorate` joins names to the rows of a chunk, never to the table."""

    table: Table
    at: str
    decorate: Callable[[Subquery], AnySelect]
    shown: tuple[str, ...]  # the columns that a chunk reads
    partitioned: bool = False  # by its time, where the database has partitions

    @property
    def order(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        return self.table.c[self.at], self.table.c.id


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows that one index holds in the list's order: `clauses` are equalities on what leads it.

    No index means a few rows, which are put in order after they are read.
    """

    index: str | None
    clauses: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """How a filter is read: the streams to merge, the time bounds, and the conditions that no index serves."""

    streams: tuple[Stream, ...]
    since: datetime | None = None  # included
    until: datetime | None = None  # not included
    residual: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where to read from: beyond a cursor (or at it, when `inclusive`); no cursor is that direction's own end."""

    direction: Direction = "older"
    cursor: Cursor | None = None
    inclusive: bool = False
    low: datetime | None = None  # a bound that the totals gave; it only spares the planner partitions
    end: Cursor | None = None  # the last place to look at, included


def fetch(connection: Connection, listing: Listing, plan: Plan, place: Place, limit: int) -> Sequence[Any]:
    """Up to `limit` rows from that place on, in reading order of the direction, in one statement."""
    if not plan.streams:
        return []
    statement = _rows_statement(listing, plan, place.direction, _flags(place))
    return connection.execute(statement, _values(place) | {"limit": limit}).fetchall()


def skip(connection: Connection, listing: Listing, plan: Plan, place: Place, count: int) -> Cursor | None:
    """The cursor of the row `count` rows beyond that place (0 is the next one); None past the end.

    Costs that many index entries, so callers bound it.
    """
    if not plan.streams:
        return None
    statement = _skip_statement(listing, plan, place.direction, _flags(place))
    row = connection.execute(statement, _values(place) | {"count": count}).first()
    return Cursor(row[0], row[1]) if row else None


def window_end(connection: Connection, listing: Listing, plan: Plan, place: Place, size: int) -> Cursor | None:
    """Where a window of at most `size` index entries ends (included); None when it holds the rest of the list.

    Each stream gives its share of the entries, and the window ends where the first of them has given it.
    """
    if not plan.streams:
        return None
    statement = _window_statement(listing, plan, place.direction, _flags(place))
    share = max(1, size // len(plan.streams))
    row = connection.execute(statement, _values(place) | {"count": share - 1}).first()
    return Cursor(row[0], row[1]) if row else None


def count_up_to(connection: Connection, listing: Listing, plan: Plan, place: Place, limit: int) -> int:
    """How many rows lie from that place on, counting no further than `limit`."""
    if not plan.streams:
        return 0
    statement = _count_statement(listing, plan, place.direction, _flags(place))
    return connection.scalar(statement, _values(place) | {"limit": limit}) or 0


def sums(
    connection: Connection, listing: Listing, plan: Plan, place: Place, keys: tuple[str, ...], measures: tuple[str, ...]
) -> Sequence[Any]:
    """Rows of the keys, how many rows have them, and the sums of the measures, from that place to its end."""
    if not plan.streams:
        return []
    statement = _sums_statement(listing, plan, place.direction, _flags(place), keys, measures)
    return connection.execute(statement, _values(place)).fetchall()


def _flags(place: Place) -> tuple[bool, ...]:
    return (place.cursor is not None, place.inclusive, place.low is not None, place.end is not None)


def _values(place: Place) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if place.cursor:
        values |= {"at": place.cursor.at, "id": place.cursor.id}
    if place.low:
        values["low"] = place.low
    if place.end:
        values |= {"end_at": place.end.at, "end_id": place.end.id}
    return values


@lru_cache(maxsize=1024)
def _rows_statement(listing: Listing, plan: Plan, direction: Direction, flags: tuple[bool, ...]) -> AnySelect:
    conditions = (*_bounds(listing, plan, direction, flags), *plan.residual)
    columns = [listing.table.c[name] for name in listing.shown]
    parts = [_ordered(listing, stream, columns, conditions, direction) for stream in plan.streams]
    parts = [part.limit(LIMIT) for part in parts]
    rows = _merged(parts, listing, direction, parts[0]).subquery("rows")
    return listing.decorate(rows).order_by(*_direction(rows.c[listing.at], rows.c.id, direction))


@lru_cache(maxsize=1024)
def _count_statement(listing: Listing, plan: Plan, direction: Direction, flags: tuple[bool, ...]) -> AnySelect:
    conditions = (*_bounds(listing, plan, direction, flags), *plan.residual)
    parts = [_ordered(listing, stream, listing.order, conditions, direction).limit(LIMIT) for stream in plan.streams]
    rows = _merged(parts, listing, direction, parts[0]).subquery()
    return select(func.sum(literal_column("1"))).select_from(rows)


@lru_cache(maxsize=512)
def _sums_statement(
    listing: Listing,
    plan: Plan,
    direction: Direction,
    flags: tuple[bool, ...],
    keys: tuple[str, ...],
    measures: tuple[str, ...],
) -> AnySelect:
    conditions = (*_bounds(listing, plan, direction, flags), *plan.residual)
    columns = [listing.table.c[name] for name in (*keys, *measures)] or [listing.table.c.id]
    parts = [_ordered(listing, stream, columns, conditions, direction).order_by(None) for stream in plan.streams]
    rows = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()
    summed = (literal_column("1"), *(rows.c[name] for name in measures))
    totals = [func.coalesce(func.sum(column), 0).cast(BigInteger) for column in summed]
    by = [rows.c[name] for name in keys]
    return select(*by, *totals).select_from(rows).group_by(*by)


@lru_cache(maxsize=1024)
def _window_statement(listing: Listing, plan: Plan, direction: Direction, flags: tuple[bool, ...]) -> AnySelect:
    conditions = _bounds(listing, plan, direction, flags)
    parts = [_ordered(listing, stream, listing.order, conditions, direction) for stream in plan.streams]
    ends = [part.limit(1).offset(COUNT) for part in parts]
    return _merged(ends, listing, direction, None).limit(1) if len(ends) > 1 else ends[0]


@lru_cache(maxsize=1024)
def _skip_statement(listing: Listing, plan: Plan, direction: Direction, flags: tuple[bool, ...]) -> AnySelect:
    conditions = (*_bounds(listing, plan, direction, flags), *plan.residual)
    parts = [_ordered(listing, stream, listing.order, conditions, direction) for stream in plan.streams]
    if len(parts) == 1:
        return parts[0].limit(1).offset(COUNT)
    merged = _merged([part.limit(COUNT + 1) for part in parts], listing, direction, None)
    return merged.limit(1).offset(COUNT)


def _ordered(
    listing: Listing, stream: Stream, columns: Any, conditions: tuple[ColumnElement[bool], ...], direction: Direction
) -> AnySelect:
    if not stream.index:
        return _of_few(listing, stream, columns, conditions, direction)
    query = select(*columns).where(*stream.clauses, *conditions).order_by(*_direction(*listing.order, direction))
    return query.with_hint(listing.table, f"INDEXED BY {stream.index}", "sqlite")


def _of_few(
    listing: Listing, stream: Stream, columns: Any, conditions: tuple[ColumnElement[bool], ...], direction: Direction
) -> AnySelect:
    """Read first and then put in order: a planner who sees both at once may go along the whole list in its order."""
    some = select(*dict.fromkeys((*columns, *listing.order))).where(*stream.clauses, *conditions)
    rows = some.with_hint(listing.table, "NOT INDEXED", "sqlite").cte("few").prefix_with("MATERIALIZED")
    return select(*(rows.c[column.name] for column in columns)).order_by(*_direction(*_order(rows, listing), direction))


def _order(rows: Any, listing: Listing) -> tuple[Any, Any]:
    return rows.c[listing.at], rows.c.id


def _merged(parts: list[AnySelect], listing: Listing, direction: Direction, alone: AnySelect | None) -> Any:
    """Several streams as one, in order; each part brings its own limit."""
    if len(parts) == 1:
        return parts[0] if alone is None else alone
    rows = union_all(*(select(part.subquery()) for part in parts)).subquery()
    merged = select(rows).order_by(*_direction(rows.c[listing.at], rows.c.id, direction))
    return merged if alone is None else merged.limit(LIMIT)


def _direction(at: ColumnElement[Any], id: ColumnElement[Any], direction: Direction) -> tuple[Any, Any]:
    return (at.desc(), id.desc()) if direction == "older" else (at.asc(), id.asc())


def _bounds(
    listing: Listing, plan: Plan, direction: Direction, flags: tuple[bool, ...]
) -> tuple[ColumnElement[bool], ...]:
    """The time bounds as conditions; `at <= :at` beside the row value is what lets PostgreSQL prune partitions."""
    at, _ = listing.order
    has_cursor, inclusive, has_low, has_end = flags
    bounds = []
    if plan.since:
        bounds.append(at >= plan.since)
    if plan.until:
        bounds.append(at < plan.until)
    if has_low:
        bounds.append(at >= bindparam("low", type_=Moment))
    if has_cursor:
        bounds += _beyond(listing, direction, "at", "id", inclusive)
    if has_end:
        bounds += _beyond(listing, "newer" if direction == "older" else "older", "end_at", "end_id", True)
    return tuple(bounds)


def _beyond(
    listing: Listing, direction: Direction, at_name: str, id_name: str, inclusive: bool
) -> list[ColumnElement[bool]]:
    at, id = listing.order
    row, key = tuple_(at, id), tuple_(bindparam(at_name, type_=Moment), bindparam(id_name, type_=BigInteger))
    moment = bindparam(at_name, type_=Moment)
    if direction == "older":
        return [at <= moment, row <= key if inclusive else row < key]
    return [at >= moment, row >= key if inclusive else row > key]
