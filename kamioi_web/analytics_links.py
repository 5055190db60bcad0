"""The figures of Analytics as texts that lead to the rows behind them in the list of transactions."""

from functools import lru_cache
from typing import Any

from kamioi_web.cells import quoted
from kamioi_web.charts import Figure
from kamioi_web.errors import BadRequest
from kamioi_web.filters import parse_filters
from kamioi_web.money import MINUS, money
from kamioi_web.periods import Period
from kamioi_web.queries.analytics_scope import Scope
from kamioi_web.queries.transactions import PARAMETERS
from kamioi_web.text import number_text

LIST = "/transactions"
FLAT = 0.05  # percent; what rounds to nothing is no change


def rows_href(scope: Scope, period: Period, **filters: Any) -> str:
    """The list's address with exactly these rows; '' where an address cannot say a value, as an empty category."""
    shared = {"account_type": scope.account_type, "category": scope.category, "currency": scope.currency}
    pairs = [_pair(name, str(value)) for name, values in (shared | filters).items() for value in _each(values)]
    return f"{LIST}?since={period.since}&until={period.until}{''.join(pairs)}" if all(pairs) else ""


def _each(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


@lru_cache(maxsize=4096)
def _pair(name: str, text: str) -> str:
    """A filter as a part of an address, kept, since a page has hundreds of the same; '' where none can say it."""
    return f"&{name}={quoted(text)}" if _can_be_said(name, text) else ""


def _can_be_said(name: str, text: str) -> bool:
    """Whether the list reads this text as this value: not when it would trim, refuse or overlook it."""
    try:
        read = parse_filters(PARAMETERS, {name: [text]}).get(name)
    except BadRequest:
        return False
    return str(read[0] if isinstance(read, tuple) else read) == text


def money_figure(scope: Scope, period: Period, cents: int, **filters: Any) -> Figure:
    """An amount of cents that leads to its rows."""
    return Figure(cents, money(cents, scope.currency), rows_href(scope, period, **filters))


def number_figure(scope: Scope, period: Period, n: int, **filters: Any) -> Figure:
    """A number of rows that leads to them."""
    return Figure(n, number_text(n), rows_href(scope, period, **filters))


def change(scope: Scope, now: int, before: int, good: str = "up", **filters: Any) -> dict[str, str]:
    """How an amount has changed since the period before, in percent, leading to the rows of that period.

    `good` is the direction that is welcome, up or down; sizes are compared, so refunds that grow go up.
    """
    earlier = scope.before
    if earlier is None or not before:
        return {"text": "–", "href": "", "title": "nothing in the period before", "tone": ""}
    percent = 100 * (abs(now) - abs(before)) / abs(before)
    title = f"{money(before, scope.currency)} in {earlier.text}"
    return {"href": rows_href(scope, earlier, **filters), "title": title, **_direction(percent, "%", good)}


def points(scope: Scope, now: float, before: float, title: str, href: str) -> dict[str, str]:
    """How a share in percent has changed, in percentage points; less is welcome."""
    return {"href": href, "title": title, **_direction(now - before, "pt", "down", digits=2)}


def _direction(value: float, unit: str, good: str, digits: int = 1) -> dict[str, str]:
    if abs(value) < FLAT / 10 ** (digits - 1):
        return {"text": f"0 {unit}", "tone": ""}
    up = value > 0
    text = f"{'+' if up else MINUS}{abs(value):,.{digits}f} {unit}"
    return {"text": text, "tone": "good" if up == (good == "up") else "bad"}
