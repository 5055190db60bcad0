"""The figures of the overview: what waits, the last 24 hours beside those before, and what came in last.

Everything but the few newest rows is read from the totals, so it costs the same at any number of rows. `now` is the
moment that a figure is of; what a function gives is plain data, so that it can be kept for some seconds.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from kamioi_web import totals
from kamioi_web.paging.keyset import Listing, Place, Plan, fetch
from kamioi_web.paging.scan import read_chunk
from kamioi_web.periods import day_number, day_of
from kamioi_web.queries import audit_events, transactions
from kamioi_web.schema import from_micros, imports, to_micros
from kamioi_web.totals import Slice

HOUR, DAY = 3_600_000_000, 86_400_000_000  # microseconds
FAILED_DAYS = 7
CHART_DAYS = 30
MOST_UNFINISHED = 5
ROWS = 8  # of each kind of news


class Import(NamedTuple):
    """One import: what it has done so far."""

    id: int
    kind: str
    file_name: str
    done: bool
    added: int
    known: int
    rejected: int
    started_at: datetime
    finished_at: datetime | None


class Recent(NamedTuple):
    """One of the newest transactions."""

    id: int
    posted_at: datetime
    merchant: str | None
    amount_cents: int
    currency: str
    status: str


class Event(NamedTuple):
    """One of the newest events of the audit log."""

    id: int
    at: datetime
    action: str
    admin: str | None
    subject: str | None
    subject_id: int | None


class Attention(NamedTuple):
    """What waits for somebody. `since` and `until` are the days, both included, that the failures are of."""

    since: date
    until: date
    failed: int
    in_review: int
    pending: int
    waiting: tuple[tuple[str, int], ...]  # currency and cents of what is in review or pending, the most rows first
    mappings: int
    oldest: Recent | None
    unfinished: tuple[Import, ...]  # running or stopped half-way; at most MOST_UNFINISHED, the newest first


class Sums(NamedTuple):
    """What 24 hours came to; amounts in cents of one currency, refunds below zero in `volume_cents`."""

    transactions: int = 0
    volume_cents: int = 0
    invested_cents: int = 0
    failed: int = 0
    users: int = 0
    mappings: int = 0


class LastDay(NamedTuple):
    """The 24 whole hours before `until` and the 24 before those; the counts are of all currencies."""

    until: datetime
    currency: str
    currencies: int
    now: Sums
    before: Sums


class Month(NamedTuple):
    """Transactions of each of the 30 whole days from `since` on, and of the 30 before."""

    since: date
    now: tuple[int, ...]
    before: tuple[int, ...]


def attention(connection: Connection, now: datetime) -> Attention:
    """What waits for somebody, exact at the instant of each read."""
    until = now.date()
    since = until - timedelta(days=FAILED_DAYS - 1)
    days = (day_number(since), day_number(until))
    failed = _count(connection, Slice("day", buckets=days, status=("failed",)))
    waiting = totals.read(connection, Slice("ever", status=("needs_review", "pending")), ("status", "currency"))
    counts = {status: sum(row.n for row in waiting if row.status == status) for status in ("needs_review", "pending")}
    mappings = _count(connection, Slice("mappings", status=("pending",)))
    return Attention(
        since,
        until,
        failed,
        counts["needs_review"],
        counts["pending"],
        _money(waiting),
        mappings,
        oldest_pending(connection) if counts["pending"] else None,
        tuple(newest_imports(connection, unfinished=True)[:MOST_UNFINISHED]),
    )


def _count(connection: Connection, part: Slice) -> int:
    return sum(row.n for row in totals.read(connection, part, ()) if row.n)


def _money(rows: Any) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    cents: dict[str, int] = {}
    for row in rows:
        counts[row.currency] = counts.get(row.currency, 0) + row.n
        cents[row.currency] = cents.get(row.currency, 0) + row.amount_cents
    return tuple((code, cents[code]) for code in sorted(counts, key=lambda code: (-counts[code], code)) if counts[code])


def oldest_pending(connection: Connection) -> Recent | None:
    """The pending transaction that has waited longest. Index: transactions_status, within the day the totals name."""
    day = totals.oldest_bucket(connection, Slice("day", status=("pending",)))
    if day is None:
        return None
    pending = transactions.Filters(status=("pending",))
    one_day = transactions.Filters(status=("pending",), since=day_of(day), until=day_of(day))
    for filters in (one_day, pending):  # the day's rows may have left it since the totals were read
        found = fetch(connection, transactions.LISTING, transactions.plan(connection, filters), Place("newer"), 1)
        if found:
            return _recent(found[0])
    return None


def last_day(connection: Connection, now: datetime) -> LastDay:
    """The last 24 whole hours beside the 24 before, from the totals by hour."""
    end = to_micros(now) // HOUR
    rows = totals.read(connection, Slice("hour", buckets=(end - 48, end - 1)), ("bucket", "status", "currency"))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.currency] = counts.get(row.currency, 0) + row.n
    counts = {code: n for code, n in counts.items() if n}
    currency = max(counts, key=lambda code: (counts[code], code), default="USD")
    halves = [[row for row in rows if (row.bucket >= end - 24) == late] for late in (True, False)]
    news = [_news(connection, name, end) for name in ("users_hour", "mappings_hour")]
    sums = [_sums(half, currency)._replace(users=news[0][at], mappings=news[1][at]) for at, half in enumerate(halves)]
    return LastDay(from_micros(end * HOUR), currency, len(counts), sums[0], sums[1])


def _sums(rows: Any, currency: str) -> Sums:
    ours = [row for row in rows if row.currency == currency]
    return Sums(
        sum(row.n for row in rows),
        sum(row.amount_cents for row in ours),
        sum(row.round_up_cents for row in ours if row.status == "completed"),
        sum(row.n for row in rows if row.status == "failed"),
    )


def _news(connection: Connection, grain: str, end: int) -> tuple[int, int]:
    rows = totals.read(connection, Slice(grain, buckets=(end - 48, end - 1)), ("bucket",))
    late = sum(row.n for row in rows if row.bucket >= end - 24)
    return late, sum(row.n for row in rows) - late


def by_day(connection: Connection, now: datetime) -> Month:
    """Transactions by whole day, today left out, with as many days before."""
    today = day_number(now.date())
    rows = totals.read(connection, Slice("day", buckets=(today - 2 * CHART_DAYS, today - 1)), ("bucket",))
    counts = {row.bucket: row.n for row in rows}
    days = [counts.get(day, 0) for day in range(today - 2 * CHART_DAYS, today)]
    return Month(day_of(today - CHART_DAYS), tuple(days[CHART_DAYS:]), tuple(days[:CHART_DAYS]))


def newest_transactions(connection: Connection, now: datetime) -> tuple[Recent, ...]:
    """The transactions posted last. Index: transactions_posted, from the newest day that the totals know."""
    plan = transactions.plan(connection, transactions.Filters())
    return tuple(_recent(row) for row in _newest(connection, transactions.LISTING, plan, "day"))


def newest_events(connection: Connection, now: datetime) -> tuple[Event, ...]:
    """What was done last. Index: audit_events_at."""
    plan = audit_events.plan(connection, audit_events.Filters())
    rows = _newest(connection, audit_events.LISTING, plan, "audit_day")
    return tuple(Event(row.id, row.at, row.action, row.admin, row.subject, row.subject_id) for row in rows)


def _newest(connection: Connection, listing: Listing, plan: Plan, grain: str) -> Any:
    """The newest rows of a list; the totals say how far down a database with partitions need look at first."""
    day = totals.newest_bucket(connection, Slice(grain), day_number(date(2199, 12, 31)))
    low = from_micros(max(0, day - 1) * DAY) if day is not None else None
    return read_chunk(connection, listing, plan, Place(), ROWS, 0, lambda cursor, rows: low).rows


def newest_imports(connection: Connection, now: datetime | None = None, unfinished: bool = False) -> tuple[Import, ...]:
    """The imports begun last, or those of them that are not done. Index: imports_started; a row for each file."""
    i = imports.c
    query = select(i.id, i.kind, i.file_name, i.state == "done", i.rows_added, i.rows_known, i.rows_rejected,
                   i.started_at, i.finished_at).order_by(i.started_at.desc(), i.id.desc()).limit(ROWS)  # fmt: skip
    return tuple(Import(*row) for row in connection.execute(query.where(i.state != "done") if unfinished else query))


def _recent(row: Any) -> Recent:
    return Recent(row.id, row.posted_at, row.merchant, row.amount_cents, row.currency, row.status)
