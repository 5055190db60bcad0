"""Exact totals: reading them, adding a bulk load to them, folding the tail, checking and rebuilding."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)

from kamioi_web.db import Database
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.grains import CUBE, GRAINS, MEASURES, TOTALLED, Grain, recount, sum_of
from kamioi_web.schema import EPOCH, Moment, from_micros, to_micros, totals, totals_now
from kamioi_web.sql_types import AnySelect
from kamioi_web.sums import HOUR, changes_by_grain, month_of, sums_by_grain

LONG = 24 * 3600.0  # seconds; a recount reads everything
MICROSECOND = timedelta(microseconds=1)
WHOLE = (EPOCH, datetime(2200, 1, 1, tzinfo=UTC))


@contextmanager
def bulk_loading(connection: Connection) -> Generator[None]:
    """No row trigger fires inside; the caller adds what it loaded with add_loaded, in the same transaction."""
    if not dialect_of(connection).row_triggers:
        yield
        return
    connection.execute(text("UPDATE totals_mode SET bulk = 1"))
    yield
    connection.execute(text("UPDATE totals_mode SET bulk = 0"))


def add_loaded(connection: Connection, rows: Iterable[tuple]) -> None:
    """Add loaded rows, shaped as loading.TRANSACTION_COLUMNS, to every grain; after bulk_loading, before the commit."""
    dialect = dialect_of(connection)
    if dialect.row_triggers:
        dialect.add_sums(connection, totals, sums_by_grain(rows))


def add_changed(connection: Connection, pairs: Iterable[tuple[tuple, tuple]]) -> None:
    """Move rows, (before, after) as loading.TRANSACTION_COLUMNS, in every grain; used as add_loaded is."""
    dialect = dialect_of(connection)
    if dialect.row_triggers:
        dialect.add_sums(connection, totals, changes_by_grain(pairs))


def add_counted(connection: Connection, name: str, at: int, n: int, kind: str) -> None:
    """Add rows of one kind and one moment, in microseconds, to a list that is counted only; as add_loaded."""
    dialect = dialect_of(connection)
    if dialect.row_triggers and n:
        grains = ((name, 0), (f"{name}_day", at // (24 * HOUR)), (f"{name}_hour", at // HOUR))
        rows = [(grain, 0, "", bucket, "", "", "", kind, "", n, 0, 0, 0, 0) for grain, bucket in grains]
        dialect.add_sums(connection, totals, rows)


def fold(connection: Connection) -> int:
    """Move the unfolded tail into the totals and return its rows; -1 while another process does so."""
    return dialect_of(connection).fold(connection)


@dataclass(frozen=True)
class Slice:
    """A part of one grain; an empty tuple leaves that key open, `buckets` are first and last, both included."""

    grain: str
    subjects: tuple[int, ...] = (0,)
    tickers: tuple[str, ...] = ("",)
    buckets: tuple[int, int] | None = None
    status: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    account_type: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()


def read(
    connection: Connection, part: Slice, by: tuple[str, ...], measures: tuple[str, ...] = MEASURES
) -> Sequence[Any]:
    """The sums of a slice split by some of its keys: rows of those keys, then n, amount, round-up and fee in cents.

    One statement over the totals and their tail, so exact at the instant it runs.
    """
    return connection.execute(_read_statement(part, by, measures)).fetchall()


def read_all(
    connection: Connection, parts: Sequence[Slice], by: tuple[str, ...], measures: tuple[str, ...] = MEASURES
) -> Sequence[Any]:
    """The same of several slices in one statement: rows of the number of its slice, those keys and the measures."""
    return connection.execute(_read_all_statement(tuple(parts), by, measures)).fetchall() if parts else []


def values_of(connection: Connection, part: Slice, names: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    """The values that some keys of a slice have, with the rows of each, the most frequent first."""
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    for row in read(connection, part, names):
        for name, value in zip(names, row[: len(names)], strict=True):
            found[name][value] = found[name].get(value, 0) + row.n
    return {
        name: sorted(((value, n) for value, n in values.items() if n), key=lambda item: (-item[1], item[0]))
        for name, values in found.items()
    }


def days_between(since: date | None, until: date | None) -> tuple[int, int] | None:
    """The first and last day, counted from 1970, of a stretch whose ends are both included; None when it has no end."""
    if since is None and until is None:
        return None
    first = (since - EPOCH.date()).days if since else 0
    return first, (until - EPOCH.date()).days if until else 10**6


def counted(name: str, since: date | None, until: date | None, **keys: Any) -> Slice:
    """The rows of a list that is counted only, within dates."""
    days = days_between(since, until)
    return Slice(f"{name}_day" if days else name, buckets=days, **keys)


def counted_by_day(name: str, since: date | None, until: date | None, **keys: Any) -> tuple[Slice, str, str | None]:
    """The same as it lies in time: the slice, its bucket, and the finer grain inside a bucket."""
    return Slice(f"{name}_day", buckets=days_between(since, until), **keys), "day", f"{name}_hour"


def newest_bucket(connection: Connection, part: Slice, at_most: int) -> int | None:
    """The newest bucket of a slice, not above `at_most`, in which it has a row; None when there is none."""
    return connection.scalar(_newest_statement(part), {"at_most": at_most})


def oldest_bucket(connection: Connection, part: Slice) -> int | None:
    """The oldest bucket of a slice in which it has a row; None when there is none."""
    return connection.scalar(_oldest_statement(part))


@lru_cache(maxsize=512)
def _newest_statement(part: Slice) -> AnySelect:
    c = totals_now.c
    query = _of_slice(select(c.bucket), part).where(c.bucket <= bindparam("at_most", type_=BigInteger), c.n > 0)
    return query.order_by(c.bucket.desc()).limit(1)


@lru_cache(maxsize=512)
def _oldest_statement(part: Slice) -> AnySelect:
    c = totals_now.c
    return _of_slice(select(c.bucket), part).where(c.n > 0).order_by(c.bucket).limit(1)


@lru_cache(maxsize=512)
def _read_statement(part: Slice, by: tuple[str, ...], measures: tuple[str, ...] = MEASURES) -> AnySelect:
    keys = [totals_now.c[name] for name in by]
    query = _of_slice(select(*keys, *(sum_of(totals_now.c[name]).label(name) for name in measures)), part)
    return query.group_by(*keys) if keys else query


@lru_cache(maxsize=512)
def _read_all_statement(parts: tuple[Slice, ...], by: tuple[str, ...], measures: tuple[str, ...]) -> Any:
    numbered = enumerate(_read_statement(part, by, measures) for part in parts)
    queries = [query.with_only_columns(literal(at).label("part"), *query.selected_columns) for at, query in numbered]
    return queries[0] if len(queries) == 1 else union_all(*queries)


def _of_slice(query: AnySelect, part: Slice) -> AnySelect:
    c = totals_now.c
    ticker = c.ticker.in_(part.tickers) if part.tickers else c.ticker > ""
    query = query.where(c.grain == part.grain, c.subject.in_(part.subjects), ticker)
    if part.buckets:
        query = query.where(c.bucket.between(*part.buckets))
    for name in (*CUBE, "currency"):
        if wanted := getattr(part, name):
            query = query.where(c[name].in_(wanted))
    return query


def month_start(month: int) -> int:
    """Microseconds since 1970 at which that month, counted from January 1970, begins in UTC."""
    return to_micros(datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC))


def check(database: Database) -> Iterator[str]:
    """Recount a month at a time and describe every difference; yields nothing when all totals are right."""
    for low, high in _months(database):
        with database.reading(LONG) as connection:
            for grain in GRAINS.values():
                if grain.bucket:
                    yield from _differences(connection, grain, low, high)
    with database.reading(LONG) as connection:
        for grain in GRAINS.values():
            if not grain.bucket:
                yield from _differences(connection, grain, *WHOLE)


def rebuild(database: Database) -> None:
    """Put every total right by a recount, in one transaction that keeps writers out."""
    with database.writing() as connection:
        refill(connection)


def refill(connection: Connection) -> None:
    """Recount every grain; the caller's transaction keeps writers out until it commits."""
    for table in TOTALLED:
        dialect_of(connection).stop_writes(connection, table)
    fold(connection)
    connection.execute(delete(totals))
    names = [column.name for column in totals.c]
    dialect = dialect_of(connection)
    for grain in GRAINS.values():
        connection.execute(insert(totals).from_select(names, recount(dialect, grain, true())))


