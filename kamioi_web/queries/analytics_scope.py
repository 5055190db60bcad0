"""What a look at Analytics is about: what there is at all, and what the address asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from kamioi_web import filters as read
from kamioi_web import totals
from kamioi_web.errors import BadRequest
from kamioi_web.filters import Parameter
from kamioi_web.periods import FIRST, STEPS, Period, day_number, day_of, first_of, month_number, usual
from kamioi_web.schema import ACCOUNT_TYPES
from kamioi_web.totals import Slice

ASKED_STEPS = list(STEPS[:3])  # by year is what is drawn where these would be too many points
NEVER = "USD"  # the currency of a page without rows
SPLITS = ("category", "ticker")  # what is shown in part unless “all” asks for the rest


@read.taking(enum=ASKED_STEPS)
def _step(text: str, name: str) -> str:
    if text in ASKED_STEPS:
        return text
    raise BadRequest(f"“{text[:40]}” is nothing that “{name}” takes. It is one of: {', '.join(ASKED_STEPS)}.", name)


PARAMETERS = (
    Parameter("since", "From", read.day, about="First day of the period; without dates, the last twelve whole months"),
    Parameter("until", "To", read.day, about="Last day of the period"),
    Parameter("by", "By", _step, about="Step of the series; a coarser one where this would be too many"),
    Parameter("currency", "Currency", read.currency, about="Without it, the currency with the most rows"),
    Parameter("account_type", "Account", read.one_of(ACCOUNT_TYPES), many=True),
    Parameter("category", "Category", read.words, many=True),
    Parameter("all", "All", read.one_of(SPLITS), many=True, about="All of these and not only the first"),
)


@dataclass(frozen=True)
class Extent:
    """What there is at all: the days with the first and the last row, and each currency and category with its rows.

    `newest` is the last day that has come; a row with a later date, which is a mistake of its bank, moves only `last`.
    """

    oldest: date | None
    newest: date | None
    last: date | None
    currencies: tuple[tuple[str, int], ...]
    categories: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Scope:
    """What is looked at: a period and the one before, how it is divided, one currency, and the filters."""

    period: Period
    before: Period | None
    by: str
    note: str  # why it is not divided as was asked
    currency: str
    account_type: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    all: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        return bool(self.account_type or self.category)

    @property
    def rows(self) -> tuple[Any, ...]:
        """What decides which rows are summed; the rest decides only how they are shown."""
        return self.period, self.before, self.currency, self.account_type, self.category

    @property
    def kept(self) -> dict[str, Any]:
        return {"currency": (self.currency,), "account_type": self.account_type, "category": self.category}


def extent(connection: Connection, today: date) -> Extent:
    """What there is at all, whatever the period."""
    thin = Slice("day")
    oldest, last = totals.oldest_bucket(connection, thin), totals.newest_bucket(connection, thin, 10**6)
    values = totals.values_of(connection, Slice("ever"), ("currency", "category"))
    found = (tuple(values["currency"]), tuple(values["category"]))
    if oldest is None or last is None:
        return Extent(None, None, None, *found)
    newest = totals.newest_bucket(connection, thin, day_number(today)) if last > day_number(today) else last
    return Extent(day_of(oldest), day_of(last if newest is None else newest), day_of(last), *found)


def scope_of(given: Mapping[str, Any], there: Extent, today: date) -> Scope:
    """What a parsed address asks for; BadRequest when it ends before it begins."""
    period = _period(given.get("since"), given.get("until"), there.oldest or today, there.newest or today)
    by, note = period.step_by(given.get("by"))
    currency = given.get("currency") or (there.currencies[0][0] if there.currencies else NEVER)
    rest = {name: given.get(name, ()) for name in ("account_type", "category", "all")}
    return Scope(period, period.before(), by, note, currency, **rest)


def _period(since: date | None, until: date | None, oldest: date, newest: date) -> Period:
    if since and until and since > until:
        raise BadRequest(f"“since” ({since}) is after “until” ({until}). Give the earlier date first.", "since")
    if since:
        return Period(since, until or max(since, newest))
    return Period(min(until, _year_before(until)), until) if until else usual(oldest, newest)


def _year_before(until: date) -> date:
    """The first day of the twelve months that end on that day."""
    month = month_number(until + timedelta(days=1)) - 12
    return max(FIRST, first_of(max(0, month)) + timedelta(days=(until + timedelta(days=1)).day - 1))
