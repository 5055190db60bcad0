"""Exact totals: what each grain splits by, adding a bulk load to them, folding the tail, checking and rebuilding."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite

from kamioi_web.db import dialect_of
from kamioi_web.schema import totals, transactions

MEASURES = ("n", "amount_cents", "round_up_cents", "fee_cents")
CUBE = ("status", "category", "account_type")


@dataclass(frozen=True)
class Grain:
    """One way of splitting the transactions; what it does not split by is '' or 0 in its rows."""

    name: str
    splits: tuple[str, ...] = ()
    bucket: str | None = None  # hour, day or month, counted from 1970 in UTC
    subject: str | None = None
    ticker: bool = False


GRAINS = {
    grain.name: grain
    for grain in (
        Grain("ever", CUBE),
        Grain("month", CUBE, bucket="month"),
        Grain("day", ("status",), bucket="day"),
        Grain("cube", CUBE, bucket="day"),
        Grain("hour", ("status",), bucket="hour"),
        Grain("ticker", bucket="month", ticker=True),
        Grain("user", ("status",), subject="user_id"),
        Grain("merchant", ("status",), subject="merchant_id"),
    )
}


def recount(connection: Connection, grain: Grain, where: ColumnElement[bool]) -> Select[Any]:
    """The rows of one grain, counted from the transactions that `where` selects."""
    t = transactions.c
    dialect = dialect_of(connection)
    hour = dialect.hour_of(t.posted_at)
    buckets = {"hour": hour, "day": dialect.day_of(hour), "month": dialect.month_of(hour)}
    keys = [
        literal(grain.name).label("grain"),
        (t[grain.subject] if grain.subject else literal(0)).label("subject"),
        (t.ticker if grain.ticker else literal("")).label("ticker"),
        (buckets[grain.bucket] if grain.bucket else literal(0)).label("bucket"),
        *((t[name] if name in grain.splits else literal("")).label(name) for name in CUBE),
        t.currency.label("currency"),
    ]
    sums = [func.count().label("n"), *(_sum(t[name]).label(name) for name in MEASURES[1:])]
    query = select(*keys, *sums).where(where).group_by(*(text(str(i)) for i in range(1, len(keys) + 1)))
    return query.where(t.ticker.is_not(None)) if grain.ticker else query


@contextmanager
def bulk_loading(connection: Connection) -> Iterator[None]:
    """No row trigger fires inside; the caller adds what it loaded with add_loaded, in the same transaction."""
    if not dialect_of(connection).row_triggers:
        yield
        return
    connection.execute(text("UPDATE totals_mode SET bulk = 1"))
    yield
    connection.execute(text("UPDATE totals_mode SET bulk = 0"))


def add_loaded(connection: Connection, where: ColumnElement[bool]) -> None:
    """Add the transactions that `where` selects to every grain. Only for rows loaded inside bulk_loading."""
    if dialect_of(connection).row_triggers:
        for grain in GRAINS.values():
            connection.execute(_add(connection, recount(connection, grain, where)))


def fold(connection: Connection) -> int:
    """Move the unfolded tail into the totals and return its rows; -1 while another process does so."""
    return dialect_of(connection).fold(connection)


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    return func.sum(column).cast(totals.c.n.type)


def _add(connection: Connection, rows: Select[Any]) -> Any:
    make = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect_of(connection).name]
    keys = [column for column in totals.primary_key]
    statement = make(totals).from_select([column.name for column in totals.c], rows)
    changes = {name: totals.c[name] + statement.excluded[name] for name in MEASURES}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)
