"""The figures beside a list: its exact total, its sums and how it lies in time, from the totals where they cover it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.cache import Aged, Aggregates
from kamioi_web.filters import Parameter
from kamioi_web.grains import GRAINS, MEASURES
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing, Plan
from kamioi_web.paging.positions import END_OF_TIME, Span, Spans
from kamioi_web.paging.scan import tally
from kamioi_web.schema import from_micros, to_micros
from kamioi_web.sums import month_of
from kamioi_web.totals import Slice

MICROS = {"hour": 3_600_000_000, "day": 86_400_000_000}
KEYS = ("status", "currency")
T = TypeVar("T")


class Subject(Protocol):
    """What a query module gives so that its table can be a page. `F` is its own frozen Filters class."""

    @property
    def PARAMETERS(self) -> Sequence[Parameter]: ...
    @property
    def LISTING(self) -> Listing: ...  # what a page shows
    @property
    def WHOLE_LISTING(self) -> Listing: ...  # what the JSON gives

    def resolve(self, connection: Connection, given: Mapping[str, Any]) -> Any: ...
    def plan(self, connection: Connection, filters: Any) -> Plan: ...
    def slice_of(self, filters: Any) -> Slice | None: ...
    def span_slice(self, filters: Any) -> tuple[Slice, str, str | None] | None: ...
    def counts(self, connection: Connection) -> dict[str, list[tuple[str, int]]]: ...
    def beside(self, connection: Connection, rows: Sequence[Any]) -> Any: ...  # of one chunk, in one statement


@dataclass(frozen=True)
class Sums:
    """Rows of status, currency, n, amount, round-up and fee in cents; `reached` is set when time ran out there."""

    rows: Sequence[tuple]
    reached: Cursor | None = None

    @property
    def n(self) -> int:
        return sum(row[2] for row in self.rows)

    @property
    def currency(self) -> str:
        """The currency with the most rows."""
        counts: dict[str, int] = {}
        for _, currency, n, *_ in self.rows:
            counts[currency] = counts.get(currency, 0) + n
        return max(counts, key=lambda code: (counts[code], code), default="USD")

    def add(self, measure: int, status: str | None = None, currency: str | None = None) -> int:
        """The sum of one measure (2: n, 3: amount, 4: round-up, 5: fee) over one status and currency, or over all."""
        return sum(row[measure] for row in self.rows if status in (None, row[0]) and currency in (None, row[1]))


@dataclass(frozen=True)
class Figures:
    """The figures of one filtered list. Nothing is read before it is asked for, and most is kept for some seconds."""

    connection: Connection
    aggregates: Aggregates
    subject: Subject
    filters: Any
    budget_ms: int

    @property
    def covered(self) -> bool:
        """Whether totals add up to exactly this filter, so that its figures cost the same at any size."""
        return self.subject.slice_of(self.filters) is not None

    def sums(self) -> Aged[Sums]:
        """The sums by status and currency, exact from the totals or as far as one bounded scan reaches."""
        return self._kept("sums", self._read_sums)

    def exactly(self) -> Aged[Sums] | None:
        """The sums where they are exact: from the totals, or of so few rows that their index was read to the end."""
        if not self.covered and self.subject.plan(self.connection, self.filters).residual:
            return None
        aged = self.sums()
        return None if aged.value.reached else aged

    def spans(self) -> Aged[Spans] | None:
        """How many rows lie in each day or month; None when no totals tell."""
        return self._kept("spans", self._read_spans) if self.subject.span_slice(self.filters) else None

    def refine(self) -> Callable[[int, int], Sequence[Span]] | None:
        """What splits one span of `spans` further; None where nothing finer is kept."""
        found = self.subject.span_slice(self.filters)
        finer = found[2] if found else None
        if found is None or finer is None:
            return None
        size = MICROS[str(GRAINS[finer].bucket)]

        def split(low: int, high: int) -> list[Span]:
            inside = replace(found[0], grain=finer, buckets=(low // size, high // size - 1))
            rows = totals.read(self.connection, inside, ("bucket",))
            return [(row[0] * size, (row[0] + 1) * size, row[1]) for row in rows]

        return split

    def past_gap(self, cursor: Cursor | None) -> Cursor | None:
        """Where a scan to older rows need begin: the totals know the days on which this filter has none.

        Read anew each time, for a row that came a moment ago must not be passed over.
        """
        found = self.subject.span_slice(self.filters)
        if found is None:
            return cursor
        part, bucket, _ = found
        at = to_micros(cursor.at) if cursor else END_OF_TIME
        newest = totals.newest_bucket(self.connection, part, _bucket_of(bucket, at))
        high = _bounds(bucket, newest)[1] if newest is not None else END_OF_TIME
        return Cursor(from_micros(high), 0) if high < at else cursor

    def split(self, name: str) -> dict[str, int] | None:
        """The rows of each value of a key; None where the totals do not split this filter so."""
        part = self.subject.slice_of(self.filters)
        part = replace(part, grain="cube") if part and part.grain == "day" else part
        if part is None or name not in GRAINS[part.grain].splits:
            return None
        read = totals.read
        return self._kept(f"split {name}", lambda: dict(row[:2] for row in read(self.connection, part, (name,)))).value

    def series(self, days: int) -> Mapping[tuple[int, str, str], tuple]:
        """{(day, status, currency): (n, amount, round-up, fee)} of the newest days of the list; empty when not kept."""
        spans, found = self.spans(), self.subject.span_slice(self.filters)
        if not (spans and found and spans.value.spans):
            return {}
        part, bucket, finer = found
        grain = part.grain if bucket == "day" else finer
        if grain is None or "status" not in GRAINS[grain].splits:
            return {}
        last = (spans.value.spans[0][1] - 1) // MICROS["day"]
        recent = replace(part, grain=grain, buckets=(last - days + 1, last))
        rows = totals.read(self.connection, recent, ("bucket", *KEYS))
        return {(row[0], row[1], row[2]): tuple(row[3:]) for row in rows}

    def _read_sums(self) -> Sums:
        part = self.subject.slice_of(self.filters)
        if part:
            return Sums([tuple(row) for row in totals.read(self.connection, part, KEYS) if row.n])
        plan, listing = self.subject.plan(self.connection, self.filters), self.subject.LISTING
        money = "currency" in listing.table.c
        keys, measures = (KEYS, MEASURES[1:]) if money else ((), ())
        rows, reached = tally(self.connection, listing, plan, keys, measures, self.budget_ms)
        return Sums(rows if money else [("", "", *row, 0, 0, 0) for row in rows], reached)

    def _read_spans(self) -> Spans:
        part, bucket, _ = self.subject.span_slice(self.filters) or (None, "", None)
        assert part is not None
        return Spans([(*_bounds(bucket, row[0]), row[1]) for row in totals.read(self.connection, part, ("bucket",))])

    def _kept(self, what: str, compute: Callable[[], T]) -> Aged[T]:
        return self.aggregates.get(f"{what} {self.subject.LISTING.table.name} {self.filters}", compute)


def _bucket_of(bucket: str, at: int) -> int:
    return month_of(at // MICROS["hour"]) if bucket == "month" else at // MICROS[bucket]


def _bounds(bucket: str, number: int) -> tuple[int, int]:
    if bucket == "month":
        return totals.month_start(number), totals.month_start(number + 1)
    return number * MICROS[bucket], (number + 1) * MICROS[bucket]
