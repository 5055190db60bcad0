"""The timeline beside a list: its true histogram in at most 90 bars, newest first, each a link to that time."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kamioi_web.paging.positions import Spans
from kamioi_web.schema import from_micros
from kamioi_web.text import day_text, number_text

MOST_BARS = 84
ROOM_FOR_YEAR = 4  # bars that a year needs below it
WIDEST = 52  # percent of the rail; the rest is for the years
DAY = 86_400_000_000
STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 364)


def bars(spans: Spans, href: Callable[[date], str]) -> dict[str, Any]:
    """{bars, years, label} for the templates; the last day of a bar is what its link opens at."""
    newest, oldest = (spans.spans[0][1] - 1) // DAY, spans.spans[-1][0] // DAY
    days = newest - oldest + 1
    step = next((step for step in STEPS if days <= step * MOST_BARS), -(-days // MOST_BARS))
    counts = [0] * -(-days // step)
    for low, high, n in spans.spans:
        middle = (low + high - 1) // 2 // DAY  # a month goes to the bar of its middle
        counts[(newest - min(middle, newest)) // step] += n
    return {"bars": _bars(counts, newest, step, href), "years": _years(counts, newest, step), "label": _label(step)}


def _bars(counts: list[int], newest: int, step: int, href: Callable[[date], str]) -> list[dict[str, Any]]:
    most = max(counts)
    found = []
    for number, n in enumerate(counts):
        last = from_micros((newest - number * step) * DAY).date()
        first = last - timedelta(days=step - 1)
        when = (
            day_text(last.isoformat()) if step == 1 else f"{day_text(first.isoformat())} – {day_text(last.isoformat())}"
        )
        title = f"{when}: {number_text(n)}"
        found.append({"href": href(last), "title": title, "width": max(1, round(n / most * WIDEST)) if n else 0})
    return found


def _years(counts: list[int], newest: int, step: int) -> list[dict[str, Any]]:
    """A label at the first bar of each year; where they would touch, at every second, third and so on."""
    found: list[dict[str, Any]] = []
    for number in range(len(counts)):
        year = str(from_micros((newest - number * step) * DAY).year)
        if not found or found[-1]["label"] != year:
            found.append({"label": year, "index": number})
    fitting = [year for year in found if year["index"] <= len(counts) - ROOM_FOR_YEAR or len(found) == 1]
    return fitting[:: -(-len(fitting) // 12) or 1]


def _label(step: int) -> str:
    return "Rows by day" if step == 1 else f"Rows by {step} days"