def _differences(connection: Connection, grain: Grain, low: datetime, high: datetime) -> Iterator[str]:
    """Both sides in one statement, so that a write between two reads is no difference."""
    keys = len(totals.primary_key)
    found = {"low": low, "high": high - MICROSECOND} | _buckets(grain, low, high)
    for row in connection.execute(_differences_statement(dialect_of(connection), grain), found):
        where = " ".join(str(value) for value in row[:keys] if value not in ("", 0))
        off = ", ".join(f"{name} by {int(value):+,}" for name, value in zip(MEASURES, row[keys:], strict=True) if value)
        yield f"{where}: the recount differs in {off}"


@lru_cache(maxsize=128)
def _differences_statement(dialect: Dialect, grain: Grain) -> AnySelect:
    """Made once for a grain: putting it together takes longer than running it over a small table."""
    here = grain.source.moment.between(bindparam("low", type_=Moment), bindparam("high", type_=Moment))
    counted, kept = recount(dialect, grain, here).subquery(), _kept(grain).subquery()
    keys = [column.name for column in totals.primary_key]
    signed = union_all(
        select(*(counted.c[key] for key in keys), *(counted.c[name] for name in MEASURES)),
        select(*(kept.c[key] for key in keys), *((-kept.c[name]).label(name) for name in MEASURES)),
    ).subquery()
    sums = [func.sum(signed.c[name]) for name in MEASURES]
    query = select(*(signed.c[key] for key in keys), *sums).group_by(*(signed.c[key] for key in keys))
    return query.having(or_(*(total != 0 for total in sums)))


