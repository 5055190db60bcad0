"""The overview as JSON: the figures of its page, and those that the old clients show."""

from datetime import UTC, datetime
from typing import Any

from flask import jsonify, request
from sqlalchemy import Connection

from kamioi_web.api.dashboard import as_of, kept
from kamioi_web.api.overview_objects import (
    Activity,
    Attention,
    DayCounts,
    DaySums,
    Growth,
    ImportRun,
    LastDay,
    OverviewAnswer,
    PlatformStats,
    Recent,
)
from kamioi_web.filters import refuse_unknown
from kamioi_web.money import decimal, money
from kamioi_web.queries import metrics, overview
from kamioi_web.request_context import took
from kamioi_web.text import STATUS_LABELS, identifier, iso_text, month_text

ACTIVITIES = 5


def show() -> Any:
    """What needs attention, what happened lately, and everything there is."""
    refuse_unknown(request.args, ())
    aged = kept("overview", _read)
    found = aged.value
    answer: OverviewAnswer = {
        "success": True,
        "data": {
            "as_of": as_of(aged),
            "stats": _stats(found["platform"]),
            "userGrowth": _growth(found["platform"].joined),
            "recentActivity": [_activity(one) for one in found["newest"][:ACTIVITIES]],
            "systemStatus": "operational",
            "queryTime": took(),
            "attention": _attention(found["attention"]),
            "last_day": _last_day(found["last_day"]),
            "days": _days(found["days"]),
            "imports": [_import(one) for one in found["imports"]],
        },
    }
    return jsonify(answer)


def _read(connection: Connection) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "platform": metrics.platform(connection, now),
        "attention": overview.attention(connection, now),
        "last_day": overview.last_day(connection, now),
        "days": overview.by_day(connection, now),
        "newest": overview.newest_transactions(connection, now),
        "imports": overview.newest_imports(connection, now),
    }


def _stats(found: metrics.Platform) -> PlatformStats:
    return {
        "totalTransactions": found.n,
        "currency": found.currency,
        "totalRevenue": decimal(found.fee_cents),
        "totalRoundUps": decimal(found.round_up_cents),
        "portfolioValue": decimal(found.invested_cents),
    }


def _growth(joined: tuple[tuple[int, int], ...]) -> list[Growth]:
    return [{"name": month_text(month), "value": n} for month, n in joined]


def _activity(one: overview.Recent) -> Activity:
    what = f"{one.merchant or 'Transaction'} {money(one.amount_cents, one.currency)}, {STATUS_LABELS[one.status]}"
    return {**identifier(one.id), "type": "transaction", "description": what, "timestamp": iso_text(one.posted_at)}


def _recent(one: overview.Recent) -> Recent:
    return {
        **identifier(one.id),
        "date": iso_text(one.posted_at),
        "merchant": one.merchant,
        "amount": decimal(one.amount_cents),
        "amount_cents": one.amount_cents,
        "currency": one.currency,
        "status": one.status,
    }


def _attention(found: overview.Attention) -> Attention:
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "failed": found.failed,
        "in_review": found.in_review,
        "pending": found.pending,
        "waiting": [{"currency": currency, "amount_cents": cents} for currency, cents in found.waiting],
        "mappings": found.mappings,
        "oldest": _recent(found.oldest) if found.oldest else None,
        "unfinished": [_import(one) for one in found.unfinished],
    }


def _import(one: overview.Import) -> ImportRun:
    return {
        "kind": one.kind,
        "file_name": one.file_name,
        "done": one.done,
        "added": one.added,
        "known": one.known,
        "rejected": one.rejected,
        "started_at": iso_text(one.started_at),
        "finished_at": iso_text(one.finished_at) if one.finished_at else None,
    }


def _last_day(found: overview.LastDay) -> LastDay:
    return {
        "until": iso_text(found.until),
        "currency": found.currency,
        "currencies": found.currencies,
        "now": _sums(found.now),
        "before": _sums(found.before),
    }


def _sums(sums: overview.Sums) -> DaySums:
    return {
        "transactions": sums.transactions,
        "volume_cents": sums.volume_cents,
        "invested_cents": sums.invested_cents,
        "failed": sums.failed,
        "users": sums.users,
        "mappings": sums.mappings,
    }


def _days(found: overview.Month) -> DayCounts:
    return {"since": found.since.isoformat(), "now": [*found.now], "before": [*found.before]}
