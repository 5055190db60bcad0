"""Merchants: their list, and finding them by words, so that a search of any list reads their own index streams."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, bindparam, func, or_, select

from kamioi_web import filters as read
from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.filters import Parameter, end_of, start_of
from kamioi_web.grains import MERCHANT_STATUS
from kamioi_web.paging.cursor import MAX_ID
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.schema import MERCHANT_STATUSES, merchants, totals_now
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

m = merchants.c
MERGED = 50  # merchants whose streams one list merges; more are looked for by the bounded scan
NAMED = 1_000  # merchants that a scan compares each row with; of more, the row's own merchant is looked at
SHORTEST = 3  # letters that the text index needs; fewer are taken as a beginning


def find(connection: Connection, id: int) -> AnyRow:
    """One merchant by its id; NotFound when there is none."""
    found = connection.execute(select(merchants).where(m.id == id)).first() if id <= MAX_ID else None
    if found is None:
        raise NotFound(f"There is no merchant {str(id)[:40]}.")
    return found


def matching(connection: Connection, words: str, most: int = MERGED) -> tuple[int, ...] | None:
    """The ids of the merchants whose descriptor or name holds these words; None when they are more than `most`."""
    ids = connection.scalars(ids_matching(dialect_of(connection), words).limit(most + 1)).all()
    return tuple(sorted(ids)) if len(ids) <= most else None


def ids_matching(dialect: Dialect, words: str) -> AnySelect:
    """A query of the ids of all merchants that hold these words."""
    return dialect.merchant_ids(words) if len(words) >= SHORTEST else select(m.id).where(_starting(words))


def _starting(words: str) -> ColumnElement[bool]:
    starts = {words, words.upper(), words.lower(), words.title()}
    return or_(*(m.descriptor.between(start, start + "\U0010ffff") for start in sorted(starts)))


def holding(dialect: Dialect, words: str) -> ColumnElement[bool]:
    """Whether a merchant holds these words: of a merchant at hand, one by one, where `ids_matching` finds them all."""
    return dialect.holds(words, m.descriptor, m.name) if len(words) >= SHORTEST else _starting(words)


def named(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the filters `merchant` and `merchant_id` of a list stand for: `merchant`, its words; `merchant_ids`, those
    to merge; `merchants_named`, all of them where they are too many to merge and few enough to name."""
    if "merchant_id" in given and "merchant" in given:
        raise BadRequest("“merchant” and “merchant_id” both name a merchant; give one of them.", "merchant_id")
    if "merchant_id" in given:
        return {"merchant_ids": (find(connection, given["merchant_id"]).id,)}
    if "merchant" not in given:
        return {}
    ids = matching(connection, given["merchant"], NAMED)
    few = ids is not None and len(ids) <= MERGED
    return {"merchant": given["merchant"], "merchant_ids" if few else "merchants_named": ids}


def among(dialect: Dialect, column: ColumnElement[int], words: str, ids: tuple[int, ...] | None) -> ColumnElement[bool]:
    """Whether a row's merchant holds these words, at a cost for each row that does not grow with the merchants.

    Reading them all from the text index would be done anew for each window of a scan.
    """
    if ids is not None:
        return one_of(column, ids)
    return select(holding(dialect, words)).where(m.id == column).scalar_subquery()


def one_of(column: ColumnElement[int], ids: tuple[int, ...]) -> ColumnElement[bool]:
    """Whether a column is one of these ids, written out: as parameters so many would take longer than the look-up."""
    return column.in_(bindparam(None, ids, expanding=True, literal_execute=True))


@dataclass(frozen=True)
class Trade:
    """The transactions of one merchant and, in the currency of most of them, their cents."""

    n: int
    currency: str
    currencies: int
    cents: int


NO_TRADE = Trade(0, "USD", 0, 0)