def _kept(grain: Grain) -> AnySelect:
    query = select(totals_now).where(totals_now.c.grain == grain.name)
    bucket = totals_now.c.bucket
    return query.where(bucket >= bindparam("first"), bucket < bindparam("beyond")) if grain.bucket else query


def _buckets(grain: Grain, low: datetime, high: datetime) -> dict[str, int]:
    """The buckets of a month that a grain has: from the first on, and below that beyond it."""
    if not grain.bucket:
        return {}
    if grain.bucket == "month":
        month = (low.year - 1970) * 12 + low.month - 1
        return {"first": month, "beyond": month + 1}
    size = {"hour": 3_600_000_000, "day": 86_400_000_000}[grain.bucket]
    return {"first": to_micros(low) // size, "beyond": to_micros(high) // size}


def _months(database: Database) -> list[tuple[datetime, datetime]]:
    """The months that hold a total, and those of each list's first and last row; a whole month that lacks its totals
    shows in the grains that have no bucket."""
    days = [grain.name for grain in GRAINS.values() if grain.bucket == "day"]
    c = totals_now.c
    with database.reading(LONG) as connection:
        found = connection.scalars(select(c.bucket).where(c.grain.in_(days)).distinct())
        months = {month_of(day * 24) for day in found}
        for source in {grain.source for grain in GRAINS.values()}:
            ends = connection.execute(select(func.min(source.moment), func.max(source.moment))).one()
            months |= {(end.year - 1970) * 12 + end.month - 1 for end in ends if end}
    return [(from_micros(month_start(month)), from_micros(month_start(month + 1))) for month in sorted(months)]
