"""Analytics: one address holds the whole view, every panel is read by itself, and one that fails leaves the others."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from kamioi_web import analytics_head, analytics_parts, analytics_tables
from kamioi_web.cache import Aged
from kamioi_web.db import in_plain_words
from kamioi_web.errors import KamioiError, NotFound
from kamioi_web.list_request import ListRequest, parse_list
from kamioi_web.queries.analytics import SHOWN
from kamioi_web.queries.analytics_scope import PARAMETERS, Extent, extent, scope_of
from kamioi_web.queries.flows import Flows, Point, Waiting, flows, series, waiting
from kamioi_web.queries.top_merchants import TopMerchants, top_merchants
from kamioi_web.queries.top_tickers import TopTickers, top_tickers
from kamioi_web.request_context import database_connection, database_of, settings_of

log = logging.getLogger(__name__)
HREF = "/analytics"
PANELS: dict[str, Callable[["View"], dict[str, Any]]] = {
    "tiles": analytics_parts.tiles,
    "trend": analytics_parts.trend,
    "funnel": analytics_parts.funnel,
    "failures": analytics_parts.failures,
    "accounts": analytics_tables.accounts,
    "categories": analytics_tables.categories,
    "tickers": analytics_tables.tickers,
    "merchants": analytics_tables.merchants,
}


class View:
    """One request's look: what the address asks for, and the figures, each read once and kept for some seconds."""

    def __init__(self, asked: ListRequest, today: date) -> None:
        self.asked = asked
        self.today = today
        self.known: dict[str, Aged[Any] | Exception] = {}
        self.there: Extent = self._read(f"extent {today}", lambda connection: extent(connection, today)).value
        self.scope = scope_of(asked.given, self.there, today)

    @property
    def flows(self) -> Aged[tuple[Flows, Flows]]:
        """The sums of the period and of the one before."""
        return self._read(f"flows {self.scope.rows}", lambda connection: flows(connection, self.scope))

    @property
    def series(self) -> Aged[tuple[list[Point], list[Point]]]:
        """The steps of both."""
        key = f"series {self.scope.by} {self.scope.rows}"
        return self._read(key, lambda connection: series(connection, self.scope))

    @property
    def waiting(self) -> Aged[dict[str, Waiting]]:
        """The ages of what waits."""
        key = f"waiting {self.today} {self.scope.rows}"
        return self._read(key, lambda connection: waiting(connection, self.scope, self.today))

    @property
    def tickers(self) -> Aged[TopTickers]:
        """The first tickers, or all of them."""
        scope, most = self.scope, None if "ticker" in self.scope.all else SHOWN
        key = f"tickers {most} {scope.rows}"
        return self._read(key, lambda given: top_tickers(given, scope.period, scope.before, scope.currency, most))

    @property
    def merchants(self) -> Aged[TopMerchants]:
        """The first merchants of the months."""
        scope = self.scope
        return self._read(f"merchants {scope.rows}", lambda given: top_merchants(given, scope.period, scope.currency))

    def _read(self, key: str, compute: Callable[[Connection], Any]) -> Aged[Any]:
        """A figure that is kept, or read within its time. What fails is not tried again for the next panel."""
        if key not in self.known:
            kept = current_app.extensions["aggregates"]
            try:
                self.known[key] = kept.get(f"analytics {key}", lambda: _limited(compute))
            except (KamioiError, DBAPIError) as error:
                self.known[key] = error
        found = self.known[key]
        if isinstance(found, Exception):
            raise found
        return found


def _limited(compute: Callable[[Connection], Any]) -> Any:
    """Read on the request's connection, within the time of a widget; the connection stays of use when that fails."""
    connection = database_connection()
    try:
        with in_plain_words():
            database_of().dialect.limit_reads(connection, settings_of().widget_seconds)
            return compute(connection)
    except (KamioiError, DBAPIError):
        connection.rollback()  # on PostgreSQL a statement that is stopped ends its transaction
        raise


def register(pages: Blueprint) -> None:
    """Give Analytics its URLs."""
    pages.add_url_rule(HREF, endpoint="analytics", view_func=show_page)
    pages.add_url_rule(f"{HREF}/<name>", endpoint="analytics/panel", view_func=show_panel)


def show_page() -> Any:
    """The whole page; panels that could not be read say so in their place."""
    values = request.args.to_dict(flat=False)
    asked = parse_list(HREF, PARAMETERS, values)
    if any(not text.strip() for texts in values.values() for text in texts):
        return redirect(asked.link())  # a form sends its empty fields too
    view = View(asked, datetime.now(UTC).date())
    panels = {name: _panel_or_problem(view, name) for name in PANELS}
    return render_template("analytics.html", page=analytics_head.page(view), panels=panels)


def show_panel(name: str) -> Response:
    """One panel, to show it anew."""
    if name not in PANELS:
        raise NotFound("There is no such panel.")
    asked = parse_list(HREF, PARAMETERS, request.args.to_dict(flat=False))
    response = current_app.make_response(_panel(View(asked, datetime.now(UTC).date()), name))
    response.headers["X-Fragment"] = "1"
    return response


def _panel(view: View, name: str) -> Markup:
    panel = PANELS[name](view)
    template = "analytics/tiles.html" if name == "tiles" else "analytics/panel.html"
    return Markup(render_template(template, panel=panel))  # noqa: S704 - the template has escaped it


def _panel_or_problem(view: View, name: str) -> Markup:
    try:
        return _panel(view, name)
    except (KamioiError, DBAPIError) as error:
        log.warning("request %s: the panel %s failed", g.get("request_id"), name, exc_info=error)
        known = str(error) if isinstance(error, KamioiError) else "The database cannot answer just now."
        retry = view.asked.link(under=f"/{name}")
        html = render_template(
            "components/problem.html",
            message=f"{analytics_parts.TITLES[name]}: {known}",
            retry_href=retry,
            page_href=view.asked.link(),
            request_id=g.get("request_id"),
        )
        return Markup(html)  # noqa: S704 - the template has escaped it
