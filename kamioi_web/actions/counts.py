"""Ordering the exact number of a list's rows, where the page says “at least”."""

from flask import Blueprint, g, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.actions import of_list
from kamioi_web.jobs.store import Order
from kamioi_web.sent_forms import once, order

blueprint = Blueprint("counts", __name__)


@blueprint.post("/counts")
@once
def save(connection: Connection) -> ResponseReturnValue:
    """Order it, and show the job. It only reads, so any role may."""
    table, view = of_list.asked_for()
    title = f"Count of {table.noun}{of_list.under(table, view)}"
    job = Order("count", "default", title, of_list.kept(table, view), g.admin.id)
    return redirect(f"/jobs/{order(connection, job)}", 303)
