"""Dates and times as people write them, to microseconds since 1970 in UTC."""

import re
from datetime import date

from kamioi_web.importing.model import Reject

DAY = 86_400_000_000
LONGEST = 60  # characters
EPOCH = date(1970, 1, 1).toordinal()
REST = r"(?:(?:[Tt]|,?\s+)(?P<time>.+))?"
YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})([-/.])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}}){REST}", re.ASCII)
YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})(?P<sign>[-/.])(?P<b>\d{{1,2}})\2(?P<y>\d{{4}}){REST}", re.ASCII)
DAY_NAMED = re.compile(rf"(?P<d>\d{{1,2}})[-/ ](?P<name>[A-Za-z]{{3,9}})[-/, ]+(?P<y>\d{{4}}){REST}", re.ASCII)
NAME_FIRST = re.compile(rf"(?P<name>[A-Za-z]{{3,9}})\.? (?P<d>\d{{1,2}}),? (?P<y>\d{{4}}){REST}", re.ASCII)
COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?P<time>)", re.ASCII)
TIME = re.compile(
    r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<half>[AaPp][Mm])?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[-+]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


def parse_date(text: str, dayfirst: bool = False) -> int:
    """Microseconds since 1970; a date without a time is midnight, a time without a zone is UTC."""
    text = text.strip()
    if not text:
        raise Reject("no date")
    for pattern in (YEAR_FIRST, YEAR_LAST, DAY_NAMED, NAME_FIRST, COMPACT):
        found = pattern.fullmatch(text) if len(text) <= LONGEST else None
        if found:
            year, month, day = _year_month_day(found, dayfirst)
            return _bounded(_days(year, month, day) * DAY + (_time(found["time"]) if found["time"] else 0))
    raise Reject("date: not written in a way that is known here")


def day_first(text: str) -> bool | None:
    """Whether the day comes first in this date, by itself; None when it can be either or the question is idle."""
    found = YEAR_LAST.fullmatch(text.strip())
    if not found or found["sign"] == ".":
        return None
    first, second = int(found["a"]), int(found["b"])
    return None if (first > 12) == (second > 12) else first > 12


def is_open(text: str) -> bool:
    """Whether this date is of the kind that puts the day first in some countries and the month in others."""
    found = YEAR_LAST.fullmatch(text.strip())
    return bool(found) and found["sign"] != "."


def _year_month_day(found: re.Match[str], dayfirst: bool) -> tuple[int, int, int]:
    parts = found.groupdict()
    if "a" in parts:
        first, second = int(parts["a"]), int(parts["b"])
        swap = dayfirst or parts["sign"] == "."
        return int(parts["y"]), second if swap else first, first if swap else second
    if "name" in parts:
        return int(parts["y"]), _month(parts["name"].lower()), int(parts["d"])
    return int(parts["y"]), int(parts["m"]), int(parts["d"])


def _month(name: str) -> int:
    for number, month in enumerate(MONTHS, 1):
        if month.startswith(name) or name == "sept" == month[:4]:
            return number
    raise Reject("date: no such month")


def _days(year: int, month: int, day: int) -> int:
    if year < 1970:
        raise Reject("date: before 1970")
    if year > 2100:
        raise Reject("date: after 2100")
    try:
        return date(year, month, day).toordinal() - EPOCH
    except ValueError:
        raise Reject("date: no such day in the calendar") from None


def _bounded(micros: int) -> int:
    if micros < 0:
        raise Reject("date: before 1970")
    return micros


def _time(text: str) -> int:
    found = TIME.fullmatch(text.strip())
    if not found:
        raise Reject("date: its time cannot be read")
    hour, minute, second = int(found["h"]), int(found["m"]), int(found["s"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            raise Reject("date: no such time of day")
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Reject("date: no such time of day")
    micros = int((found["f"] or "").ljust(6, "0")[:6])
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros - _zone(found["zone"] or "Z")


def _zone(text: str) -> int:
    if text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes > 14 * 60 or int(digits[2:]) > 59:
        raise Reject("date: no such time zone")
    return (-minutes if text[0] == "-" else minutes) * 60_000_000
