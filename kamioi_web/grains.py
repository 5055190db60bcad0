"""What the totals split by: every grain of every list, and the recount of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Table, case, func, literal, select, text

from kamioi_web.dialects import Dialect
from kamioi_web.schema import audit_events, llm_mappings, merchants, totals, transactions, users
from kamioi_web.sql_types import AnySelect

MEASURES = ("n", "amount_cents", "round_up_cents", "fee_cents")
STORED = (*MEASURES, "last_at")
CUBE = ("status", "category", "account_type", "kind")


@dataclass(frozen=True, eq=False)
class Source:
    """A list that is totalled: its table, its time, and what the keys of the totals are in it."""

    table: Table
    at: str
    keys: Mapping[str, ColumnElement[Any]]
    money: bool = False

    @property
    def moment(self) -> ColumnElement[Any]:
        return self.table.c[self.at]


@dataclass(frozen=True)
class Grain:
    """One way of splitting a list; what it does not split by is '' or 0 in its rows."""

    name: str
    source: Source
    splits: tuple[str, ...] = ()
    bucket: str | None = None  # hour, day or month, counted from 1970 in UTC
    subject: str | None = None
    ticker: bool = False
    last: bool = False  # keeps the newest time


def _counted(name: str, table: Table, at: str, **keys: ColumnElement[Any]) -> tuple[Grain, ...]:
    """The grains of a list that is counted only: ever, by day and by hour."""
    source = Source(table, at, keys)
    splits = tuple(key for key in keys if key != "ticker")
    grains = tuple(Grain(f"{name}{under}", source, splits, bucket) for under, bucket in
                   (("", None), ("_day", "day"), ("_hour", "hour")))  # fmt: skip
    return (*grains, Grain(f"{name}_ticker", source, ("status",), ticker=True)) if "ticker" in keys else grains


t = transactions.c
TRANSACTIONS = Source(
    transactions,
    "posted_at",
    {name: t[name] for name in ("status", "category", "account_type", "currency", "ticker")}
    | {"kind": case((t.amount_cents < 0, "refund"), else_="purchase")},
    money=True,
)
MERCHANT_STATUS = case(
    (merchants.c.ticker.is_not(None), "mapped"), (merchants.c.mapping_id.is_not(None), "nobody"), else_="unmapped"
)
m = llm_mappings.c
GRAINS = {
    grain.name: grain
    for grain in (
        Grain("ever", TRANSACTIONS, CUBE),
        Grain("month", TRANSACTIONS, CUBE, bucket="month"),
        Grain("day", TRANSACTIONS, ("status",), bucket="day"),
        Grain("cube", TRANSACTIONS, CUBE, bucket="day"),
        Grain("hour", TRANSACTIONS, ("status",), bucket="hour"),
        Grain("ticker", TRANSACTIONS, bucket="month", ticker=True),
        Grain("ticker_day", TRANSACTIONS, bucket="day", ticker=True),
        Grain("user", TRANSACTIONS, ("status",), subject="user_id", last=True),
        Grain("merchant", TRANSACTIONS, ("status",), subject="merchant_id"),
        Grain("merchant_month", TRANSACTIONS, bucket="month", subject="merchant_id"),
        *_counted("users", users, "created_at", status=users.c.status, account_type=users.c.account_type),
        *_counted("mappings", llm_mappings, "created_at", status=m.status, kind=m.source, ticker=m.ticker),
        *_counted("merchants", merchants, "first_seen", status=MERCHANT_STATUS),
        *_counted("audit", audit_events, "at", kind=audit_events.c.action),
    )
}
TOTALLED = tuple(dict.fromkeys(grain.source.table.name for grain in GRAINS.values()))


def recount(dialect: Dialect, grain: Grain, where: ColumnElement[bool]) -> AnySelect:
    """The rows of one grain, counted from the rows of its list that `where` selects."""
    source = grain.source
    sums = [sum_of(source.table.c[name]) if source.money else literal(0, BigInteger) for name in MEASURES[1:]]
    last = func.max(dialect.micros_of(source.moment)) if grain.last else literal(0, BigInteger)
    measures = [column.label(name) for name, column in zip(STORED, (func.count(), *sums, last), strict=True)]
    query = _grouped(dialect, grain, measures).where(where)
    return query.where(source.keys["ticker"].is_not(None)) if grain.ticker else query


def _grouped(dialect: Dialect, grain: Grain, measures: list[Any]) -> AnySelect:
    """Rows shaped as the totals; only what the grain splits by is grouped by."""
    source = grain.source
    hour = dialect.hour_of(source.moment)
    buckets = {"hour": hour, "day": dialect.day_of(hour), "month": dialect.month_of(hour)}
    names = (*grain.splits, *(("currency",) if source.money else ()), *(("ticker",) if grain.ticker else ()))
    split: dict[str, ColumnElement[Any]] = {name: source.keys[name] for name in names}
    if grain.subject:
        split["subject"] = source.table.c[grain.subject]
    if grain.bucket:
        split["bucket"] = buckets[grain.bucket]
    rest = {"grain": grain.name, "subject": 0, "ticker": "", "bucket": 0, "currency": ""} | dict.fromkeys(CUBE, "")
    keys = [column.name for column in totals.primary_key]
    chosen = [(split[key] if key in split else literal(rest[key])).label(key) for key in keys]
    query = select(*chosen, *measures).group_by(*(text(str(at)) for at, key in enumerate(keys, 1) if key in split))
    return query.select_from(source.table)


def sum_of(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The sum of a column as a whole number; PostgreSQL's own would be a numeric."""
    return func.sum(column).cast(totals.c.n.type)
