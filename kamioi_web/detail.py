"""What the pages of one thing share: its neighbours in the list that it was opened from, and its history."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place
from kamioi_web.paging.scan import read_chunk
from kamioi_web.queries import history
from kamioi_web.request_context import database_connection, settings_of
from kamioi_web.table_page import TablePage
from kamioi_web.text import moment_text

Event = dict[str, Any]


def steps(table: TablePage, asked: ListRequest, place: Cursor) -> dict[str, Any]:
    """The links back to the list and to the things beside this one, under the filter that it was opened with."""
    return {
        "newer_href": _neighbour(table, asked, place, "newer"),
        "older_href": _neighbour(table, asked, place, "older"),
        "back_href": asked.link(("at", place)),
        "back_label": table.title,
        "noun": table.noun,
    }


def _neighbour(table: TablePage, asked: ListRequest, place: Cursor, direction: Any) -> str | None:
    """The link to the next one of the same list; None at its end, or when it is too far to look for."""
    connection, subject = database_connection(), table.subject
    plan = subject.plan(connection, subject.resolve(connection, asked.given))
    found = read_chunk(connection, subject.LISTING, plan, Place(direction, place), 1, settings_of().scan_ms // 2)
    if not found.rows:
        return None
    row = found.rows[0]
    return asked.link(("at", Cursor(getattr(row, subject.LISTING.at), row.id)), under=f"/{row.id}")


def events_of(connection: Connection, subject: str, id: int) -> list[Event]:
    """What was done to it, newest first; at the bottom what it was imported from."""
    done = [
        event(at, email or "system", action.replace(".", " "), list(detail.items()))
        for at, email, action, detail in map(tuple, history.events(connection, subject, id))
    ]
    came = [
        event(at, "import", f"read from {name}, line {line}", list(fields.items()))
        for at, name, line, fields in map(tuple, history.raw(connection, subject, id))
    ]
    return [*done, *came]


def event(at: datetime, who: str, what: str, detail: list[tuple[str, Any]]) -> Event:
    """One line of a history as its template writes it."""
    return {"at_iso": at.isoformat(), "at": moment_text(at), "who": who, "what": what, "detail": detail}
