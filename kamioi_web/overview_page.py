"""The overview, where a login lands: panels of figures that are kept for some seconds, load and fail by themselves."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request
from markupsafe import Markup
from sqlalchemy import Connection

from kamioi_web import overview_parts as parts
from kamioi_web.cache import Aged, Aggregates
from kamioi_web.error_pages import words_of
from kamioi_web.errors import NotFound
from kamioi_web.filters import refuse_unknown
from kamioi_web.pages import AUDIT
from kamioi_web.queries import overview
from kamioi_web.request_context import database_connection, database_of, settings_of
from kamioi_web.schema import ROLES
from kamioi_web.security import Refused
from kamioi_web.text import age_text

log = logging.getLogger(__name__)
BUDGET_SECONDS = 0.25  # for the panels of the first answer; those that it leaves over load by themselves


@dataclass(frozen=True)
class Panel:
    """One panel: `read` gives its figures, which are kept for some seconds, `show` what overview/NAME.html writes."""

    name: str
    title: str
    read: Callable[[Connection, datetime], Any]
    show: Callable[[Any], dict[str, Any]]
    refreshes: bool = True  # while the page is seen
    role: str = ROLES[0]

    @property
    def href(self) -> str:
        return f"/overview/{self.name}"


PANELS = (
    Panel("attention", "Needs attention", overview.attention, parts.attention),
    # Whole days that are over: it stays as it is, with its table open, while somebody reads it.
    Panel("days", "Transactions by day", overview.by_day, parts.days, refreshes=False),
    Panel("hours", "Last 24 hours", overview.last_day, parts.hours),
    Panel("transactions", "Newest transactions", overview.newest_transactions, parts.newest_transactions),
    Panel("events", "Newest events", overview.newest_events, parts.newest_events, role=AUDIT.role),
    Panel("imports", "Newest imports", overview.newest_imports, parts.newest_imports),
)


def register(pages: Blueprint) -> None:
    """Give the overview and its panels their URLs."""
    pages.add_url_rule("/", endpoint="overview", view_func=show_page)
    pages.add_url_rule("/overview/<name>", endpoint="overview/panel", view_func=show_panel)


def show_page() -> str:
    """The page with the panels that are kept or quick; the others load by themselves."""
    refuse_unknown(request.args.to_dict(flat=False), ())
    until = time.monotonic() + BUDGET_SECONDS
    shown = [{"name": panel.name, "html": _inside(panel, until)} for panel in PANELS if g.admin.may(panel.role)]
    return render_template("overview.html", panels=shown)


def show_panel(name: str) -> Response:
    """One panel, to be put in the place of an older one."""
    refuse_unknown(request.args.to_dict(flat=False), ())
    panel = next((panel for panel in PANELS if panel.name == name), None)
    if panel is None:
        raise NotFound(f"The overview has no panel “{name[:40]}”.")
    if not g.admin.may(panel.role):
        raise Refused(f"This takes the role {panel.role}; yours is {g.admin.role}.")
    response = current_app.make_response(_html(panel, figures(panel)))
    response.headers["X-Fragment"] = "1"
    return response


def figures(panel: Panel) -> Aged[Any]:
    """The figures of a panel, at most some seconds old. Each panel has a statement's time of its own."""
    connection, database = database_connection(), database_of()

    def read() -> Any:
        database.dialect.limit_reads(connection, settings_of().widget_seconds)
        return panel.read(connection, _now())

    return _aggregates().get(_key(panel), read)


def _inside(panel: Panel, until: float) -> Markup:
    """The panel as part of the page. One that fails says so in its place, and leaves the others theirs."""
    try:
        in_time = time.monotonic() < until
        html = _html(panel, figures(panel) if in_time else _aggregates().kept(_key(panel)))
    except Exception as error:
        log.error("request %s: the panel %s failed", g.get("request_id"), panel.name, exc_info=error)
        database_connection().rollback()
        html = render_template("components/problem.html", message=words_of(error), retry_href=panel.href)
    return Markup(html)  # noqa: S704 - the template has escaped it


def _html(panel: Panel, found: Aged[Any] | None) -> str:
    """A panel with its figures; without them, the box that loads them."""
    content = panel.show(found.value) if found else None
    age = age_text(found.age) if found else ""
    return render_template("overview/panel.html", panel=panel, content=content, age=age)


def _aggregates() -> Aggregates:
    return current_app.extensions["aggregates"]


def _key(panel: Panel) -> str:
    return f"overview {panel.name}"


def _now() -> datetime:
    return datetime.now(UTC)
