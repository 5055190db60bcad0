"""The figures of the whole platform, in the shapes of the old clients; kept for some seconds, they say since when."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import current_app, jsonify, request
from sqlalchemy import Connection

from kamioi_web.api.analytics_objects import AnalyticsAnswer
from kamioi_web.api.dashboard_objects import QueueAnswer, UserMetrics
from kamioi_web.cache import Aged
from kamioi_web.filters import refuse_unknown
from kamioi_web.list_request import parse_list
from kamioi_web.money import decimal
from kamioi_web.queries import analytics, metrics
from kamioi_web.queries.analytics_scope import PARAMETERS, extent, scope_of
from kamioi_web.request_context import database_connection
from kamioi_web.text import iso_text

T = TypeVar("T")


def show_users() -> Any:
    """Who there is, and what they put aside."""
    refuse_unknown(request.args, ())
    aged = _kept("users", metrics.users)
    found = aged.value
    answer: UserMetrics = {
        "success": True,
        "as_of": _as_of(aged),
        "totalUsers": found.n,
        "activeUsers": found.active,
        "individualUsers": found.by_type.get("individual", 0),
        "familyUsers": found.by_type.get("family", 0),
        "businessUsers": found.by_type.get("business", 0),
        "currency": found.currency,
        "totalRoundUps": decimal(found.round_up_cents),
        "totalFees": decimal(found.fee_cents),
        "aiMappings": found.mappings,
    }
    return jsonify(answer)


def show_queue() -> Any:
    """How many mappings wait, and how many are decided."""
    refuse_unknown(request.args, ())
    aged = _kept("queue", metrics.queue)
    by_status = aged.value.by_status
    answer: QueueAnswer = {
        "success": True,
        "data": {
            "as_of": _as_of(aged),
            "queue_status": {
                "total_entries": aged.value.n,
                "total_mappings": aged.value.n,
                "auto_applied": aged.value.applied,
                "approved": by_status.get("approved", 0),
                "pending": by_status.get("pending", 0),
                "rejected": by_status.get("rejected", 0),
                "superseded": by_status.get("superseded", 0),
            },
        },
    }
    return jsonify(answer)


def show_analytics() -> Any:
    """The figures of Analytics."""
    asked = parse_list("/analytics", PARAMETERS, request.args.to_dict(flat=False))
    today = datetime.now(UTC).date()
    there = _kept(f"extent {today}", lambda connection: extent(connection, today)).value
    scope = scope_of(asked.given, there, today)
    aged = _kept(f"analytics {scope}", lambda connection: analytics.figures(connection, scope, there, today))
    answer: AnalyticsAnswer = {"success": True, "as_of": _as_of(aged), "data": aged.value}
    return jsonify(answer)


def _kept(name: str, read: Callable[[Connection], T]) -> Aged[T]:
    return current_app.extensions["aggregates"].get(f"api {name}", lambda: read(database_connection()))


def _as_of(aged: Aged[Any]) -> str:
    return iso_text(datetime.fromtimestamp(aged.at, UTC))
