"""Ordering the file of a list: its filter, and the columns that the admin has chosen."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.actions import of_list
from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.exporting.formats import Format, offered
from kamioi_web.jobs.store import Order
from kamioi_web.list_parts import EXPORT_ROLE, shown_columns
from kamioi_web.sent_forms import once, order
from kamioi_web.table_page import TablePage, View

blueprint = Blueprint("exports", __name__)


@blueprint.post("/exports")
@require_role(EXPORT_ROLE)
@once
def save(connection: Connection) -> ResponseReturnValue:
    """Order it, and show the job."""
    table, view = of_list.asked_for()
    form = _format(request.form.get("format", ""))
    exactly = view.figures.exactly()
    job = Order(
        "export",
        "export",
        f"Export of {table.noun} as {form.label}{of_list.under(table, view)}",
        _parameters(table, view, form),
        g.admin.id,
        exactly.value.n if exactly else None,
    )
    return redirect(f"/jobs/{order(connection, job)}", 303)


def _parameters(table: TablePage, view: View, form: Format) -> dict[str, Any]:
    now = datetime.now(UTC)
    name = f"{table.noun.replace(' ', '-')}-{now:%Y-%m-%d}.{form.name}"
    file = {"columns": shown_columns(table), "format": form.name, "name": name, "at": now.isoformat()}
    return of_list.kept(table, view) | file


def _format(name: str) -> Format:
    found = {one.name: one for one in offered()}
    if name not in found:
        raise BadRequest(f"A file is one of: {', '.join(found)}; not “{name[:20]}”.", "format")
    return found[name]