def trade_of(connection: Connection, ids: Collection[int]) -> dict[int, Trade]:
    """{merchant id: its transactions and their money}, from the per-merchant totals in one statement."""
    c = totals_now.c
    sums = [func.sum(c[name]).cast(c.n.type) for name in ("n", "amount_cents")]
    query = select(c.subject, c.currency, *sums).where(c.grain == "merchant", c.subject.in_(sorted(set(ids))))
    found: dict[int, list[AnyRow]] = {}
    for row in connection.execute(query.group_by(c.subject, c.currency)):
        found.setdefault(row[0], []).append(row)
    return {merchant: _trade(parts) for merchant, parts in found.items()}


def _trade(parts: Sequence[AnyRow]) -> Trade:
    """From rows of merchant, currency, n and amount."""
    there = [part for part in parts if part[2]]
    if not there:
        return NO_TRADE
    _, currency, _, cents = max(there, key=lambda part: (part[2], part[1]))
    return Trade(sum(part[2] for part in there), currency, len(there), cents)


PARAMETERS = (
    Parameter("search", "Search", read.words),
    Parameter("status", "Status", read.one_of(MERCHANT_STATUSES), many=True),
    Parameter("ticker", "Ticker", read.ticker, many=True),
    Parameter("category", "Category", read.words, many=True),
    Parameter("since", "From", read.day),
    Parameter("until", "To", read.day),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    search: str | None = None
    ids: tuple[int, ...] | None = field(default=None, repr=False)  # what `search` found; None: too many to name
    status: tuple[str, ...] = ()
    ticker: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def uncovered(self) -> bool:
        """Whether a part of this is in no total, so that only the rows themselves can tell."""
        return bool(self.search is not None or self.ticker or self.category)


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the merchants that the search found."""
    return Filters(**given, ids=matching(connection, given["search"], NAMED) if "search" in given else None)


def plan(connection: Connection, filters: Filters) -> Plan:
    """The merchants that a search found, or an index's; what is left of the filter goes to the bounded scan."""
    return _plan(dialect_of(connection), filters)


@lru_cache(maxsize=512)
def _plan(dialect: Dialect, filters: Filters) -> Plan:
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    conditions = _conditions(filters)
    if filters.ids is not None:  # so few that every condition may be looked at
        streams = (Stream(None, (one_of(m.id, filters.ids), *conditions.values())),) if filters.ids else ()
        return Plan(streams, since, until)
    streams = tuple(Stream("merchants_ticker", (m.ticker == one,)) for one in filters.ticker)
    if streams:
        del conditions["ticker"]
    if filters.search:
        conditions["search"] = holding(dialect, filters.search)
    return Plan(streams or (Stream("merchants_seen"),), since, until, tuple(conditions.values()))


def _conditions(filters: Filters) -> dict[str, ColumnElement[bool]]:
    columns = {"status": MERCHANT_STATUS, "ticker": m.ticker, "category": m.category}
    return {name: column.in_(wanted) for name, column in columns.items() if (wanted := getattr(filters, name))}


def _as_they_are(rows: Subquery) -> AnySelect:
    return select(rows)


LISTED = ("id", "descriptor", "name", "ticker", "company", "category", "mapping_id", "first_seen", "last_seen")
LISTING = Listing(merchants, "first_seen", _as_they_are, LISTED)
WHOLE_LISTING = LISTING


def slice_of(filters: Filters) -> Slice | None:
    """The totals that add up to exactly this filter; None when none do."""
    if filters.uncovered:
        return None
    return totals.counted("merchants", filters.since, filters.until, status=filters.status)


def span_slice(filters: Filters) -> tuple[Slice, str, str | None] | None:
    """The totals that tell how these rows lie in time."""
    if filters.uncovered:
        return None
    return totals.counted_by_day("merchants", filters.since, filters.until, status=filters.status)


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Every status with its merchants."""
    return totals.values_of(connection, Slice("merchants"), ("status",))


def beside(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, Trade]:
    """{merchant id: what stands behind it}, in one statement."""
    return trade_of(connection, [row.id for row in rows])


def status_of(merchant: AnyRow) -> str:
    """Whether a merchant is mapped to a ticker, to no listed company, or not yet: as grains.MERCHANT_STATUS."""
    return "mapped" if merchant.ticker is not None else "nobody" if merchant.mapping_id is not None else "unmapped"
