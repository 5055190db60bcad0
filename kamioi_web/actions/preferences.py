"""How an admin likes the tables to look."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update

from kamioi_web.auth.guard import local_path
from kamioi_web.db import Database
from kamioi_web.errors import BadRequest
from kamioi_web.schema import admins

DENSITIES = ("comfortable", "compact")
THEMES = ("system", "light", "dark")
Columns = Mapping[str, Sequence[str]]


def make_blueprint(columns: Columns) -> Blueprint:
    """POST /preferences, for the columns that each page offers: {"transactions": ("posted", "merchant", ...)}."""
    blueprint = Blueprint("preferences", __name__)

    @blueprint.post("/preferences")
    def save() -> ResponseReturnValue:
        changes = _read_theme() | _read_page(columns)
        _save(g.admin.id, changes)
        if request.headers.get("X-Requested-With") == "fetch":
            return "", 204
        return redirect(local_path(request.form.get("next")), 303)

    return blueprint


def of_page(preferences: dict[str, Any], page: str) -> dict[str, Any]:
    """What an admin chose for one page: {"density": ..., "columns": [...]}, or {} when nothing."""
    return preferences.get("pages", {}).get(page, {})


def _read_theme() -> dict[str, Any]:
    return {"theme": _one_of("theme", THEMES)} if "theme" in request.form else {}


def _read_page(columns: Columns) -> dict[str, Any]:
    if "page" not in request.form:
        return {}
    page = _one_of("page", tuple(columns))
    shown = request.form.getlist("column")
    unknown = next((column for column in shown if column not in columns[page]), None)
    if unknown is not None:
        raise BadRequest(f"The page {page} has no column {unknown[:40]!r}.", "column")
    choice = {"columns": [column for column in columns[page] if column in shown]}
    if "density" in request.form:
        choice["density"] = _one_of("density", DENSITIES)
    return {"pages": {page: choice}}


def _one_of(name: str, allowed: Sequence[str]) -> str:
    value = request.form[name]
    if value not in allowed:
        raise BadRequest(f"{name} is one of {', '.join(allowed)}, not {value[:40]!r}.", name)
    return value


def _save(admin_id: int, changes: dict[str, Any]) -> None:
    """Lay the changes over what is kept; the row is locked, so that two tabs do not undo one another."""
    database: Database = current_app.extensions["database"]
    mine = admins.c.id == admin_id
    with database.writing() as connection:
        kept = connection.scalar(select(admins.c.preferences).where(mine).with_for_update()) or {}
        pages = kept.get("pages", {}) | changes.get("pages", {})
        connection.execute(update(admins).where(mine).values(preferences={**kept, **changes, "pages": pages}))
