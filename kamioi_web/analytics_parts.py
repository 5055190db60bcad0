"""The panels of Analytics as its templates take them: texts, links to the rows behind each figure, points of charts."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kamioi_web import charts
from kamioi_web.analytics_links import change, money_figure, number_figure, points, rows_href
from kamioi_web.cache import Aged
from kamioi_web.charts import Figure, Line
from kamioi_web.money import brief_money
from kamioi_web.periods import Period, label
from kamioi_web.queries.analytics import Totals, funnel_of, totals_of
from kamioi_web.queries.analytics_scope import Scope
from kamioi_web.queries.flows import Point, Waiting
from kamioi_web.schema import from_micros
from kamioi_web.text import age_text, day_text, iso_text, moment_text, number_text

if TYPE_CHECKING:
    from kamioi_web.analytics_page import View

TITLES = {
    "tiles": "The period at a glance",
    "trend": "Money through",
    "funnel": "From purchase to investment",
    "failures": "Failure rate",
    "accounts": "By account type",
    "categories": "By category",
    "tickers": "Top tickers",
    "merchants": "Top merchants",
}
ALL_ROWS = "purchases less refunds"


def tiles(view: "View") -> dict[str, Any]:
    """The sums of the period, each with its change against the period before."""
    aged, scope = view.flows, view.scope
    now, before = (totals_of(side) for side in aged.value)
    found = [
        _tile(scope, "Money through", now.volume, before.volume, ALL_ROWS),
        _tile(scope, "Round-ups", now.round_ups, before.round_ups, "of all transactions"),
        _tile(scope, "Invested", now.invested, before.invested, "round-ups of completed", status="completed"),
        _tile(scope, "Fees", now.fees, before.fees, "of all transactions"),
        _tile(scope, "Refunds", now.refunds, before.refunds, f"{number_text(now.refunds_n)} refunds", kind="refund",
              good="down"),
        _failed(scope, now, before),
    ]  # fmt: skip
    return panel(view, "tiles", aged, tiles=found)


def _tile(
    scope: Scope, title: str, now: int, before: int, note: str, good: str = "up", **filters: Any
) -> dict[str, Any]:
    figure = money_figure(scope, scope.period, now, **filters)
    return {"label": title, "figure": figure, "note": note, "change": change(scope, now, before, good, **filters)}


def _failed(scope: Scope, now: Totals, before: Totals) -> dict[str, Any]:
    href = rows_href(scope, scope.period, status="failed")
    figure = Figure(now.failed, f"{now.failure_rate:.2f} %", href)
    note = f"{number_text(now.failed)} of {number_text(now.n)}"
    against = {"text": "–", "href": "", "title": "nothing in the period before", "tone": ""}
    if scope.before and before.n:
        title = f"{number_text(before.failed)} of {number_text(before.n)} in {scope.before.text}"
        earlier = rows_href(scope, scope.before, status="failed")
        against = points(scope, now.failure_rate, before.failure_rate, title, earlier)
    return {"label": "Failed", "figure": figure, "note": note, "change": against}


def trend(view: "View") -> dict[str, Any]:
    """The money of each step, with the period before dashed."""
    scope = view.scope

    def figure(point: Point) -> Figure | None:
        return money_figure(scope, point.period, point.amount_cents)

    return _lines(view, "trend", figure, lambda cents: brief_money(cents, scope.currency), least_step=100)


def failures(view: "View") -> dict[str, Any]:
    """The share of each step's rows that failed."""

    def figure(point: Point) -> Figure | None:
        if not point.n:
            return None
        rate = 100 * point.failed / point.n
        text = f"{number_text(point.failed)} of {number_text(point.n)} · {rate:.2f} %"
        return Figure(rate, text, rows_href(view.scope, point.period, status="failed"))

    return _lines(view, "failures", figure, lambda percent: f"{percent:g} %", least_step=0.01)


def _lines(
    view: "View",
    name: str,
    figure: Callable[[Point], Figure | None],
    tick_text: Callable[[float], str],
    least_step: float,
) -> dict[str, Any]:
    aged, by = view.series, view.scope.by
    now, before = aged.value
    lines = [Line("this period", [figure(point) for point in now])]
    if any(point.n for point in before):
        earlier = [(figure(point), point.period.text) for point in before]
        titled = [one and replace(one, title=when) for one, when in earlier]
        lines.append(Line("the period before", titled, dashed=True))
    title = f"{TITLES[name]} by {by}"
    chart = charts.line(name, title, [label(point.period, by) for point in now], lines, tick_text, least_step)
    notes = [] if len(lines) > 1 else [{"text": "There is nothing in the period before to compare with."}]
    return panel(view, name, aged, title=title, chart=chart, first=by.capitalize(), notes=notes)


def funnel(view: "View") -> dict[str, Any]:
    """How far the purchases of the period have come, and how old what waits is."""
    scope, counts = view.scope, funnel_of(view.flows.value[0])
    stages = {
        "Purchases": ("purchases", ()),
        "Mapped to a ticker": ("reached", ("mapped", "completed")),
        "Invested": ("completed", ("completed",)),
        "Waiting to be mapped": ("pending", ("pending",)),
        "In review": ("needs_review", ("needs_review",)),
        "Failed": ("failed", ("failed",)),
        "Rejected": ("rejected", ("rejected",)),
    }
    figures = [
        (title, number_figure(scope, scope.period, counts[key], kind="purchase", status=status))
        for title, (key, status) in stages.items()
    ]
    bars = charts.bars(figures)
    for bar, (_, figure) in zip(bars, figures, strict=True):
        bar["note"] = f"{100 * figure.value / counts['purchases']:.1f} %" if counts["purchases"] else ""
    older = view.flows if view.flows.at <= view.waiting.at else view.waiting
    return panel(view, "funnel", older, bars=bars, table=_ages(view))


def _ages(view: "View") -> dict[str, Any] | None:
    found = view.waiting.value
    rows = [
        {"label": {"text": title}, "cells": _age_cells(view.scope, status, found[status])}
        for status, title in (("pending", "Pending"), ("mapped", "Mapped"))
        if status in found
    ]
    head = ["Transactions", "Median age", "Oldest"]
    return {"first": "What waits, refunds too", "head": head, "rows": rows} if rows else None


def _age_cells(scope: Scope, status: str, one: Waiting) -> list[Any]:
    oldest_href = rows_href(scope, Period(one.oldest, one.oldest), status=status)
    title = f"{number_text(one.oldest_n)} posted on {day_text(one.oldest.isoformat())}"
    return [
        number_figure(scope, scope.period, one.n, status=status),
        {"text": _days(one.median_days)},
        {"text": _days(one.oldest_days), "href": oldest_href, "title": title},
    ]


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{number_text(days)} days"


def panel(view: "View", name: str, aged: Aged[Any] | None, **content: Any) -> dict[str, Any]:
    """What every panel has: its name, its age and how to read it anew."""
    at = from_micros(int(aged.at * 1_000_000)) if aged else None
    return {
        "name": name,
        "title": TITLES[name],
        "age": age_text(aged.age) if aged else "",
        "at": iso_text(at) if at else "",
        "moment": moment_text(at) if at else "",
        "again_href": view.asked.link(under=f"/{name}"),
        "page_href": view.asked.link(),
        "notes": [],
    } | content
