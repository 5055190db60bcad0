"""The panels of Analytics that are tables: categories, account types, tickers and merchants."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kamioi_web.analytics_links import change, money_figure, number_figure
from kamioi_web.analytics_parts import panel
from kamioi_web.charts import Figure
from kamioi_web.queries.analytics import SHOWN, parts_of
from kamioi_web.queries.analytics_scope import Scope
from kamioi_web.text import number_text

if TYPE_CHECKING:
    from kamioi_web.analytics_page import View

HEAD = ["Amount", "Transactions", "Change"]
UNSPLIT = "These totals are not kept by category or account type."
CLOSE = "So many merchants are close to each other that others might belong here; each figure is exact."


def categories(view: "View") -> dict[str, Any]:
    """The money of each category."""
    return _split(view, "categories", "category", "Category")


def accounts(view: "View") -> dict[str, Any]:
    """The money of each type of account."""
    return _split(view, "accounts", "account_type", "Account type")


def _split(view: "View", name: str, key: str, first: str) -> dict[str, Any]:
    parts = parts_of(*view.flows.value, key)
    shown = parts if key in view.scope.all or key == "account_type" else parts[:SHOWN]
    rows = [
        _row(view.scope, part.name or "(none)", part.now.amount_cents, part.now.n, part.before.amount_cents,
             _drill(view, key, part.name), **{key: part.name})
        for part in shown
    ]  # fmt: skip
    if rest := parts[len(shown) :]:
        sums = [sum(part.now.amount_cents for part in rest), sum(part.now.n for part in rest)]
        rows.append(_rest(view, name, key, len(rest), *sums))
    return panel(view, name, view.flows, table=_table(first, rows), notes=_fewer(view, name, key))


def _drill(view: "View", key: str, value: str) -> str:
    """The same page of one category or account type alone."""
    return view.asked.link((key, value), without=(key, "all")) if value.strip() == value != "" else ""


def tickers(view: "View") -> dict[str, Any]:
    """The tickers with the most money, and what the others come to."""
    if view.scope.filtered:
        return _unsplit(view, "tickers")
    found = view.tickers.value
    rows = [
        _row(view.scope, row.ticker, row.now.amount_cents, row.now.n, row.before.amount_cents, ticker=row.ticker)
        for row in found.rows
    ]
    if found.others:
        rows.append(_rest(view, "tickers", "ticker", found.others, found.rest.amount_cents, found.rest.n))
    notes = _fewer(view, "tickers", "ticker")
    return panel(view, "tickers", view.tickers, table=_table("Ticker", rows), notes=notes)


def merchants(view: "View") -> dict[str, Any]:
    """The merchants with the most money in the months that the period touches."""
    if view.scope.filtered:
        return _unsplit(view, "merchants")
    found = view.merchants.value
    months = Scope(found.months, found.before, view.scope.by, "", view.scope.currency)
    rows = [_row(months, row.name, row.amount_cents, row.n, row.before_cents, merchant_id=row.id) for row in found.rows]
    whole = view.scope.period == found.months
    notes = [] if whole else [{"text": f"Merchants are totalled by month: these are of {found.months.text}."}]
    if not found.proven:
        notes.append({"text": CLOSE})
    return panel(view, "merchants", view.merchants, table=_table("Merchant", rows), notes=notes)


def _row(
    scope: Scope, name: str, cents: int, n: int, before_cents: int, label_href: str = "", **here: Any
) -> dict[str, Any]:
    """One part of the period: its amount and number of rows, the change, and in `value` what its bar shows."""
    return {
        "label": {"text": name, "href": label_href},
        "cells": [
            money_figure(scope, scope.period, cents, **here),
            number_figure(scope, scope.period, n, **here),
            change(scope, cents, before_cents, **here),
        ],
        "value": abs(cents),
    }


def _rest(view: "View", name: str, key: str, others: int, cents: int, n: int) -> dict[str, Any]:
    """What is not shown, leading to the page on which each part of it is."""
    href = f"{view.asked.link(('all', key))}#panel-{name}"
    amount, count = (make(view.scope, view.scope.period, value).text
                     for make, value in ((money_figure, cents), (number_figure, n)))  # fmt: skip
    cells = [Figure(cents, amount, href), Figure(n, count, href), {"text": ""}]
    return {"label": {"text": f"The other {number_text(others)}", "href": href}, "cells": cells, "value": None}


def _table(first: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The rows with a bar each, as shares of the largest; None where there are none."""
    most = max((row["value"] for row in rows if row["value"]), default=0)
    shares = [row["value"] / most if row["value"] else None for row in rows]
    shown = [row | {"share": share} for row, share in zip(rows, shares, strict=True)]
    return {"first": first, "head": HEAD, "rows": shown, "shares": True} if rows else None


def _fewer(view: "View", name: str, key: str) -> list[dict[str, str]]:
    """The way back from all of them to the first few."""
    if key not in view.scope.all:
        return []
    kept = [("all", other) for other in view.scope.all if other != key]
    return [{"text": f"Only the first {SHOWN}", "href": f"{view.asked.link(*kept, without=('all',))}#panel-{name}"}]


def _unsplit(view: "View", name: str) -> dict[str, Any]:
    back = {"text": "Show them without the filter", "href": view.asked.link(without=("category", "account_type"))}
    return panel(view, name, None, notes=[{"text": UNSPLIT}, back])
