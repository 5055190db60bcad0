"""Values of operators that reach from one thing to another: amounts and dates, each end included."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeVar

from kamioi_web import filters, money
from kamioi_web.errors import BadRequest

RANGE = re.compile(r"(?P<low>.*?)\.\.(?P<high>.*)", re.DOTALL)
COMPARED = re.compile(r"(?P<sign>>=|<=|>|<|=|)(?P<value>.*)", re.DOTALL)
DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
DAYS_BACK = re.compile(r"(\d{1,4})d", re.ASCII)

T = TypeVar("T")
Interval = tuple[Any, Any]  # the first and the last; None where that end is open


def amounts(text: str, example: str) -> Interval:
    """Cents of >100, <=5.50, 10..20, 12.50; both ends included, so >100 begins at 100.01."""
    return _interval(text, lambda value: _alone(money.parse(value, "amount")), 1, example)


def shares(text: str, example: str) -> Interval:
    """Shares of >0.9, 80..95 or 50 %; both ends included, for no share is the next one."""
    return _interval(text, lambda value: _alone(filters.share(value, "confidence")), 0, example)


def dates(text: str, today: date, example: str) -> Interval:
    """Days of 2024, 2024-03, 2024-03-14, >2024-03, 2024-01..2024-06, today, yesterday or 30d; both ends included."""
    return _interval(text, lambda value: span_of(value, today, example), timedelta(days=1), example)


def span_of(text: str, today: date, example: str) -> tuple[date, date]:
    """The first and the last day of a year, a month, a day, or of the last so many days."""
    if text in ("today", "yesterday"):
        day = today - timedelta(days=text == "yesterday")
        return day, day
    if back := DAYS_BACK.fullmatch(text):
        return today - timedelta(days=max(0, int(back[1]) - 1)), today
    match = DATE.fullmatch(text)
    found = _days(*match.groups()) if match else None
    if found is None:
        raise BadRequest(f"“{text[:40]}” is not a date from 1970 to 2199. Write {example}.")
    return found


def both(one: Interval, other: Interval) -> Interval:
    """Where two intervals overlap."""
    lows = [low for low in (one[0], other[0]) if low is not None]
    highs = [high for high in (one[1], other[1]) if high is not None]
    return max(lows, default=None), min(highs, default=None)


def _days(year: str, month: str | None, day: str | None) -> tuple[date, date] | None:
    """The days of a year, of a month or of one day; None where the calendar has no such."""
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if not 1970 <= first.year < 2200:
        return None
    last_month = first.month if month else 12
    return _alone(first) if day else (first, date(first.year, last_month, monthrange(first.year, last_month)[1]))


def _alone(value: T) -> tuple[T, T]:
    return value, value


def _interval(text: str, read: Callable[[str], tuple[Any, Any]], step: Any, example: str) -> Interval:
    if ends := RANGE.fullmatch(text):
        low, high = ends["low"].strip(), ends["high"].strip()
        return _between(read(low)[0] if low else None, read(high)[1] if high else None, text, example)
    compared = COMPARED.fullmatch(text)
    assert compared is not None  # it matches anything
    if not compared["value"].strip():
        raise BadRequest(f"“{text[:40]}” is cut off. Write {example}.")
    first, last = read(compared["value"].strip())
    return {
        ">": (last + step, None),
        ">=": (first, None),
        "<": (None, first - step),
        "<=": (None, last),
    }.get(compared["sign"], (first, last))


def _between(low: Any, high: Any, text: str, example: str) -> Interval:
    if low is None and high is None:
        raise BadRequest(f"“{text[:40]}” has no end. Write {example}.")
    if low is not None and high is not None and low > high:
        raise BadRequest(f"“{text[:40]}” ends before it begins. Write {example}.")
    return low, high
