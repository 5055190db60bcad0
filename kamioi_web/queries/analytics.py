"""The figures of Analytics: what the sums of a period come to, and all of them in one dict for programs.

`figures` is what /api/admin/financial-analytics answers with; the page shows the same from the same functions.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from kamioi_web.api.analytics_objects import (
    Analytics,
    Days,
    Funnel,
    Measures,
    MerchantPart,
    MerchantParts,
    PeriodTotals,
    SeriesPair,
    SeriesPoint,
    TickerPart,
    TickerParts,
    WaitingPart,
)
from kamioi_web.periods import Period
from kamioi_web.queries.analytics_scope import Extent, Scope
from kamioi_web.queries.flows import NOTHING, Flows, Point, Sums, Waiting, flows, gather, series, waiting
from kamioi_web.queries.top_merchants import TopMerchants, top_merchants
from kamioi_web.queries.top_tickers import TopTickers, top_tickers
from kamioi_web.schema import STATUSES
from kamioi_web.totals import CUBE

SHOWN = 20  # tickers and categories; the rest is one line, unless “all” asks for them


class Totals(NamedTuple):
    """What a period comes to; amounts in cents, refunds below zero, `volume` with the refunds taken off."""

    n: int
    volume: int
    round_ups: int
    invested: int  # the round-ups of what is completed
    fees: int
    refunds: int
    refunds_n: int
    failed: int

    @property
    def failure_rate(self) -> float:
        """The share of rows that failed, in percent; 0 where there is none."""
        return 100 * self.failed / self.n if self.n else 0.0


class Part(NamedTuple):
    """One category or account type with its sums in the period and in the one before."""

    name: str
    now: Sums
    before: Sums


def totals_of(found: Flows) -> Totals:
    """The sums of a period as the tiles show them."""
    n = volume = round_ups = invested = fees = refunds = refunds_n = failed = 0
    for (status, _, _, kind), sums in found.items():
        n += sums.n
        volume += sums.amount_cents
        round_ups += sums.round_up_cents
        fees += sums.fee_cents
        if status == "completed":
            invested += sums.round_up_cents
        if status == "failed":
            failed += sums.n
        if kind == "refund":
            refunds += sums.amount_cents
            refunds_n += sums.n
    return Totals(n, volume, round_ups, invested, fees, refunds, refunds_n, failed)


def funnel_of(found: Flows) -> dict[str, int]:
    """The purchases of a period, in all and of each status, and those that have reached a ticker: n of each."""
    counts = dict.fromkeys(("purchases", "reached", *STATUSES), 0)
    for (status, _, _, kind), sums in found.items():
        if kind == "purchase":
            counts["purchases"] += sums.n
            counts[status] += sums.n
    counts["reached"] = counts["mapped"] + counts["completed"]
    return counts


def parts_of(now: Flows, before: Flows, name: str) -> list[Part]:
    """The categories or account types of a period, the one with the most money first."""
    at = CUBE.index(name)
    parts, earlier = _by(now, at), _by(before, at)
    found = [Part(value, sums, earlier.get(value, NOTHING)) for value, sums in parts.items() if sums.n]
    return sorted(found, key=lambda part: (-part.now.amount_cents, part.name))


def _by(found: Flows, at: int) -> dict[str, Sums]:
    sums: dict[str, Sums] = {}
    for key, measures in found.items():
        gather(sums, key[at], measures)
    return sums


def figures(connection: Connection, scope: Scope, there: Extent, today: date) -> Analytics:
    """Everything that the page shows, as plain data: dates as ISO 8601, amounts as integers of cents in `currency`.

    `period` and `before` name the days; `totals`, `series`, `categories` and so on hold a figure of the period and, as
    `before`, the same of the period before (null where there is none). `tickers` and `merchants` are null under a
    filter by category or account type, which they are not split by. Reads totals only.
    """
    now, earlier = flows(connection, scope)
    tickers = merchants = None
    if not scope.filtered:
        most = None if "ticker" in scope.all else SHOWN
        tickers = _tickers(top_tickers(connection, scope.period, scope.before, scope.currency, most))
        merchants = _merchants(top_merchants(connection, scope.period, scope.currency))
    return {
        "period": _days(scope.period),
        "before": _dates(scope.before),
        "currency": scope.currency,
        "currencies": [{"currency": code, "transactions": n} for code, n in there.currencies],
        "by": scope.by,
        "totals": {**_totals(now), "before": _totals(earlier) if scope.before else None},
        "series": _series(*series(connection, scope)),
        "categories": [
            {"category": part.name, **_measures(part.now), "before": _measures(part.before)}
            for part in parts_of(now, earlier, "category")
        ],
        "account_types": [
            {"account_type": part.name, **_measures(part.now), "before": _measures(part.before)}
            for part in parts_of(now, earlier, "account_type")
        ],
        "funnel": _funnel(now),
        "waiting": {status: _waiting(one) for status, one in waiting(connection, scope, today).items()},
        "tickers": tickers,
        "merchants": merchants,
    }


def _dates(period: Period | None) -> Days | None:
    return _days(period) if period else None


def _days(period: Period) -> Days:
    return {"since": period.since.isoformat(), "until": period.until.isoformat()}


def _totals(found: Flows) -> PeriodTotals:
    sums = totals_of(found)
    return {
        "transactions": sums.n,
        "volume_cents": sums.volume,
        "round_up_cents": sums.round_ups,
        "invested_cents": sums.invested,
        "fee_cents": sums.fees,
        "refunds": sums.refunds_n,
        "refund_cents": sums.refunds,
        "failed": sums.failed,
        "failure_rate_percent": round(sums.failure_rate, 4),
    }


def _measures(sums: Sums) -> Measures:
    return {
        "transactions": sums.n,
        "volume_cents": sums.amount_cents,
        "round_up_cents": sums.round_up_cents,
        "fee_cents": sums.fee_cents,
    }


def _series(now: Sequence[Point], before: Sequence[Point]) -> list[SeriesPair]:
    """Point by point; the period before may have one more or less."""
    count = max(len(now), len(before))
    return [{"now": _point(now, at), "before": _point(before, at)} for at in range(count)]


def _point(points: Sequence[Point], at: int) -> SeriesPoint | None:
    if at >= len(points):
        return None
    point = points[at]
    return {**_days(point.period), "transactions": point.n, "volume_cents": point.amount_cents, "failed": point.failed}


def _funnel(found: Flows) -> Funnel:
    counts = funnel_of(found)
    return {
        "purchases": counts["purchases"],
        "reached": counts["reached"],
        "pending": counts["pending"],
        "mapped": counts["mapped"],
        "completed": counts["completed"],
        "failed": counts["failed"],
        "rejected": counts["rejected"],
        "needs_review": counts["needs_review"],
    }


def _waiting(one: Waiting) -> WaitingPart:
    return {
        "transactions": one.n,
        "oldest": one.oldest.isoformat(),
        "oldest_transactions": one.oldest_n,
        "oldest_days": one.oldest_days,
        "median_days": one.median_days,
    }


def _tickers(found: TopTickers) -> TickerParts:
    rows: list[TickerPart] = [
        {"ticker": row.ticker, **_measures(row.now), "before": _measures(row.before)} for row in found.rows
    ]
    return {"rows": rows, "others": found.others, "rest": _measures(found.rest)}


def _merchants(found: TopMerchants) -> MerchantParts:
    rows: list[MerchantPart] = [
        {
            "merchant_id": row.id,
            "merchant": row.name,
            "transactions": row.n,
            "volume_cents": row.amount_cents,
            "before": {"volume_cents": row.before_cents},
        }
        for row in found.rows
    ]
    months = _days(found.months)
    return {"months": months, "before": _dates(found.before), "rows": rows, "proven": found.proven}
