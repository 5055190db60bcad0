"""The tickers with the most money in a period, to the day.

Whole months are summed over all tickers. In the totals by day a ticker stands before its days, so those of a few days
lie apart: the tickers that occur in the months are looked up one by one. On PostgreSQL that is a LATERAL, which can be
carried out in no other way, whatever the statistics and a prepared plan say; its unfolded tail is read once beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, Text, bindparam, func, select, true, union_all

from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.periods import Period, month_number
from kamioi_web.queries.flows import NOTHING, Sums, gather
from kamioi_web.schema import totals as stored
from kamioi_web.schema import totals_tail
from kamioi_web.totals import MEASURES, Slice, days_between

TICKERS = bindparam("tickers", expanding=True)


class TopTicker(NamedTuple):
    """A ticker with its sums in the period and in the one before."""

    ticker: str
    now: Sums
    before: Sums


@dataclass(frozen=True)
class TopTickers:
    """The tickers with the most money, the first first; the sums of the `others` that are not among them."""

    rows: tuple[TopTicker, ...]
    others: int
    rest: Sums


def top_tickers(
    connection: Connection, period: Period, before: Period | None, currency: str, most: int | None
) -> TopTickers:
    """At most so many tickers (None: all) with the most money in the period, and the sum of the others."""
    found = _sums(connection, period, currency)
    ranked = sorted((one for one in found.items() if one[1].n), key=lambda one: (-one[1].amount_cents, one[0]))
    shown = ranked if most is None else ranked[:most]
    names = None if most is None else tuple(ticker for ticker, _ in shown)
    earlier = _sums(connection, before, currency, names) if before and shown else {}
    rest = NOTHING
    for _, sums in ranked[len(shown) :]:
        rest = rest.plus(sums)
    rows = tuple(TopTicker(ticker, sums, earlier.get(ticker, NOTHING)) for ticker, sums in shown)
    return TopTickers(rows, len(ranked) - len(shown), rest)


def _sums(
    connection: Connection, period: Period, currency: str, tickers: tuple[str, ...] | None = None
) -> dict[str, Sums]:
    """The sums of these tickers in a period, or of every ticker."""
    found: dict[str, Sums] = {}
    inside, edges = period.pieces()
    if inside:
        months = (month_number(inside.since), month_number(inside.until))
        part = Slice("ticker", tickers=tickers or (), buckets=months, currency=(currency,))
        _add(found, totals.read(connection, part, ("ticker",)))
    if edges:
        given: dict[str, Any] = {"currency": currency, "tickers": tickers}
        for at, edge in enumerate(edges):
            first, last = days_between(edge.since, edge.until) or (0, 0)
            months = {"from_month": month_number(edge.since), "to_month": month_number(edge.until)}
            given |= {f"{name}{at}": day for name, day in (months | {"first": first, "last": last}).items()}
        days = _of_days(dialect_of(connection), len(edges), tickers is not None)
        _add(found, connection.execute(days, given).fetchall())
    return found


def _add(found: dict[str, Sums], rows: Sequence[Any]) -> None:
    for row in rows:
        gather(found, row[0], row)


@lru_cache
def _of_days(dialect: Dialect, edges: int, some: bool) -> Any:
    """The sums of some tickers, or of every one, in a few days at each edge: rows of ticker and the measures."""
    queries = []
    for at in range(edges):
        each, folded = _occurring(at, some), _summed(stored, at)
        if not dialect.lateral:
            queries.append(folded.where(stored.c.ticker.in_(each)))
            continue
        names = each.subquery()
        sums = folded.where(stored.c.ticker == names.c.ticker).lateral()
        unfolded = _summed(totals_tail, at)
        queries.append(select(sums).select_from(names.join(sums, true())))
        queries.append(unfolded.where(totals_tail.c.ticker.in_(TICKERS)) if some else unfolded)
    return union_all(*queries)


def _occurring(at: int, some: bool) -> Select[Any]:
    """The tickers of the months that the days are of, or those of them that are asked for."""
    names = stored.alias().c
    months = names.bucket.between(_number("from_month", at), _number("to_month", at))
    query = select(names.ticker).where(names.grain == "ticker", names.subject == 0, months).distinct()
    return query.where(names.ticker.in_(TICKERS)) if some else query


def _summed(table: Any, at: int) -> Select[Any]:
    c = table.c
    measures = [func.sum(c[name]).cast(BigInteger).label(name) for name in MEASURES]
    days = c.bucket.between(_number("first", at), _number("last", at))
    here = (c.grain == "ticker_day", c.subject == 0, days, c.currency == bindparam("currency", type_=Text))
    return select(c.ticker, *measures).where(*here).group_by(c.ticker)


def _number(name: str, at: int) -> Any:
    return bindparam(f"{name}{at}", type_=BigInteger)
