"""The list of transactions: its filters, which index or scan serves them, and which totals cover them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, literal_column, select

from kamioi_web import filters as read
from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.errors import NotFound
from kamioi_web.filters import Parameter, end_of, start_of
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.queries import merchants as merchant_queries
from kamioi_web.schema import ACCOUNT_TYPES, COMMON_STATUSES, KINDS, SOURCES, STATUSES, merchants, transactions, users
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice, days_between

t = transactions.c
FEW = 2_000  # rows that are read to be put in order
CUBE_FILTERS = ("account_type", "category", "kind")

PARAMETERS = (
    Parameter("status", "Status", read.one_of(STATUSES), many=True),
    Parameter("account_type", "Account", read.one_of(ACCOUNT_TYPES), many=True),
    Parameter("category", "Category", read.words, many=True),
    Parameter("kind", "Kind", read.one_of(KINDS), many=True),
    Parameter("ticker", "Ticker", read.ticker, many=True),
    Parameter("merchant", "Merchant", read.words, about="Any part of the merchant's name or of the bank's text"),
    Parameter("merchant_id", "Merchant", read.number, about="The merchant's id"),
    Parameter("user", "User", read.words, about="An account number, an e-mail or an id"),
    Parameter("since", "From", read.day, about="Posted on this UTC day or later"),
    Parameter("until", "To", read.day, about="Posted on this UTC day or before"),
    Parameter("amount_min", "At least", read.amount, about="Amounts from this on; refunds are below zero"),
    Parameter("amount_max", "At most", read.amount, about="Amounts up to this"),
    Parameter("source", "Source", read.one_of(SOURCES), many=True, about="How it came in"),
    Parameter("currency", "Currency", read.currency),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    status: tuple[str, ...] = ()
    account_type: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    ticker: tuple[str, ...] = ()
    merchant: str | None = None
    merchant_ids: tuple[int, ...] | None = None  # what `merchant` or `merchant_id` found; None: too many to merge
    merchants_named: tuple[int, ...] | None = field(default=None, repr=False)  # then these; None: too many to name
    few: bool = False  # so few rows of these merchants that they are put in order after they are read
    user_id: int | None = None
    since: date | None = None
    until: date | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    source: tuple[str, ...] = ()
    currency: str | None = None

    @property
    def by_merchant(self) -> bool:
        return self.merchant is not None or self.merchant_ids is not None

    @property
    def uncovered(self) -> bool:
        """Whether a part of this is in no total, so that only the rows themselves can tell."""
        amounts = self.amount_min is not None or self.amount_max is not None
        return bool(amounts or self.source or (self.by_merchant and self.merchant_ids is None))

    @property
    def dated(self) -> bool:
        return self.since is not None or self.until is not None


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the user and the merchants looked up; NotFound when one does not exist."""
    rest = {name: value for name, value in given.items() if name not in ("user", "merchant", "merchant_id")}
    if "user" in given:
        rest["user_id"] = find_user(connection, given["user"])
    rest |= merchant_queries.named(connection, given)
    return Filters(**rest, few=_are_few(connection, rest.get("merchant_ids") or ()))


def _are_few(connection: Connection, merchant_ids: tuple[int, ...]) -> bool:
    """Whether it is quicker to read all rows of these merchants than to plan a stream of each in every partition."""
    if not dialect_of(connection).partitions or len(merchant_ids) < 2:
        return False
    return sum(row.n for row in totals.read(connection, Slice("merchant", merchant_ids), ("currency",))) <= FEW


def find_user(connection: Connection, text: str) -> int:
    """The id of the user with that account number, e-mail or id."""
    column = users.c.email if "@" in text else users.c.account_number
    found = connection.scalar(select(users.c.id).where(column == text))
    if found is None and text.isascii() and text.isdigit() and len(text) < 19:
        found = connection.scalar(select(users.c.id).where(users.c.id == int(text)))
    if found is None:
        raise NotFound(f"There is no user “{text[:60]}”. Give an account number such as I1000042, an e-mail or an id.")
    return found


def plan(connection: Connection, filters: Filters) -> Plan:
    """The index streams that hold these rows, and the conditions that are left to the bounded scan."""
    return _plan(dialect_of(connection), filters)


@lru_cache(maxsize=512)
def _plan(dialect: Dialect, filters: Filters) -> Plan:
    streams, served = _streams(filters)
    residual = tuple(clause for name, clause in _conditions(dialect, filters) if name != served)
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    return Plan(streams, since, until, residual)


def _streams(filters: Filters) -> tuple[tuple[Stream, ...], str | None]:
    """The most selective index that the filter has, and the name of the condition that it serves."""
    if filters.user_id is not None:
        return (Stream("transactions_user", (t.user_id == filters.user_id,)),), "user"
    if filters.merchant_ids is not None:
        ids = filters.merchant_ids
        if filters.few:
            return (Stream(None, (t.merchant_id.in_(ids),)),), "merchant"
        return tuple(Stream("transactions_merchant", (t.merchant_id == one,)) for one in ids), "merchant"
    if filters.ticker:
        return tuple(Stream("transactions_ticker", (t.ticker == one,)) for one in filters.ticker), "ticker"
    if filters.status and not set(filters.status) & set(COMMON_STATUSES):
        common = [literal_column(f"'{status}'") for status in COMMON_STATUSES]
        rare = t.status.not_in(common)  # to the letter as the partial index says it, or SQLite would not use it
        return tuple(Stream("transactions_status", (t.status == one, rare)) for one in filters.status), "status"
    return (Stream("transactions_posted"),), None


