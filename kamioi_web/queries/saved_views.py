"""Saved views: filters of a list under a name, an admin's own and those that others share."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

from kamioi_web.dialects import dialect_of
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.schema import admins, saved_views
from kamioi_web.sql_types import AnySelect

v = saved_views.c
MOST = 100  # views that one admin may have of one page
MOST_OFFERED = 500  # own and shared ones that are offered together, the own first
DEFAULTS = "views"  # where an admin's preferences keep {page: the id of its default view}


class SavedView(NamedTuple):
    """One view: `query` is the end of its page's address, and `owner` the e-mail address of whose it is."""

    id: int
    admin_id: int
    page: str
    name: str
    query: str
    shared: bool
    owner: str


def visible(connection: Connection, admin_id: int, page: str | None = None) -> list[SavedView]:
    """The views that an admin may open, of one page or of all: the own first, then those that others share, by name."""
    query = _of(admin_id).where(v.page == page) if page else _of(admin_id)
    rows = connection.execute(query.order_by((v.admin_id == admin_id).desc(), v.id).limit(MOST_OFFERED))
    found = [SavedView(*row) for row in rows]
    return sorted(found, key=lambda view: (view.admin_id != admin_id, view.page, view.name.casefold(), view.id))


def find(connection: Connection, admin_id: int, id: int) -> SavedView:
    """A view that this admin may open; NotFound when there is none, or when it is another's and not shared."""
    row = connection.execute(_of(admin_id).where(v.id == id)).first() if id < 2**63 else None
    if row is None:
        raise NotFound("There is no such view, or it is another admin’s and not shared.")
    return SavedView(*row)


def _of(admin_id: int) -> AnySelect:
    columns = (v.id, v.admin_id, v.page, v.name, v.query, v.shared, admins.c.email)
    joined = select(*columns).join_from(saved_views, admins, admins.c.id == v.admin_id)
    return joined.where(or_(v.admin_id == admin_id, v.shared))


def save(connection: Connection, view: SavedView, now: datetime) -> SavedView:
    """Keep a view and return it with its id. One of the same page and name is replaced; an id names one to rename.

    BadRequest when there are too many. The caller commits.
    """
    dialect_of(connection).lock(connection, "saved_views")
    mine = (v.admin_id == view.admin_id, v.page == view.page)
    kept = {name: id for name, id in connection.execute(select(v.name, v.id).where(*mine))}  # noqa: C416 - typed
    id = view.id if view.id in kept.values() else kept.get(view.name)
    if id is None and len(kept) >= MOST:
        raise BadRequest(f"You have {MOST} views of this page, which is the most. Delete one first.", "name")
    if view.name in kept and kept[view.name] != id:
        forget(connection, kept[view.name])
    values = {"name": view.name, "query": view.query, "shared": view.shared}
    if id is None:
        of = {"admin_id": view.admin_id, "page": view.page, "created_at": now}
        id = connection.execute(insert(saved_views).values(**values, **of).returning(v.id)).scalar_one()
    else:
        connection.execute(update(saved_views).where(v.id == id).values(**values))
    return view._replace(id=id)


def forget(connection: Connection, id: int) -> None:
    """Delete a view, also where it is a default: its number may be given again. The caller commits."""
    connection.execute(delete(saved_views).where(v.id == id))
    for admin_id, preferences in connection.execute(select(admins.c.id, admins.c.preferences)).fetchall():
        for page, default in preferences.get(DEFAULTS, {}).items():
            if default == id:
                set_default(connection, admin_id, page, None)


def set_default(connection: Connection, admin_id: int, page: str, id: int | None) -> None:
    """Have a page open with that view for this admin, or None for the whole list. The caller commits."""
    mine = admins.c.id == admin_id
    kept = connection.scalar(select(admins.c.preferences).where(mine).with_for_update()) or {}
    defaults = {name: view for name, view in kept.get(DEFAULTS, {}).items() if name != page}
    if id is not None:
        defaults[page] = id
    connection.execute(update(admins).where(mine).values(preferences={**kept, DEFAULTS: defaults}))
