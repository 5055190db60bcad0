"""What belongs to one request: its database connection, its settings, its clock, and what every template knows."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, cast

from flask import Flask, current_app, g, request
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from kamioi_web import audit
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.jobs import store
from kamioi_web.queries import review
from kamioi_web.settings import Settings
from kamioi_web.text import number_text

MOST_COUNTED = 99


def settings_of() -> Settings:
    """The settings of the running app."""
    return cast(Settings, current_app.extensions["settings"])


def database_of() -> Database:
    """The database of the running app."""
    return cast(Database, current_app.extensions["database"])


def database_connection() -> Connection:
    """The request's one read-only connection, opened when it is first asked for."""
    if "connection" not in g:
        g.closing = ExitStack()
        g.connection = g.closing.enter_context(database_of().reading())
    return g.connection


@contextmanager
def shared_connection() -> Generator[Connection]:
    """The same connection as a context that leaves it open for what follows in the request."""
    yield database_connection()


def follow_requests(app: Flask) -> None:
    """Start each request's clock, and close its connection when it ends."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        g.pop("connection", None)
        if closing := g.pop("closing", None):
            closing.close()


def record_event(
    connection: Connection,
    action: str,
    by: int | None = None,
    subject: str | None = None,
    subject_id: int | None = None,
    **detail: object,
) -> None:
    """Add an event to the audit log with the address and the number of this request."""
    address, request_id = request.remote_addr or "unknown", g.get("request_id")
    audit.record(connection, action, by, subject, subject_id, detail, address, request_id)


def _open_jobs() -> str:
    """How many jobs are not over, for the badge: read along a small index and kept for some seconds."""
    kept = current_app.extensions["aggregates"]
    with suppress(KamioiError, DBAPIError):  # a page without its badge is still a page
        n = kept.get("open jobs", lambda: store.open_jobs(database_connection(), MOST_COUNTED + 1)).value
        return f"{MOST_COUNTED}+" if n > MOST_COUNTED else str(n or "")
    return ""


def _waiting() -> str:
    """How many proposals wait for a reviewer, for the badge: from the totals, kept for some seconds."""
    kept = current_app.extensions["aggregates"]
    with suppress(KamioiError, DBAPIError):
        n = kept.get("proposals waiting", lambda: review.waiting(database_connection())).value
        return number_text(n) if n else ""
    return ""


BADGES: dict[str, Callable[[], str]] = {"/jobs": _open_jobs, "/llm-center": _waiting}


def took() -> str:
    """How long this request has taken so far."""
    return f"{(time.perf_counter() - g.began) * 1000:.0f} ms"


def shown_everywhere(links: Sequence[Any]) -> Callable[[], dict[str, Any]]:
    """What every template may show: who is logged in, the pages that they may open, the engine, the time taken."""

    def shown() -> dict[str, Any]:
        admin = g.get("admin")
        if admin and "nav" not in g:  # once, however many parts of a page are rendered
            g.nav = [_nav(link) for link in links if admin.may(link.role)]
        nav = g.nav if admin else []
        return {"admin": admin, "nav": nav, "engine": database_of().dialect.label, "took": took}

    return shown


def _nav(link: Any) -> dict[str, Any]:
    note = BADGES[link.href]() if link.href in BADGES else ""
    return {"label": link.title, "href": link.href, "section": link.section, "current": link.holds(request.path),
            "note": note}  # fmt: skip
