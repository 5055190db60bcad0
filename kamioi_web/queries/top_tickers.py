"""The tickers with the most money in a period, to the day.

Whole months are summed over all tickers. In the totals by day a ticker stands before its days, so those of a few days
lie apart: the tickers that occur in the months are looked up one by one. On PostgreSQL that is a LATERAL, which can be
carried out in no other way, whatever the statistics and a prepared plan say; its unfolded tail is read once beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, func, select, true, union_all

from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.periods import Period, month_number
from kamioi_web.queries.flows import NOTHING, Sums, gather
from kamioi_web.schema import totals as stored
from kamioi_web.schema import totals_tail
from kamioi_web.totals import MEASURES, Slice, days_between


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
    names = tuple(ticker for ticker, _ in shown) if most else ()
    earlier = _sums(connection, before, currency, names) if before and shown else {}
    rest = NOTHING
    for _, sums in ranked[len(shown) :]:
        rest = rest.plus(sums)
    rows = tuple(TopTicker(ticker, sums, earlier.get(ticker, NOTHING)) for ticker, sums in shown)
    return TopTickers(rows, len(ranked) - len(shown), rest)


def _sums(connection: Connection, period: Period, currency: str, tickers: tuple[str, ...] = ()) -> dict[str, Sums]:
    """The sums of these tickers in a period, or of all; others may be among them."""
    found: dict[str, Sums] = {}
    inside, edges = period.pieces()
    if inside:
        months = (month_number(inside.since), month_number(inside.until))
        part = Slice("ticker", tickers=tickers, buckets=months, currency=(currency,))
        _add(found, totals.read(connection, part, ("ticker",)))
    for edge in edges:
        _add(found, connection.execute(_of_days(dialect_of(connection), edge, currency)).fetchall())
    return found


def _add(found: dict[str, Sums], rows: Sequence[Any]) -> None:
    for row in rows:
        gather(found, row[0], row)


def _of_days(dialect: Dialect, edge: Period, currency: str) -> Any:
    """The sums of every ticker in a few days: rows of ticker and the measures."""
    names = stored.alias("months").c
    occurring = select(names.ticker).where(
        names.grain == "ticker",
        names.subject == 0,
        names.bucket.between(month_number(edge.since), month_number(edge.until)),
    )
    folded = _summed(stored, edge, currency)
    if not dialect.lateral:
        return folded.where(stored.c.ticker.in_(occurring)).group_by(stored.c.ticker)
    each = occurring.distinct().subquery("each")
    sums = folded.where(stored.c.ticker == each.c.ticker).group_by(stored.c.ticker).lateral("sums")
    unfolded = _summed(totals_tail, edge, currency).group_by(totals_tail.c.ticker)
    return union_all(select(sums).select_from(each.join(sums, true())), unfolded)


def _summed(table: Any, edge: Period, currency: str) -> Select[Any]:
    c = table.c
    measures = [func.sum(c[name]).cast(BigInteger).label(name) for name in MEASURES]
    here = (c.grain == "ticker_day", c.subject == 0, c.bucket.between(*(days_between(edge.since, edge.until) or ())))
    return select(c.ticker, *measures).where(*here, c.currency == currency)
