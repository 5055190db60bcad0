"""Saved views as pages offer them: their addresses, which is open, which is the default, and what its form holds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import parse_qs, parse_qsl

from flask import g, request
from sqlalchemy import Connection

from kamioi_web.errors import BadRequest, KamioiError
from kamioi_web.list_request import ListRequest, Pairs, parse_list, single
from kamioi_web.queries import saved_views
from kamioi_web.queries.saved_views import DEFAULTS, SavedView
from kamioi_web.request_context import database_connection

if TYPE_CHECKING:
    from kamioi_web.table_page import TablePage

WHOLE = ("view", "all")  # in the address of a list without filters, where an admin has a default view
LONGEST_NAME = 80
LONGEST_QUERY = 8_000


def whole_list(page: str) -> Pairs:
    """What the address of a page without filters must say, so that it does not open the default view instead."""
    return (WHOLE,) if default_of(page) else ()


def default_of(page: str) -> int | None:
    """The id of the view that a page opens with for who is asking."""
    return g.admin.preferences.get(DEFAULTS, {}).get(page)


def take_whole(values: dict[str, list[str]]) -> bool:
    """Take `view` out of a URL's parameters: whether it asks for the whole list. BadRequest for anything but “all”."""
    text = single(values, WHOLE[0])
    values.pop(WHOLE[0], None)
    if text not in ("", WHOLE[1]):
        raise BadRequest("“view” takes “all”, for the whole list. A view that was saved is at /views/NUMBER.", WHOLE[0])
    return bool(text)


def parse(table: "TablePage", query: str) -> ListRequest:
    """The filters of a view's query, read as strictly as a URL; BadRequest says what is wrong with it."""
    if len(query) > LONGEST_QUERY:
        raise BadRequest(f"The filters are {len(query):,} characters long; a view keeps {LONGEST_QUERY:,}.", "query")
    return parse_list(table.href, table.subject.PARAMETERS, parse_qs(query, keep_blank_values=True))


def address(table: "TablePage", query: str) -> str:
    """Where a view is opened: its page with its filters, or with all rows when it has none."""
    return f"{table.href}?{query}" if query else f"{table.href}?{'='.join(WHOLE)}"


def open_default(table: "TablePage") -> tuple[str, str]:
    """The address of the default view, and what to say instead where it cannot be shown; ('', '') without a default."""
    id = default_of(table.name)
    if id is None:
        return "", ""
    connection = database_connection()
    name = ""
    try:
        view = saved_views.find(connection, g.admin.id, id)
        name = f" “{view.name}”"
        table.subject.resolve(connection, parse(table, view.query).given)
    except KamioiError as error:
        return "", f"Your default view{name} cannot be shown, so this is the whole list. {error}"
    return address(table, view.query), ""


def offered(table: "TablePage", connection: Connection, asked: ListRequest) -> dict[str, Any]:
    """The views of a page for its templates, and what the form that saves its filters holds already."""
    default, now = default_of(table.name), sorted(asked.pairs)
    views = [_shown(table, view, default, now) for view in saved_views.visible(connection, g.admin.id, table.name)]
    current = next((view for view in views if view["current"]), None)
    own = current if current and current["own"] else {"id": "", "name": "", "shared": False, "default": False}
    return {
        "list": views,
        "current": current["name"] if current else "",
        "is_all": not asked.pairs,
        "all_href": asked.all_href,
        "here": request.full_path.rstrip("?"),
        "form": own | {"query": asked.link().partition("?")[2] if asked.pairs else "", "longest": LONGEST_NAME},
    }


def _shown(table: "TablePage", view: SavedView, default: int | None, now: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "href": address(table, view.query),
        "own": view.admin_id == g.admin.id,
        "owner": view.owner,
        "shared": view.shared,
        "default": view.id == default,
        "current": sorted(parse_qsl(view.query)) == now,
    }


def of_settings(tables: Mapping[str, "TablePage"]) -> list[dict[str, Any]]:
    """The own views of all pages, for the settings."""
    found = saved_views.visible(database_connection(), g.admin.id)
    return [
        {"page": tables[view.page].title, **_shown(tables[view.page], view, default_of(view.page), [])}
        for view in found
        if view.admin_id == g.admin.id and view.page in tables
    ]


def read_name(text: str) -> str:
    """The name of a view; BadRequest when nothing of it can be seen, or when it is too long or has line breaks."""
    name = text.strip()
    seen = any(letter.isprintable() for letter in name) and all(category(letter) != "Cc" for letter in name)
    if not seen or len(name) > LONGEST_NAME:
        raise BadRequest(f"A view needs a name of 1 to {LONGEST_NAME} characters.", "name")
    return name
