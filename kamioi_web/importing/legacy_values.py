"""Single values of a legacy database, made exact: money, moments, tickers, confidence.

Money is REAL dollars there; it becomes cents when it lies within a millionth of one, else the row is refused.

Moments come in four shapes, and three of them name no zone. What is decided here, from how the legacy code wrote them:

    2025-09-26 10:12:32          a transaction's date: US/Eastern; created_at: UTC, which is what its database writes
    2025-09-26T10:12:32.611793   US/Eastern, the clock of the application, in every column
    2025-09-26                   midnight UTC
    09/26/2025                   midnight UTC, the month first
    anything with Z or +hh:mm    exactly that moment

In the hour that comes twice in autumn the first is meant; the raw text is kept wherever a zone had to be supplied.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from kamioi_web.schema import to_micros

EASTERN = ZoneInfo("America/New_York")
MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:(?P<mark>[ T])(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?"
)
AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
TICKER = re.compile(r"(?=.*[A-Z])[A-Z0-9]{1,6}(?:[.-][A-Z0-9]{1,3})?")
# The legacy mapper wrote the first five where it knew no company, exports wrote the others for an empty field.
NO_TICKERS = {"RETAIL", "FOOD", "ENERGY", "HOTEL", "AIRLINE", "NONE", "NULL", "NAN"}
LARGEST_CENTS = 2**53  # beyond this a REAL cannot tell one cent from the next
FLAGS = {"true": 1, "t": 1, "false": 0, "f": 0, "": 0}


class Unusable(ValueError):
    """A value that cannot be imported; its text says why."""


def cents(value: Any, name: str) -> int:
    """Dollars, however they are stored, as whole cents."""
    if value is None:
        raise Unusable(f"{name} is empty")
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise Unusable(f"{name} is not a number: {_short(value)}") from None
    if not exact.is_finite() or abs(exact) * 100 > LARGEST_CENTS:
        raise Unusable(f"{name} is out of range: {_short(value)}")
    whole = (exact * 100).to_integral_value(ROUND_HALF_EVEN)
    if abs(exact * 100 - whole) > Decimal("0.000001"):
        raise Unusable(f"{name} is not whole cents: {_short(value)}")
    return int(whole)


def moment(value: Any, name: str, spaced: tzinfo) -> tuple[int, bool]:
    """Microseconds since 1970, and whether the text itself said so; `spaced` is the zone of 'day clock'."""
    text = "" if value is None else str(value).strip()
    if not text:
        raise Unusable(f"{name} is empty")
    read, exact = _read_moment(text, spaced)
    if read is None:
        raise Unusable(f"{name} is not a date that is known: {_short(value)}")
    if not FIRST <= read < LAST:
        raise Unusable(f"{name} lies outside 1970 to 2099: {_short(value)}")
    return to_micros(read), exact


def ticker(value: Any) -> str | None:
    """The symbol in capitals, or None where it is not one."""
    symbol = words(value).upper()
    return symbol if TICKER.fullmatch(symbol) and symbol not in NO_TICKERS else None


def confidence(value: Any) -> float:
    """A share from 0 to 1, of a share, a percentage or '93%'."""
    text = "0" if value is None else str(value).strip()
    try:
        share = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        raise Unusable(f"confidence is not a number: {_short(value)}") from None
    if share.is_finite() and (text.endswith("%") or share > 1):
        share /= 100
    if not share.is_finite() or not 0 <= share <= 1:
        raise Unusable(f"confidence lies outside 0 to 1 and 0 to 100: {_short(value)}")
    return float(share)


def flag(value: Any) -> int | None:
    """admin_approved as 1, 0 or -1, whichever of its types it has; None where it says nothing."""
    if value is None:
        return None
    text = str(value).strip().lower()
    if text in FLAGS:
        return FLAGS[text]
    try:
        return max(-1, min(1, int(Decimal(text))))
    except (InvalidOperation, ValueError, OverflowError):
        return None


def words(value: Any) -> str:
    """Text with its blanks trimmed, '' for nothing."""
    return verbatim(value).strip()


def verbatim(value: Any) -> str:
    """Text as it stands; only NUL, which PostgreSQL cannot hold, becomes the sign for a character that is lost."""
    return "" if value is None else str(value).replace("\0", "\ufffd")


def key(value: Any) -> str:
    """A status or type for looking up: lower case, one kind of dash."""
    return words(value).lower().replace("_", "-").replace(" ", "-")


def line_of(id: Any) -> int:
    """A number for an id: itself, or for ids that are words one made from them."""
    text = str(id).strip()
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return 2**62 + int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")


def _read_moment(text: str, spaced: tzinfo) -> tuple[datetime | None, bool]:
    american = AMERICAN.fullmatch(text)
    iso = MOMENT.fullmatch(text)
    try:
        if american:
            month, day, year = map(int, american.groups())
            return datetime(year, month, day, tzinfo=UTC), False
        if iso is None:
            return None, False
        if not iso["clock"]:
            return datetime.fromisoformat(text).replace(tzinfo=UTC), False
        local = datetime.fromisoformat(f"{iso['day']}T{iso['clock']}{iso['zone'] or ''}")
        exact = local.tzinfo is not None or (iso["mark"] == " " and spaced is UTC)
        if local.tzinfo is None:
            local = local.replace(tzinfo=spaced if iso["mark"] == " " else EASTERN)
        return (local - (local.utcoffset() or timedelta())).replace(tzinfo=UTC), exact
    except (ValueError, OverflowError):
        return None, False


def _short(value: Any) -> str:
    return str(value)[:80]