def _conditions(dialect: Dialect, filters: Filters) -> list[tuple[str, ColumnElement[bool]]]:
    found: list[tuple[str, ColumnElement[bool]]] = []
    for name in ("status", "account_type", "category", "ticker", "source"):
        if wanted := getattr(filters, name):
            found.append((name, t[name].in_(wanted) if len(wanted) > 1 else t[name] == wanted[0]))
    if filters.merchant_ids is not None:
        found.append(("merchant", t.merchant_id.in_(filters.merchant_ids)))
    elif filters.merchant:
        held = merchant_queries.among(dialect, t.merchant_id, filters.merchant, filters.merchants_named)
        found.append(("merchant", held))
    if filters.user_id is not None:
        found.append(("user", t.user_id == filters.user_id))
    if filters.amount_min is not None:
        found.append(("amount", t.amount_cents >= filters.amount_min))
    if filters.amount_max is not None:
        found.append(("amount", t.amount_cents <= filters.amount_max))
    if len(filters.kind) == 1:
        found.append(("kind", t.amount_cents < 0 if filters.kind == ("refund",) else t.amount_cents >= 0))
    if filters.currency:
        found.append(("currency", t.currency == filters.currency))
    return found


def _decorate(rows: Subquery) -> AnySelect:
    """The rows of one chunk with the names that belong to them."""
    named = select(rows, merchants.c.name.label("merchant"), merchants.c.descriptor, users.c.account_number)
    joined = rows.outerjoin(merchants, merchants.c.id == rows.c.merchant_id)
    return named.select_from(joined.outerjoin(users, users.c.id == rows.c.user_id))


def _decorate_wholly(rows: Subquery) -> AnySelect:
    return _decorate(rows).add_columns(users.c.name.label("user_name"), users.c.email.label("user_email"))


LISTED = ("id", "user_id", "merchant_id", "posted_at", "amount_cents", "currency", "round_up_cents", "category",
          "status", "ticker", "account_type", "source")  # fmt: skip
LISTING = Listing(transactions, "posted_at", _decorate, LISTED, partitioned=True)
WHOLE_LISTING = Listing(transactions, "posted_at", _decorate_wholly, (*LISTED, "fee_cents", "created_at"))


def slice_of(filters: Filters) -> Slice | None:
    """The totals that add up to exactly this filter; None when none do."""
    mixed = [filters.user_id is not None, filters.by_merchant, bool(filters.ticker)]
    cube: dict[str, Any] = {name: getattr(filters, name) for name in CUBE_FILTERS if getattr(filters, name)}
    kept: dict[str, Any] = {"status": filters.status, "currency": (filters.currency,) if filters.currency else ()}
    if filters.uncovered or sum(mixed) > 1 or (any(mixed) and cube):
        return None
    if filters.by_merchant:
        return _of_merchants(filters, kept)
    days = days_between(filters.since, filters.until)
    if filters.ticker:
        grain = "ticker_day" if days else "ticker"
        return None if filters.status else Slice(grain, tickers=filters.ticker, buckets=days, **kept)
    if filters.user_id is not None:
        return None if filters.dated else Slice("user", subjects=(filters.user_id,), **kept)
    if not filters.dated:
        return Slice("ever", **kept, **cube)
    return Slice("cube" if cube else "day", buckets=days, **kept, **cube)


def _of_merchants(filters: Filters, kept: dict[str, Any]) -> Slice | None:
    subjects = filters.merchant_ids or (-1,)
    if not filters.dated:
        return Slice("merchant", subjects=subjects, **kept)
    months = _months(filters)
    return None if filters.status or months is None else Slice("merchant_month", subjects, buckets=months, **kept)


def span_slice(filters: Filters) -> tuple[Slice, str, str | None] | None:
    """The totals that tell how these rows lie in time: a slice, its bucket, and the finer grain inside a bucket."""
    part = slice_of(filters)
    if part is None or part.grain == "user" or (part.grain == "merchant" and filters.status):
        return None
    if part.grain in ("merchant", "merchant_month"):
        return replace(part, grain="merchant_month"), "month", None
    if part.grain in ("ticker", "ticker_day"):
        return (part, "month", "ticker_day") if part.grain == "ticker" else (part, "day", None)
    if not any(getattr(filters, name) for name in CUBE_FILTERS):
        return replace(part, grain="day", buckets=days_between(filters.since, filters.until)), "day", "hour"
    if filters.dated:
        return part, "day", None
    return replace(part, grain="month"), "month", "cube"


def _months(filters: Filters) -> tuple[int, int] | None:
    """The first and last month when the dates are those of whole months; else None."""
    since, after = filters.since, filters.until + timedelta(days=1) if filters.until else None
    if (since and since.day != 1) or (after and after.day != 1):
        return None
    first = (since.year - 1970) * 12 + since.month - 1 if since else 0
    return first, (after.year - 1970) * 12 + after.month - 2 if after else 10**5


def beside(connection: Connection, rows: Sequence[AnyRow]) -> None:
    """A row of this list shows nothing that is kept elsewhere."""


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Every status, category, account type and kind there is with its rows in all, the most frequent first."""
    return totals.values_of(connection, Slice("ever"), ("status", *CUBE_FILTERS))
