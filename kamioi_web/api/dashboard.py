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
    aged = kept("users", _read_users)
    users, platform, mappings = aged.value
    answer: UserMetrics = {
        "success": True,
        "as_of": as_of(aged),
        "totalUsers": users.n,
        "activeUsers": users.active,
        "individualUsers": users.by_type.get("individual", 0),
        "familyUsers": users.by_type.get("family", 0),
        "businessUsers": users.by_type.get("business", 0),
        "currency": platform.currency,
        "totalRoundUps": decimal(platform.round_up_cents),
        "totalFees": decimal(platform.fee_cents),
        "aiMappings": mappings.n,
    }
    return jsonify(answer)


def _read_users(connection: Connection) -> tuple[metrics.Users, metrics.Platform, metrics.Queue]:
    platform = metrics.platform(connection, datetime.now(UTC))
    return metrics.users(connection), platform, metrics.queue(connection)


def show_queue() -> Any:
    """How many mappings wait, and how many are decided."""
    refuse_unknown(request.args, ())
    aged = kept("queue", metrics.queue)
    by_status = aged.value.by_status
    answer: QueueAnswer = {
        "success": True,
        "data": {
            "as_of": as_of(aged),
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
    there = kept(f"extent {today}", lambda connection: extent(connection, today)).value
    scope = scope_of(asked.given, there, today)
    aged = kept(f"analytics {scope}", lambda connection: analytics.figures(connection, scope, there, today))
    answer: AnalyticsAnswer = {"success": True, "as_of": as_of(aged), "data": aged.value}
    return jsonify(answer)


def kept(name: str, read: Callable[[Connection], T]) -> Aged[T]:
    """What `read` gives, at most some seconds old."""
    return current_app.extensions["aggregates"].get(f"api {name}", lambda: read(database_connection()))


def as_of(aged: Aged[Any]) -> str:
    """When it was read."""
    return iso_text(datetime.fromtimestamp(aged.at, UTC))
