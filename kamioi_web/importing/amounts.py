"""Amounts as people write them, to whole hundredths: string operations only, never a float."""

import re
from collections.abc import Iterable

from kamioi_web.importing.model import Reject

PLAIN = re.compile(r"-?[0-9]{1,13}\.[0-9]{2}", re.ASCII)
SIGNS = {"-": -1, "−": -1, "+": 1}
SYMBOLS = {"£": "GBP", "€": "EUR"}
MARKS = SYMBOLS | {"US$": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD"}
DOLLARS = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "BRL", "CLP", "COP", "ARS", "UYU"}
CODE = r"[A-Z]{3}"
MARK = rf"(?:{CODE}|(?:US|CA|AU|NZ|[AC])?\$|£|€)"
WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-−+])?\s*(?P<mark>{MARK})?\s*(?P<inner>[-−+])?\s*"
    rf"(?P<digits>[0-9][0-9.,'’ \u00a0\u202f]*|[.,][0-9]+)\s*(?P<end>[-−+])?\s*(?P<tail>{MARK}|CR|DR)?\s*(?P<close>\))?"
)
SPACES = re.compile(r"(?<=[0-9])['’ \u00a0\u202f](?=[0-9]{3}(?:[^0-9]|$))")
GROUPED = {".": re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}"), ",": re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")}
LONGEST = 60  # characters; the pattern would be slow on more
NOT_A_NUMBER = "amount: not a number that can be read"


def parse_amount(text: str, decimal: str = ".") -> tuple[int, str | None]:
    """(hundredths, currency code, "$" or None). `decimal` decides what only "1,234" or "1.234" leave open."""
    if PLAIN.fullmatch(text):
        return int(text.replace(".", "")), None
    found = WRITTEN.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if not found:
        raise Reject(NOT_A_NUMBER if text.strip() else "no amount")
    signs = [SIGNS[found[name]] for name in ("sign", "inner", "end") if found[name]]
    signs += [-1] if found["open"] or found["tail"] == "CR" else []
    if len(signs) > 1 or bool(found["open"]) != bool(found["close"]):
        raise Reject("amount: more than one sign, or a bracket without its other half")
    marks = {MARKS.get(found[name], found[name]) for name in ("mark", "tail")} - {None, "CR", "DR"}
    if len(marks) > 1:
        raise Reject("amount: two currencies")
    cents = _hundredths(SPACES.sub("", found["digits"].strip()), decimal)
    return cents * (signs[0] if signs else 1), marks.pop() if marks else None


def decimal_of(text: str) -> str | None:
    """The decimal sign that this amount must have, by its shape alone; None when it may have either."""
    separators = re.sub(r"[^.,]", "", text)
    if not separators or not re.search("[0-9]", text):
        return None
    last, kinds = separators[-1], set(separators)
    other = "," if last == "." else "."
    if len(kinds) == 2:
        return last if separators.count(last) == 1 else None
    if len(separators) > 1:
        return other
    before, after = (re.sub("[^0-9]", "", part) for part in text.split(last))
    return last if len(after) != 3 or len(before) > 3 or before in ("", "0") else None


def symbol_of(texts: Iterable[str]) -> str | None:
    """The currency whose sign these amounts carry, when it is one and only one."""
    found = {SYMBOLS[sign] for text in texts for sign in SYMBOLS if sign in text}
    return found.pop() if len(found) == 1 else None


def agree(mark: str, currency: str) -> bool:
    """Whether an amount with this mark can be in this currency; a dollar sign can be in any of the dollars."""
    return mark == currency or (mark == "$" and currency in DOLLARS)


def _hundredths(digits: str, decimal: str) -> int:
    sign = decimal_of(digits) or decimal
    whole, _, part = digits.partition(sign) if digits.count(sign) == 1 else (digits, "", "")
    if not whole.isdigit() and whole:
        if not GROUPED[sign].fullmatch(whole):
            raise Reject("amount: its thousands are grouped in a way that can be misread")
        whole = re.sub("[.,]", "", whole)
    if part and not part.isdigit():
        raise Reject(NOT_A_NUMBER)
    if part[2:].strip("0"):
        raise Reject("amount: more than two decimals")
    whole = whole.lstrip("0")
    if len(whole) > 13:
        raise Reject("amount: too large")
    return int(whole + part[:2].ljust(2, "0"))
