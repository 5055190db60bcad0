"""The page of one event of the audit log, and the same as JSON."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request

from kamioi_web import detail
from kamioi_web.api.objects import EventAnswer
from kamioi_web.auth.guard import require_role
from kamioi_web.list_request import parse_list, with_query
from kamioi_web.pages import AUDIT
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import audit_cells, audit_events
from kamioi_web.queries.audit_events import SYSTEM
from kamioi_web.request_context import database_connection
from kamioi_web.text import iso_text, moment_text


def register(pages: Blueprint) -> None:
    """Give one event its URLs, behind the role of the log."""
    guarded = require_role(AUDIT.role)
    pages.add_url_rule(f"{AUDIT.href}/<int:id>", endpoint="event", view_func=guarded(show))
    pages.add_url_rule(f"{AUDIT.href}/<int:id>.json", endpoint="event/json", view_func=guarded(show_json))


def show(id: int) -> str:
    """Everything about one event; the filter in the URL decides which are beside it."""
    asked = parse_list(AUDIT.href, audit_events.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    row = audit_events.find(database_connection(), id)
    return render_template(
        "audit_detail.html",
        event=_shown(row),
        steps=detail.steps(AUDIT, asked, Cursor(row.at, row.id)),
        json_href=f"{AUDIT.href}/{id}.json",
    )


def show_json(id: int) -> Any:
    """One event as the list's JSON gives it."""
    parse_list(AUDIT.href, (), request.args.to_dict(flat=False), ("at",))
    row = audit_events.find(database_connection(), id)
    found: EventAnswer = {"success": True, "event": audit_cells.as_json(row)}
    return jsonify(found)


def _shown(row: Any) -> dict[str, Any]:
    who = row.admin or SYSTEM
    return {
        "id": row.id,
        "action": row.action,
        "at_iso": iso_text(row.at),
        "at": moment_text(row.at),
        "who": who,
        "who_href": with_query(AUDIT.href, [("admin", who)]),
        "subject": audit_cells.subject_text(row),
        "subject_href": audit_cells.subject_href(row),
        "address": row.address,
        "request_id": row.request_id,
        "detail": audit_cells.pairs(row.detail),
    }
