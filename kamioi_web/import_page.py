"""The page of one import, and the same as JSON."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request

from kamioi_web import detail
from kamioi_web.api.objects import ImportAnswer
from kamioi_web.list_request import parse_list
from kamioi_web.pages import IMPORTS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import import_cells, import_runs
from kamioi_web.request_context import database_connection
from kamioi_web.text import iso_text, moment_text, number_text


def register(pages: Blueprint) -> None:
    """Give one import its URLs."""
    pages.add_url_rule(f"{IMPORTS.href}/<int:id>", endpoint="import", view_func=show)
    pages.add_url_rule(f"{IMPORTS.href}/<int:id>.json", endpoint="import/json", view_func=show_json)


def show(id: int) -> str:
    """Everything about one import; the filter in the URL decides which are beside it."""
    asked = parse_list(IMPORTS.href, import_runs.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    row = import_runs.find(database_connection(), id)
    return render_template(
        "imports_detail.html",
        run=_shown(row),
        steps=detail.steps(IMPORTS, asked, Cursor(row.started_at, row.id)),
        json_href=f"{IMPORTS.href}/{id}.json",
    )


def show_json(id: int) -> Any:
    """One import as the list's JSON gives it."""
    parse_list(IMPORTS.href, (), request.args.to_dict(flat=False), ("at",))
    run = import_cells.as_json(import_runs.find(database_connection(), id))
    answer: ImportAnswer = {"success": True, "import": run}
    return jsonify(answer)


def _shown(row: Any) -> dict[str, Any]:
    status, label = import_cells.state(row)
    return {
        "id": row.id,
        "file": row.file_name,
        "kind": row.kind,
        "status": status,
        "label": label,
        "started_iso": iso_text(row.started_at),
        "started": moment_text(row.started_at),
        "finished": moment_text(row.finished_at) if row.finished_at else "",
        "added": number_text(row.rows_added),
        "known": number_text(row.rows_known),
        "rejected": number_text(row.rows_rejected),
        "fingerprint": row.fingerprint,
        "settings": [(name, str(value)) for name, value in row.settings.items()],
    }
