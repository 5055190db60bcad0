"""What the lists share in showing themselves: escaped text, fields of the filter form, chips of the filters in use."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from markupsafe import escape

from kamioi_web.list_request import ListRequest
from kamioi_web.text import LABELS, day_text, number_text

SPARK_DAYS = 30
Chip = tuple[str, str, tuple[str, ...]]
Counts = Mapping[str, Sequence[tuple[str, int]]]


@lru_cache(maxsize=16_384)
def quoted(text: str) -> str:
    """The text as a value in a URL."""
    return quote(text, safe="")


@lru_cache(maxsize=16_384)
def escaped(text: str | None) -> str:
    """HTML text of what a person or a bank wrote. The same names come again and again, so they are kept."""
    return str(escape(text or ""))


def choices(request: ListRequest, name: str, label: str, values: Sequence[str], counts: Counts) -> dict[str, Any]:
    """A field of boxes to tick, each with the rows that have its value in the whole list where that is kept."""
    chosen, kept = request.given.get(name, ()), dict(counts.get(name, []))
    options = [
        {
            "value": value,
            "label": LABELS.get(value, value),
            "count": number_text(kept[value]) if value in kept else "",
            "selected": value in chosen,
        }
        for value in values
    ]
    return {"kind": "choices", "name": name, "label": label, "multiple": True, "options": options}


def text_field(request: ListRequest, name: str, label: str, placeholder: str, **more: Any) -> dict[str, Any]:
    """A field to type into; `more` may hold help and suggestions."""
    value = dict(request.pairs).get(name)
    return {"kind": "text", "name": name, "label": label, "value": value, "placeholder": placeholder, **more}


def range_field(request: ListRequest, label: str, low: str, high: str, input: str, **more: Any) -> dict[str, Any]:
    """Two fields, from and to; `more` may hold help and presets."""
    texts = dict(request.pairs)
    ends = {"low_name": low, "low": texts.get(low), "high_name": high, "high": texts.get(high)}
    return {"kind": "range", "label": label, "input": input, **ends, **more}


def dates(request: ListRequest, label: str) -> dict[str, Any]:
    """The field of the dates that a list lies between."""
    return range_field(request, label, "since", "until", "date", help="Whole days in UTC, both included.")


def chips(request: ListRequest, labels: Mapping[str, str], dates_label: str) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use, in the order of `labels`."""
    found: list[Chip] = []
    for name, label in labels.items():
        values = [LABELS.get(text, text) for key, text in request.pairs if key == name]
        if values:
            found.append((label, ", ".join(values), (name,)))
    texts = dict(request.pairs)
    if "since" in texts or "until" in texts:
        found.append((dates_label, _between(texts.get("since"), texts.get("until")), ("since", "until")))
    return found


def _between(since: str | None, until: str | None) -> str:
    if since and until:
        return f"{day_text(since)} – {day_text(until)}" if since != until else day_text(since)
    return f"from {day_text(since)}" if since else f"until {day_text(until or '')}"


def spark(
    series: Mapping[tuple[int, str, str], tuple],
    measure: int = 0,
    status: str | None = None,
    currency: str | None = None,
) -> list[float]:
    """One measure of Figures.series(SPARK_DAYS) by day, oldest first, as shares of the largest day; [] of nothing."""
    sums: dict[int, int] = {}
    for (day, of_status, code), values in series.items():
        if status in (None, of_status) and currency in (None, code):
            sums[day] = sums.get(day, 0) + values[measure]
    if not any(sums.values()):
        return []
    last = max(day for day, _, _ in series)
    values = [max(0, sums.get(day, 0)) for day in range(last - SPARK_DAYS + 1, last + 1)]
    return [value / max(*values, 1) for value in values]
