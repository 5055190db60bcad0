"""The sums of a period from the totals, so that they cost the same at any number of rows.

Whole months are read from the totals by month, the days at the edges of a period from those by day. Amounts are cents
of the scope's one currency.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.periods import Period, day_of, first_of, month_number
from kamioi_web.queries.analytics_scope import Scope
from kamioi_web.totals import CUBE, Slice, days_between

SERIES = ("bucket", "status")


class Sums(NamedTuple):
    """Rows and their amounts in cents; refunds count below zero in `amount_cents`."""

    n: int = 0
    amount_cents: int = 0
    round_up_cents: int = 0
    fee_cents: int = 0

    def plus(self, row: Any) -> "Sums":
        """Itself and the measures that a row ends with."""
        *_, n, amount, round_up, fee = row
        return Sums(self.n + n, self.amount_cents + amount, self.round_up_cents + round_up, self.fee_cents + fee)


NOTHING = Sums()


def gather(found: dict[Any, Sums], key: Any, row: Any) -> None:
    """Add the measures that a row ends with to those of its key."""
    known = found.get(key)
    found[key] = known.plus(row) if known else Sums(*row[-4:])


Flows = Mapping[tuple[str, str, str, str], Sums]  # by status, category, account type and kind


@dataclass(frozen=True)
class Point:
    """One step of a period: its rows, their amount, and how many of them failed."""

    period: Period
    n: int
    amount_cents: int
    failed: int


@dataclass(frozen=True)
class Waiting:
    """The rows of one status: how many, the oldest day and its rows, and the median age; ages in days."""

    n: int
    oldest: date
    oldest_n: int
    oldest_days: int
    median_days: int


def flows(connection: Connection, scope: Scope) -> tuple[Flows, Flows]:
    """The sums of the period and of the one before, both as they are at one instant: what tiles and tables add up."""
    parts = _both(scope, "month", "cube", scope.kept)
    found: tuple[dict[Any, Sums], ...] = ({}, {})
    for number, *row in totals.read_all(connection, [part for _, part in parts], CUBE):
        gather(found[parts[number][0]], tuple(row[:4]), row)
    return found[0], found[1]


def series(connection: Connection, scope: Scope) -> tuple[list[Point], list[Point]]:
    """The steps of the period and of the one before, with their rows, amount and failures."""
    parts = _both(scope, *_series_grains(scope), scope.kept)
    steps = [period.steps(scope.by) if period else [] for period in (scope.period, scope.before)]
    starts = [[step.since for step in side] for side in steps]
    found = [[[0, 0, 0] for _ in side] for side in steps]
    rows = totals.read_all(connection, [part for _, part in parts], SERIES, ("n", "amount_cents"))
    for number, bucket, status, n, amount in rows:
        side, part = parts[number]
        day = first_of(bucket) if part.grain == "month" else day_of(bucket)
        step = found[side][bisect_right(starts[side], day) - 1]
        step[0] += n
        step[1] += amount
        step[2] += n if status == "failed" else 0
    now, before = (
        [Point(step, *sums) for step, sums in zip(*side, strict=True)] for side in zip(steps, found, strict=True)
    )
    return now, before


def _both(scope: Scope, whole: str | None, by_day: str, kept: Mapping[str, Any]) -> list[tuple[int, Slice]]:
    """(0, slice) for the parts of the period, (1, slice) for those of the one before."""
    sides = enumerate((scope.period, scope.before))
    return [(side, part) for side, period in sides for part in slices(period, whole, by_day, kept)]


def _series_grains(scope: Scope) -> tuple[str | None, str]:
    """The totals by day are thin where nothing is filtered; months serve only steps that hold whole ones."""
    return "month" if scope.by in ("month", "year") else None, "cube" if scope.filtered else "day"


def waiting(connection: Connection, scope: Scope, today: date) -> dict[str, Waiting]:
    """How long what is pending and what is mapped has waited, of the rows posted in the period; refunds among them."""
    grain = "cube" if scope.filtered else "day"
    part = Slice(grain, buckets=_days(scope.period), status=("pending", "mapped"), **scope.kept)
    days: dict[str, list[tuple[int, int]]] = {}
    for bucket, status, n in sorted(map(tuple, totals.read(connection, part, SERIES, ("n",)))):
        if n > 0:
            days.setdefault(status, []).append((bucket, n))
    return {status: _waiting(buckets, today) for status, buckets in days.items()}


def _waiting(days: list[tuple[int, int]], today: date) -> Waiting:
    n = sum(count for _, count in days)
    passed, median = 0, days[0][0]
    for bucket, count in days:
        passed, median = passed + count, bucket
        if passed * 2 >= n:
            break
    oldest, oldest_n = days[0]
    ages = [max(0, (today - day_of(bucket)).days) for bucket in (oldest, median)]
    return Waiting(n, day_of(oldest), oldest_n, *ages)


def slices(period: Period | None, whole: str | None, by_day: str, kept: Mapping[str, Any]) -> Iterator[Slice]:
    """The slices that together are a period: its whole months by the one grain, the rest by the other."""
    if period is None:
        return
    inside, edges = period.pieces() if whole else (None, (period,))
    if inside and whole:
        yield Slice(whole, buckets=(month_number(inside.since), month_number(inside.until)), **kept)
    for edge in edges:
        yield Slice(by_day, buckets=_days(edge), **kept)


def _days(period: Period) -> tuple[int, int] | None:
    return days_between(period.since, period.until)
