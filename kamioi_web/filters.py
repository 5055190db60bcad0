"""Reading a list's filters from the URL, strictly: what is unknown, doubled or malformed is named, never ignored."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from kamioi_web import money
from kamioi_web.errors import BadRequest

LONGEST = 200  # characters of one value
MOST = 20  # values of one parameter
TICKER = r"[A-Za-z][A-Za-z0-9]{0,5}([.\-][A-Za-z]{1,2})?"
SHARE = r"^([0-9]{1,2}(\.[0-9]{1,6})?|100|\.[0-9]{1,6}) ?%?$"
YEARS = "(19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})"
DAY_FORM = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
T = TypeVar("T")


@dataclass(frozen=True)
class Reader(Generic[T]):
    """Turns the text of a parameter into its value, or raises BadRequest; `takes` says as JSON Schema what it takes."""

    read: Callable[[str, str], T]
    takes: Mapping[str, Any]

    def __call__(self, text: str, name: str) -> T:
        return self.read(text, name)


def taking(**takes: Any) -> Callable[[Callable[[str, str], T]], Reader[T]]:
    """Make a function of the text and the parameter's name a Reader; `takes` is JSON Schema, a string's if not said."""
    return lambda read: Reader(read, {"type": "string", **takes})


@dataclass(frozen=True)
class Parameter:
    """One filter as the URL spells it: `read` turns its text into a value or raises BadRequest."""

    name: str
    label: str
    read: Reader[Any]
    many: bool = False
    about: str = ""  # for the API's document, where the label says too little


def parse_filters(parameters: Sequence[Parameter], values: Mapping[str, list[str]]) -> dict[str, Any]:
    """{name: value, or tuple of values where many} of the parameters that are given; empty ones count as not given."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        given = [text for text in values.get(parameter.name, []) if text.strip()]
        if not given:
            continue
        if not parameter.many and len(given) > 1:
            raise BadRequest(f"“{parameter.name}” is given {len(given)} times; it takes one value.", parameter.name)
        if len(given) > MOST:
            raise BadRequest(f"“{parameter.name}” takes at most {MOST} values; {len(given)} are given.", parameter.name)
        read = [parameter.read(_bounded(text, parameter.name), parameter.name) for text in given]
        found[parameter.name] = tuple(dict.fromkeys(read)) if parameter.many else read[0]
    return found


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Raise BadRequest for the first parameter that the page does not take, naming those it does."""
    for name in names:
        if name not in known:
            choices = ", ".join(sorted(known))
            raise BadRequest(f"There is no parameter “{name[:40]}” here. This page takes: {choices}.", name[:40])


def one_of(choices: Collection[str]) -> Reader[str]:
    """A reader of one of those words."""

    @taking(enum=[*choices])
    def read(text: str, name: str) -> str:
        if text in choices:
            return text
        raise BadRequest(f"“{text[:40]}” is not a {name.replace('_', ' ')}. It is one of: {', '.join(choices)}.", name)

    return read


@taking(description="Text, without control characters.", maxLength=LONGEST, pattern=r"^[^\u0000-\u001f]*$")
def words(text: str, name: str) -> str:
    """A reader of free text: outer blanks go, NUL and other controls are refused."""
    if any(ord(letter) < 32 for letter in text):
        raise BadRequest(f"“{name}” holds a control character. Type the words again.", name)
    return text.strip()


@taking(description="A ticker, in capitals or small letters.", pattern=f"^{TICKER}$", examples=["SBUX", "BRK.B"])
def ticker(text: str, name: str) -> str:
    """A reader of a ticker such as SBUX or BRK.B."""
    if re.fullmatch(TICKER, text, re.ASCII):
        return text.upper()
    raise BadRequest(f"“{text[:40]}” is not a ticker. A ticker looks like SBUX or BRK.B.", name)


@taking(description="An ISO 4217 code, in capitals or small letters.", pattern="^[A-Za-z]{3}$", examples=["USD"])
def currency(text: str, name: str) -> str:
    """A reader of an ISO 4217 code such as USD."""
    if re.fullmatch(r"[A-Za-z]{3}", text, re.ASCII):
        return text.upper()
    raise BadRequest(f"“{text[:40]}” is not a currency. A currency is three letters, such as USD.", name)


@taking(description="A whole number from 1 on.", type="integer", minimum=1, maximum=2**63 - 1)
def number(text: str, name: str) -> int:
    """A reader of a whole number from 1 to 2^63 - 1."""
    if re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) and 1 <= int(text) < 2**63:
        return int(text)
    raise BadRequest(f"“{text[:40]}” is not a number that “{name}” takes: 1, 2, 3 and so on.", name)


@taking(description="A date, from 1970 to 2199.", format="date", pattern=f"^{YEARS}-[0-9]{{2}}-[0-9]{{2}}$")
def day(text: str, name: str) -> date:
    """A reader of a date written 2024-03-14, from 1970 to 2199."""
    try:
        found = date.fromisoformat(text) if DAY_FORM.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year < 2200:
        raise BadRequest(
            f"“{text[:40]}” is not a date that “{name}” takes. Write one of the calendar, as 2024-03-14.", name
        )
    return found


@taking(description="In units of the currency, with a point.", pattern=r"^[+\-]?[0-9]{1,13}(\.[0-9]{1,2})?$")
def amount(text: str, name: str) -> int:
    """A reader of an amount, to cents."""
    return money.parse(text, name)


@taking(description="A share from 0 to 1, written 0.9, 90 or 90 %.", pattern=SHARE, examples=["0.9", "90 %"])
def share(text: str, name: str) -> float:
    """A reader of a share from 0 to 1, written 0.9, 90 or 90 %; a plain 1 is the whole, not one per cent."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?|\.\d{1,6})\s*(%?)", text, re.ASCII)
    value = Decimal(match[1]) if match else Decimal(-1)
    found = value / 100 if match and (match[2] or value > 1) else value
    if not 0 <= found <= 1:
        raise BadRequest(f"“{text[:40]}” is not a share that “{name}” takes. Write it as 0.9 or as 90 %.", name)
    return float(found)


def start_of(day: date) -> datetime:
    """Midnight at which a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """Midnight at which a UTC day ends."""
    return start_of(day) + timedelta(days=1)


def _bounded(text: str, name: str) -> str:
    if len(text) > LONGEST:
        raise BadRequest(f"“{name}” is {len(text):,} characters long; at most {LONGEST} are taken.", name)
    return text
