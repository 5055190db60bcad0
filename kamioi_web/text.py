"""How dates, numbers, ages and states read on a page."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from kamioi_web.api.answers import Identified

STATUS_LABELS = {
    "pending": "pending",
    "mapped": "mapped",
    "completed": "completed",
    "failed": "failed",
    "rejected": "rejected",
    "needs_review": "in review",
}
LABELS = STATUS_LABELS | {"llm": "model", "nobody": "no company"}
SAFE_INTEGER = 2**53 - 1


@lru_cache(maxsize=4096)
def day_text(iso: str) -> str:
    """2024-03-04 is 4 Mar 2024."""
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b} {day.year}"


def month_text(month: int) -> str:
    """A month counted from January 1970: 650 is Mar 2024."""
    return f"{date(1970 + month // 12, month % 12 + 1, 1):%b %Y}"


def moment_text(moment: datetime) -> str:
    """A UTC moment in full: 14 Mar 2024 09:49:13 UTC."""
    return f"{day_text(moment.date().isoformat())} {moment:%H:%M:%S} UTC"


def iso_text(moment: datetime) -> str:
    """A UTC moment for programs: 2024-03-14T09:49:13.123456Z."""
    return moment.isoformat().replace("+00:00", "Z")


def number_text(number: int) -> str:
    """1204338 is 1,204,338."""
    return f"{number:,}"


def percent_text(share: float) -> str:
    """0.935 is 93.5 %, 0.9 is 90 %; cut, not rounded, so that what is below a threshold does not look like it."""
    tenths = int(Decimal(repr(share)) * 1000)
    return f"{tenths // 10}.{tenths % 10} %" if tenths % 10 else f"{tenths // 10} %"


def rough(number: int) -> str:
    """A large number in a few characters: 1,020 million."""
    return f"{round(number / 1_000_000):,} million" if number >= 10_000_000 else f"{number:,}"


def size_text(bytes: int) -> str:
    """The size of a file: 812 B, 14.2 kB, 3.1 MB."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if bytes >= size:
            return f"{bytes / size:.1f} {unit}"
    return f"{bytes} B"


def age_text(seconds: float) -> str:
    """An age: 3 s, 4 min, 2 h or 5 days."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def identifier(id: int) -> Identified:
    """An id for JSON: as a number while every client can hold it, and always as text."""
    return {"id": id if id <= SAFE_INTEGER else None, "id_text": str(id)}
