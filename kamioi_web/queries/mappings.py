"""The list of mappings: its filters, what serves them, which totals cover them, and the money behind each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
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
from kamioi_web.queries.merchants import Trade
from kamioi_web.schema import MAPPING_SOURCES, MAPPING_STATUSES, admins, llm_mappings, merchants
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

m = llm_mappings.c
COMMON_STATUS = "approved"  # the partial index llm_mappings_status leaves it out

PARAMETERS = (
    Parameter("status", "Status", read.one_of(MAPPING_STATUSES), many=True),
    Parameter("source", "Source", read.one_of(MAPPING_SOURCES), many=True),
    Parameter("ticker", "Ticker", read.ticker, many=True),
    Parameter("category", "Category", read.words, many=True),
    Parameter("confidence_min", "Confidence from", read.share),
    Parameter("confidence_max", "Confidence to", read.share),
    Parameter("merchant", "Merchant", read.words),
    Parameter("merchant_id", "Merchant", read.number),
    Parameter("decided_by", "Decided by", read.words),
    Parameter("since", "From", read.day),
    Parameter("until", "To", read.day),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; both ends of a range are included."""

    status: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    ticker: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    confidence_min: float | None = None
    confidence_max: float | None = None
    merchant: str | None = None
    merchant_ids: tuple[int, ...] | None = None  # what `merchant` or `merchant_id` found; None: too many to merge
    merchants_named: tuple[int, ...] | None = field(default=None, repr=False)  # then these; None: too many to name
    decider_id: int | None = None
    since: date | None = None
    until: date | None = None

    @property
    def uncovered(self) -> bool:
        """Whether a part of this is in no total, so that only the rows themselves can tell."""
        by_merchant = self.merchant is not None or self.merchant_ids is not None
        by_confidence = self.confidence_min is not None or self.confidence_max is not None
        by_ticker = bool(self.ticker and (self.source or self.since or self.until))
        return bool(by_merchant or by_confidence or by_ticker or self.category or self.decider_id is not None)


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the admin and the merchants looked up; NotFound when one does not exist."""
    rest = {name: value for name, value in given.items() if name not in ("decided_by", "merchant", "merchant_id")}
    if "decided_by" in given:
        rest["decider_id"] = _find_admin(connection, given["decided_by"])
    return Filters(**rest, **merchant_queries.named(connection, given))


def _find_admin(connection: Connection, email: str) -> int:
    found = connection.scalar(select(admins.c.id).where(admins.c.email == email.lower()))
    if found is None:
        raise NotFound(f"There is no admin “{email[:60]}”. Give the e-mail that they log in with.")
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
    if filters.merchant_ids is not None:
        ids = filters.merchant_ids
        return tuple(Stream("llm_mappings_of_merchant", (m.merchant_id == one,)) for one in ids), "merchant"
    if filters.decider_id is not None:
        return (Stream("llm_mappings_decider", (m.decided_by == filters.decider_id,)),), "decided_by"
    if filters.ticker:
        return tuple(Stream("llm_mappings_ticker", (m.ticker == one,)) for one in filters.ticker), "ticker"
    if filters.status and COMMON_STATUS not in filters.status:
        rare = m.status != literal_column(f"'{COMMON_STATUS}'")  # to the letter as the partial index says it
        return tuple(Stream("llm_mappings_status", (m.status == one, rare)) for one in filters.status), "status"
    return (Stream("llm_mappings_created"),), None


def _conditions(dialect: Dialect, filters: Filters) -> list[tuple[str, ColumnElement[bool]]]:
    found: list[tuple[str, ColumnElement[bool]]] = []
    for name in ("status", "source", "ticker", "category"):
        if wanted := getattr(filters, name):
            found.append((name, m[name].in_(wanted) if len(wanted) > 1 else m[name] == wanted[0]))
    if filters.merchant_ids is not None:
        found.append(("merchant", m.merchant_id.in_(filters.merchant_ids)))
    elif filters.merchant:
        held = merchant_queries.among(dialect, m.merchant_id, filters.merchant, filters.merchants_named)
        found.append(("merchant", held))
    if filters.decider_id is not None:
        found.append(("decided_by", m.decided_by == filters.decider_id))
    if filters.confidence_min is not None:
        found.append(("confidence", m.confidence >= filters.confidence_min))
    if filters.confidence_max is not None:
        found.append(("confidence", m.confidence <= filters.confidence_max))
    return found


def _decorate(rows: Subquery) -> AnySelect:
    """The rows of one chunk with their merchants and the admins who decided."""
    named = select(rows, merchants.c.name.label("merchant"), merchants.c.descriptor, admins.c.email.label("decider"))
    joined = rows.outerjoin(merchants, merchants.c.id == rows.c.merchant_id)
    return named.select_from(joined.outerjoin(admins, admins.c.id == rows.c.decided_by))


LISTED = ("id", "merchant_id", "ticker", "company", "category", "confidence", "status", "source", "decided_by",
          "decided_at", "created_at")  # fmt: skip
LISTING = Listing(llm_mappings, "created_at", _decorate, LISTED)
WHOLE_LISTING = Listing(llm_mappings, "created_at", _decorate, (*LISTED, "source_ref", "model", "rationale", "version"))


def slice_of(filters: Filters) -> Slice | None:
    """The totals that add up to exactly this filter; None when none do."""
    if filters.uncovered:
        return None
    if filters.ticker:
        return Slice("mappings_ticker", tickers=filters.ticker, status=filters.status)
    return totals.counted("mappings", filters.since, filters.until, status=filters.status, kind=filters.source)


def span_slice(filters: Filters) -> tuple[Slice, str, str | None] | None:
    """The totals that tell how these rows lie in time; a ticker's are not kept by day."""
    if filters.uncovered or filters.ticker:
        return None
    return totals.counted_by_day("mappings", filters.since, filters.until, status=filters.status, kind=filters.source)


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Every status and source there is with its mappings."""
    found = totals.values_of(connection, Slice("mappings"), ("status", "kind"))
    return {"status": found["status"], "source": found["kind"]}


def beside(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, Trade]:
    """{merchant id: what stands behind it}, in one statement."""
    return merchant_queries.trade_of(connection, [row.merchant_id for row in rows])
