"""The overview as programs read it: the figures of the old clients, and what the page shows beside them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.money import decimal, money
from kamioi_web.periods import Period, day_number, day_of, first_of, month_number
from kamioi_web.queries import overview
from kamioi_web.queries.overview import Attention, LastDay, Recent, Sums
from kamioi_web.text import identifier, iso_text, month_text
from kamioi_web.totals import Slice

GROWTH_MONTHS = 6
ACTIVITIES = 5


def figures(connection: Connection, now: datetime) -> dict[str, Any]:
    """Everything in one dict of plain data: dates as ISO 8601, money as numbers and as cents in `currency`.

    `totalRevenue` is the fees taken and `portfolioValue` the round-ups invested, for prices are not kept.
    """
    stats = _stats(connection)
    return {
        "stats": stats,
        "userGrowth": _growth(connection, now.date()),
        "recentActivity": [_activity(row) for row in overview.newest_transactions(connection, now)[:ACTIVITIES]],
        "systemStatus": "operational",
        "attention": _attention(overview.attention(connection, now)),
        "lastDay": _last_day(overview.last_day(connection, now)),
    }


def _stats(connection: Connection) -> dict[str, Any]:
    rows = totals.read(connection, Slice("ever"), ("status", "currency"))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.currency] = counts.get(row.currency, 0) + row.n
    currency = max(counts, key=lambda code: (counts[code], code), default="USD")
    ours = [row for row in rows if row.currency == currency]
    cents = {
        "totalRevenue": sum(row.fee_cents for row in ours),
        "totalRoundUps": sum(row.round_up_cents for row in ours),
        "portfolioValue": sum(row.round_up_cents for row in ours if row.status == "completed"),
    }
    return {
        "totalTransactions": sum(counts.values()),
        "currency": currency,
        **{name: decimal(value) for name, value in cents.items()},
        **{f"{name}Cents": value for name, value in cents.items()},
    }


def _growth(connection: Connection, today: date) -> list[dict[str, Any]]:
    """The users who joined in each of the last months, this one included."""
    last = month_number(today)
    months = range(last - GROWTH_MONTHS + 1, last + 1)
    period = Period(first_of(months[0]), today)
    days = (day_number(period.since), day_number(period.until))
    joined = dict.fromkeys(months, 0)
    for row in totals.read(connection, Slice("users_day", buckets=days), ("bucket",)):
        joined[month_number(day_of(row.bucket))] += row.n
    return [{"name": month_text(month), "value": n} for month, n in joined.items()]


def _activity(row: Recent) -> dict[str, Any]:
    what = f"{row.merchant or 'No merchant'}, {money(row.amount_cents, row.currency)}, {row.status}"
    return {**identifier(row.id), "type": "transaction", "description": what, "timestamp": iso_text(row.posted_at)}


def _attention(found: Attention) -> dict[str, Any]:
    oldest = found.oldest
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "failed": found.failed,
        "inReview": found.in_review,
        "pending": found.pending,
        "waiting": [{"currency": code, "amount_cents": cents} for code, cents in found.waiting],
        "pendingMappings": found.mappings,
        "oldestPending": _activity(oldest) if oldest else None,
        "unfinishedImports": [one.file_name for one in found.unfinished],
    }


def _last_day(found: LastDay) -> dict[str, Any]:
    return {
        "until": iso_text(found.until),
        "currency": found.currency,
        **_sums(found.now),
        "before": _sums(found.before),
    }


def _sums(sums: Sums) -> dict[str, int]:
    return {
        "transactions": sums.transactions,
        "volume_cents": sums.volume_cents,
        "invested_cents": sums.invested_cents,
        "failed": sums.failed,
        "newUsers": sums.users,
        "newMappings": sums.mappings,
    }
