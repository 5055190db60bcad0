"""Money as people write it, to and from integer minor units. Nothing is reckoned in floats."""

import re
from functools import lru_cache

from kamioi_web.errors import BadRequest

SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "CAD": "CA$", "AUD": "A$", "JPY": "¥", "INR": "₹", "CHF": "CHF\u00a0"}
MINUS = "−"
SCALES = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))
FORM = re.compile(r"([+\-−]?)(\d{1,13})(?:\.(\d{1,2}))?", re.ASCII)


@lru_cache(maxsize=16_384)
def money(cents: int, currency: str) -> str:
    """12345678 of USD is $123,456.78; a minus sign stands before the symbol."""
    symbol = SYMBOLS.get(currency) or f"{currency}\u00a0"
    whole, rest = divmod(abs(cents), 100)
    return f"{MINUS if cents < 0 else ''}{symbol}{whole:,}.{rest:02d}"


def brief_money(cents: float, currency: str) -> str:
    """Money in a few characters, for the axis of a chart: $950, $1.2k, $34k, $5.6M."""
    symbol, size = SYMBOLS.get(currency) or f"{currency}\u00a0", abs(cents) / 100
    scale, unit = next(((scale, unit) for scale, unit in SCALES if size >= scale), (1, ""))
    digits = 1 if size / scale < 10 and size % scale else 0
    return f"{MINUS if cents < 0 else ''}{symbol}{size / scale:,.{digits}f}{unit}"


def plain(cents: int) -> str:
    """12345678 is 123456.78, as a form field or a spreadsheet takes it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def decimal(cents: int) -> float:
    """12345678 is 123456.78, for programs that read money as a number; the exact cents stand beside it."""
    return cents / 100


def parse(text: str, parameter: str) -> int:
    """Cents of an amount typed as 12, 12.5 or -1,234.50; anything else is a BadRequest that says so."""
    match = FORM.fullmatch(text.replace(",", "").replace("$", "").strip())
    if not match:
        raise BadRequest(
            f"“{text[:40]}” is not an amount that “{parameter}” takes. Write it as 12.50 or -12.50.", parameter
        )
    cents = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
    return -cents if match[1] in ("-", MINUS) else cents
