"""The merchants with the most money in a range of months: exactly, at a cost that does not grow with the merchants.

Summing every merchant of three years means reading millions of totals to show ten. Fagin's threshold algorithm
(R. Fagin, A. Lotem, M. Naor, “Optimal aggregation algorithms for middleware”, PODS 2001) reads sorted lists from their
tops instead. Here each month is such a list, by the index totals_top, read to its K-th merchant. A merchant has in all
at most what the lists say of it and, of each list that it is not in, that list's last amount: so those with the highest
such bounds are the candidates, and they alone are summed over the range, by primary key. Every other merchant has at
most the highest bound that is left, the threshold. Where the last one shown has at least as much, the answer is proven;
where not, it is tried once more with more of both, and if that does not prove it either, the answer says so.

On PostgreSQL the tail that is not folded yet is one list more. All of it is one statement, so it is exact at the
instant it runs.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    true,
    union_all,
)

from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.periods import Period, month_number
from kamioi_web.schema import merchants, totals_tail
from kamioi_web.schema import totals as stored
from kamioi_web.sql_types import AnySelect
from kamioi_web.totals import Slice


def _number(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


SHOWN = 10
TRIES = ((60, 200), (120, 1_000))  # how deep each list is read, and how many candidates are summed
TAIL_MONTH = -1  # the list of what is not folded yet
LOW, HIGH, MOST, SHOWING, SUMMED = (_number(name) for name in ("low", "high", "most", "shown", "summed"))
CURRENCY = bindparam("currency", type_=Text)
GRAIN = literal_column("'merchant_month'")  # to the letter as the partial index says it, or SQLite would not use it


class TopMerchant(NamedTuple):
    """A merchant with its rows and cents in the range, and its cents in the range before."""

    id: int
    name: str
    n: int
    amount_cents: int
    before_cents: int


@dataclass(frozen=True)
class TopMerchants:
    """The merchants with the most money in `months`, the first first; `proven` unless others might belong here."""

    months: Period
    before: Period | None
    rows: tuple[TopMerchant, ...]
    proven: bool


def top_merchants(connection: Connection, period: Period, currency: str, shown: int = SHOWN) -> TopMerchants:
    """The merchants with the most money in the whole months that a period touches, and in as many before."""
    months = period.touched_months()
    rows: list[Any] = []
    proven = False
    for most, summed in TRIES:
        if not proven:
            rows, proven = _ranked(
                connection, months, {"currency": currency, "shown": shown, "most": most, "summed": summed}
            )
    before = months.before()
    earlier = _amounts(connection, before, currency, tuple(row.subject for row in rows))
    found = [TopMerchant(row.subject, _name(row), row.n, row.amount, earlier.get(row.subject, 0)) for row in rows]
    return TopMerchants(months, before, tuple(found), proven)


def _ranked(connection: Connection, months: Period, given: dict[str, Any]) -> tuple[list[Any], bool]:
    """The first of the candidates, and whether no other merchant can have more than the last of them."""
    ends = {"low": month_number(months.since), "high": month_number(months.until)}
    rows = list(connection.execute(_statement(dialect_of(connection)), ends | given))
    last = rows[-1].amount if len(rows) == given["shown"] else 0
    return rows, not rows or rows[0].threshold <= last


@lru_cache
def _statement(dialect: Dialect) -> AnySelect:
    """Made once for each kind of database: it is long, and making it takes as long as running it."""
    tail, lists, folded = None if dialect.row_triggers else _tail(), _tops(dialect), stored.c
    tops = (lists if tail is None else union_all(lists, _first(tail))).cte("tops")
    bounds = _bounds(tops)
    candidates = select(bounds.c.subject).order_by(bounds.c.bound.desc(), bounds.c.subject).limit(SUMMED)
    sums: Any = select(folded.subject, folded.n, folded.amount_cents).where(
        folded.grain == GRAIN,
        folded.subject.in_(candidates),
        folded.ticker == "",
        folded.bucket.between(LOW, HIGH),
        folded.currency == CURRENCY,
    )
    if tail is not None:
        unfolded = select(tail.c.subject, tail.c.n, tail.c.amount_cents).where(tail.c.subject.in_(candidates))
        sums = union_all(sums, unfolded)
    return _best(sums.subquery(), _threshold(tops, bounds))


def _best(sums: Any, threshold: ColumnElement[int]) -> AnySelect:
    """The first few by what they have in all, with their names and the threshold beside each."""
    n, amount = (func.sum(sums.c[name]).cast(BigInteger) for name in ("n", "amount_cents"))
    first = (
        select(sums.c.subject, n.label("n"), amount.label("amount"))
        .group_by(sums.c.subject)
        .having(amount > 0)
        .order_by(amount.desc(), sums.c.subject)
        .limit(SHOWING)
        .subquery()
    )
    named = first.outerjoin(merchants, merchants.c.id == first.c.subject)
    columns = (first, merchants.c.name, merchants.c.descriptor, threshold.label("threshold"))
    return select(*columns).select_from(named).order_by(first.c.amount.desc(), first.c.subject)


def _months() -> CTE:
    """The months from one to another."""
    months = select(LOW.label("month")).cte("months", recursive=True)
    return months.union_all(select(months.c.month + 1).where(months.c.month < HIGH))


def _tops(dialect: Dialect) -> AnySelect:
    """The merchants with the most money in each month. SQLite has no LATERAL, so it looks the rows up a second time."""
    months = _months()
    inner = stored.alias("inner_totals").c if not dialect.lateral else stored.c
    highest: Any = select(inner.subject, inner.amount_cents).where(
        inner.grain == GRAIN, inner.bucket == months.c.month, inner.currency == CURRENCY
    )
    highest = highest.order_by(inner.amount_cents.desc()).limit(MOST)
    if dialect.lateral:
        beside = highest.lateral("highest")
        return select(months.c.month, beside.c.subject, beside.c.amount_cents).join_from(months, beside, true())
    row, names = stored.c, highest.with_only_columns(inner.subject).correlate(months)
    key = (row.grain == GRAIN, row.subject.in_(names), row.ticker == "", row.bucket == months.c.month)
    rest = (row.status == "", row.category == "", row.account_type == "", row.kind == "", row.currency == CURRENCY)
    return select(months.c.month, row.subject, row.amount_cents).where(*key, *rest)


def _bounds(tops: CTE) -> CTE:
    """What the merchants in the lists can have at most, one more of them than are summed."""
    least = _least(tops).group_by(tops.c.month).add_columns(tops.c.month).subquery()
    known = func.sum(tops.c.amount_cents - least.c.least) + _in_no_list(tops)
    each = select(tops.c.subject, known.cast(BigInteger).label("bound")).join(least, least.c.month == tops.c.month)
    each = each.group_by(tops.c.subject)
    return each.order_by(text("bound DESC"), tops.c.subject).limit(SUMMED + 1).cte("bounds")


def _in_no_list(tops: CTE) -> ColumnElement[int]:
    """What a merchant that is in no list can have at most in all."""
    of_lists = _least(tops).group_by(tops.c.month).subquery()
    return select(func.coalesce(func.sum(of_lists.c.least), 0).cast(BigInteger)).scalar_subquery()


def _threshold(tops: CTE, bounds: CTE) -> ColumnElement[int]:
    """What a merchant that is not summed can have at most: the lowest of the bounds, which is of none that is."""
    left_out = func.sum(literal_column("1")) > SUMMED
    return select(case((left_out, func.min(bounds.c.bound)), else_=_in_no_list(tops))).scalar_subquery()


def _least(top: Any) -> Select[Any]:
    """The last amount of a list, or nothing where the list is whole or its last amount is below zero."""
    whole, last = func.sum(literal_column("1")) < MOST, func.min(top.c.amount_cents)
    return select(case((and_(~whole, last > 0), last), else_=0).label("least"))


def _tail() -> CTE:
    """What is not folded yet, by merchant."""
    t = totals_tail.c
    n, amount = (func.sum(column).cast(BigInteger) for column in (t.n, t.amount_cents))
    query = select(t.subject, n.label("n"), amount.label("amount_cents")).group_by(t.subject)
    here = (t.grain == GRAIN, t.bucket.between(LOW, HIGH), t.currency == CURRENCY)
    return query.where(*here).cte("tail")


def _first(tail: CTE) -> AnySelect:
    highest = select(tail.c.subject, tail.c.amount_cents).order_by(tail.c.amount_cents.desc()).limit(MOST).subquery()
    month = literal_column(str(TAIL_MONTH), BigInteger).label("month")
    return select(month, highest.c.subject, highest.c.amount_cents)


def _amounts(connection: Connection, months: Period | None, currency: str, ids: tuple[int, ...]) -> dict[int, int]:
    if months is None or not ids:
        return {}
    buckets = (month_number(months.since), month_number(months.until))
    part = Slice("merchant_month", subjects=ids, buckets=buckets, currency=(currency,))
    return {row[0]: row.amount_cents for row in totals.read(connection, part, ("subject",))}


def _name(row: Any) -> str:
    return row.name or row.descriptor or f"merchant {row.subject}"
