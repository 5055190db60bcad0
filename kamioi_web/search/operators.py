"""The operators of the search box: their names, what they take, and what they are in the parameters of a list's URL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from kamioi_web import money
from kamioi_web.errors import BadRequest
from kamioi_web.filters import Parameter, number
from kamioi_web.search.intervals import Interval, amounts, both, dates, shares
from kamioi_web.search.terms import Term, split

BOX = "q"  # the parameter that holds what was typed
LONGEST = 400  # characters that are read
ALIASES = {
    "amt": "amount", "total": "amount", "state": "status", "symbol": "ticker", "stock": "ticker", "shop": "merchant",
    "cat": "category", "account": "account_type", "type": "account_type", "cur": "currency", "day": "date",
    "posted": "date", "month": "date", "year": "date", "from": "since", "to": "until", "is": "kind",
    "transaction": "id", "email": "user",
}  # fmt: skip
EXAMPLES = {
    "merchant": ('merchant:"whole foods"',),
    "user": ("user:I1000042",),
    "amount": ("amount:>100", "amount:<=5.50", "amount:10..20"),
    "date": ("date:2024", "date:2024-03", "date:2024-03-14", "date:2024-01..2024-06", "date:30d"),
    "since": ("since:2024-03-14",),
    "until": ("until:2024-03",),
    "status": ("status:failed", "status:failed,rejected"),
    "kind": ("kind:refund",),
    "ticker": ("ticker:SBUX",),
    "category": ("category:groceries",),
    "account_type": ("account:family",),
    "source": ("source:bank",),
    "confidence": ("confidence:<0.9", "confidence:80..95"),
    "currency": ("currency:USD",),
    "id": ("id:123",),
}
ENDS = {
    "date": ("since", "until"),
    "amount": ("amount_min", "amount_max"),
    "confidence": ("confidence_min", "confidence_max"),
}
WRITE = {"date": lambda day: day.isoformat(), "amount": money.plain, "confidence": lambda share: f"{share:g}"}


@dataclass(frozen=True)
class Asked:
    """What a text asks for: plain words, parameters with their values, and the id of one thing."""

    words: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    id: int | None = None


@dataclass
class _Reading:
    """What has been understood so far; several intervals of one kind narrow one another."""

    words: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    intervals: dict[str, Interval] = field(default_factory=dict)
    id: int | None = None


def operators_of(parameters: Sequence[Parameter]) -> set[str]:
    """The operators that a list with these parameters takes, by all of their names."""
    own = {parameter.name for parameter in parameters}
    known = own | {"id"}
    for name, ends in ENDS.items():
        if own.issuperset(ends):
            known = (known - {*ends}) | {name} | ({*ends} if name == "date" else set())
    return known | {alias for alias, name in ALIASES.items() if name in known}


def read(typed: str, operators: Collection[str], today: date | None = None) -> Asked:
    """What a text asks for; `operators` are those of all lists.

    BadRequest for an operator that is cut off or whose value cannot be read; whatever is no operator is plain words.
    """
    refuse(typed)
    reading, now = _Reading(), today or datetime.now(UTC).date()
    for term in split(typed, operators):
        _take(term, reading, now)
    pairs = (*dict.fromkeys(reading.pairs), *_interval_pairs(reading.intervals))
    return Asked(" ".join(reading.words), pairs, reading.id)


def refuse(typed: str) -> None:
    """BadRequest for a text that is too long to be read, or that no keyboard types."""
    if len(typed) > LONGEST:
        raise BadRequest(f"The search is {len(typed):,} characters long; at most {LONGEST} are read.", BOX)
    if any(ord(letter) < 32 and not letter.isspace() for letter in typed):
        raise BadRequest("The search holds a control character. Type it again.", BOX)


def example_of(name: str) -> str:
    """How an operator is written, as part of a sentence."""
    *first, last = EXAMPLES.get(name, (f"{name}:…",))
    return f"{', '.join(first)} or {last}" if first else last


def _take(term: Term, reading: _Reading, today: date) -> None:
    text, name = term.text.strip(), ALIASES.get(term.operator, term.operator)
    if not name:
        reading.words += text.split()
    elif not term.values:
        raise BadRequest(f"“{term.operator}:” wants a value right behind the colon. Write {example_of(name)}.", BOX)
    elif name == "id":
        reading.id = number(text, BOX)
    elif interval := _interval(name, text, today):
        kind = "date" if name in ENDS["date"] else name
        reading.intervals[kind] = both(interval, reading.intervals.get(kind, (None, None)))
    else:
        reading.pairs += [(name, value) for value in term.values]


def _interval(name: str, text: str, today: date) -> Interval | None:
    """The interval that an operator names; None where it names a value."""
    if name == "amount":
        return amounts(text, example_of(name))
    if name == "confidence":
        return shares(text, example_of(name))
    if name == "since":
        return dates(text, today, example_of(name))[0], None
    if name == "until":
        return None, dates(text, today, example_of(name))[1]
    return dates(text, today, example_of(name)) if name == "date" else None


def _interval_pairs(intervals: dict[str, Interval]) -> list[tuple[str, str]]:
    return [
        (end, WRITE[name](value))
        for name, interval in intervals.items()
        for end, value in zip(ENDS[name], interval, strict=True)
        if value is not None
    ]
