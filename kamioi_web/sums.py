"""Summing a batch of transactions by every grain of the totals, in one pass over its rows.

SQLite's own GROUP BY takes three times as long for the same sums, because it sorts the batch once for each grain.
"""

from collections.abc import Iterable
from functools import lru_cache

from kamioi_web.schema import from_micros

HOUR = 3_600_000_000
Sums = dict[tuple, list[int]]


def sums_by_grain(rows: Iterable[tuple]) -> Sums:
    """{key of totals: [n, amount, round-up, fee in cents, newest time]} of rows of loading.TRANSACTION_COLUMNS."""
    hours: Sums = {}
    days: Sums = {}  # of tickers
    found: Sums = {}
    for (user_id, merchant_id, posted_at, amount, currency, round_up, fee, category, status, ticker, account_type,
         _, _, _) in rows:  # fmt: skip
        hour = posted_at // HOUR
        kind = "refund" if amount < 0 else "purchase"
        for sums, key, at in (
            (hours, (hour, status, category, account_type, kind, currency), 0),
            (found, ("user", user_id, "", 0, status, "", "", "", currency), posted_at),
            (found, ("merchant", merchant_id, "", 0, status, "", "", "", currency), 0),
            (found, ("merchant_month", merchant_id, "", month_of(hour), "", "", "", "", currency), 0),
        ):
            known = sums.get(key)
            if known is None:
                sums[key] = [1, amount, round_up, fee, at]
            else:
                known[0] += 1
                known[1] += amount
                known[2] += round_up
                known[3] += fee
                known[4] = max(known[4], at)
        if ticker is not None:
            _add(days, (ticker, hour // 24, currency), [1, amount, round_up, fee, 0])
    for (ticker, day, currency), measures in days.items():
        _add(found, ("ticker_day", 0, ticker, day, "", "", "", "", currency), measures)
        _add(found, ("ticker", 0, ticker, month_of(day * 24), "", "", "", "", currency), measures)
    for key, measures in hours.items():
        for coarser in _grains_of(*key):
            _add(found, coarser, measures)
    return found


@lru_cache(maxsize=4096)
def month_of(hour: int) -> int:
    """The month of an hour, both counted from 1970 in UTC."""
    at = from_micros(hour * HOUR)
    return (at.year - 1970) * 12 + at.month - 1


def _grains_of(hour: int, status: str, category: str, account_type: str, kind: str, currency: str) -> tuple[tuple, ...]:
    """The keys of the five grains that are coarser views of one hour's sums."""
    return (
        ("ever", 0, "", 0, status, category, account_type, kind, currency),
        ("month", 0, "", month_of(hour), status, category, account_type, kind, currency),
        ("day", 0, "", hour // 24, status, "", "", "", currency),
        ("cube", 0, "", hour // 24, status, category, account_type, kind, currency),
        ("hour", 0, "", hour, status, "", "", "", currency),
    )


def _add(sums: Sums, key: tuple, measures: list[int]) -> None:
    known = sums.get(key)
    sums[key] = [a + b for a, b in zip(known, measures, strict=True)] if known else list(measures)
