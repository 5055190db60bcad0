"""Saving, opening and deleting views, and which of them a page opens with."""

from datetime import UTC, datetime

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web import saved_views
from kamioi_web.auth.guard import local_path
from kamioi_web.errors import BadRequest
from kamioi_web.filters import number
from kamioi_web.pages import PAGES
from kamioi_web.queries import saved_views as kept
from kamioi_web.queries.saved_views import SavedView
from kamioi_web.request_context import database_connection, record_event
from kamioi_web.security import Refused
from kamioi_web.sent_forms import once
from kamioi_web.table_page import TablePage

blueprint = Blueprint("views", __name__)


@blueprint.get("/views/<int:id>")
def open(id: int) -> ResponseReturnValue:
    """To the list with the view's filters; the address stays the same when the view is changed."""
    view = kept.find(database_connection(), g.admin.id, id)
    return redirect(saved_views.address(_table(view.page), view.query))


@blueprint.post("/views")
@once
def save(connection: Connection) -> ResponseReturnValue:
    """Keep the filters of a list under a name, and go to them."""
    form = request.form
    table = _table(form.get("page", ""))
    if not g.admin.may(table.role):
        raise Refused(f"{table.title} takes the role {table.role}; yours is {g.admin.role}.")
    asked = saved_views.parse(table, form.get("query", ""))
    id = number(form["id"], "id") if form.get("id") else 0
    name, shared, query = saved_views.read_name(form.get("name", "")), "shared" in form, asked.link().partition("?")[2]
    before = kept.visible(connection, g.admin.id, table.name)
    view = kept.save(
        connection, SavedView(id, g.admin.id, table.name, name, query, shared, g.admin.email), datetime.now(UTC)
    )
    if "default" in form or saved_views.default_of(table.name) == view.id:
        kept.set_default(connection, g.admin.id, table.name, view.id if "default" in form else None)
    if shared or any(one.id == view.id and one.shared for one in before):
        _record(connection, "view.saved", view)
    return redirect(saved_views.address(table, query), 303)


@blueprint.post("/views/<int:id>/delete")
@once
def delete(connection: Connection, id: int) -> ResponseReturnValue:
    """Delete one of one's own views; where it was a default, that page opens with the whole list again."""
    view = kept.find(connection, g.admin.id, id)
    if view.admin_id != g.admin.id:
        raise Refused(f"This view is {view.owner}’s, who alone may delete it.")
    kept.forget(connection, id)
    if view.shared:
        _record(connection, "view.deleted", view)
    return redirect(local_path(request.form.get("next"), _table(view.page).href), 303)


@blueprint.post("/views/<int:id>/default")
@once
def choose(connection: Connection, id: int) -> ResponseReturnValue:
    """Have the page open with this view, or with the whole list again."""
    choice = request.form.get("default", "")
    if choice not in ("yes", "no"):
        raise BadRequest(f"“default” is yes or no, not “{choice[:40]}”.", "default")
    view = kept.find(connection, g.admin.id, id)
    kept.set_default(connection, g.admin.id, view.page, id if choice == "yes" else None)
    return redirect(local_path(request.form.get("next"), saved_views.address(_table(view.page), view.query)), 303)


def _table(name: str) -> TablePage:
    table = next((page for page in PAGES if page.name == name), None)
    if table is None:
        choices = ", ".join(page.name for page in PAGES)
        raise BadRequest(f"There is no page “{name[:40]}”. The pages with views are: {choices}.", "page")
    return table


def _record(connection: Connection, action: str, view: SavedView) -> None:
    about = {"page": view.page, "name": view.name, "query": view.query, "shared": view.shared}
    record_event(connection, action, g.admin.id, "view", view.id, **about)
