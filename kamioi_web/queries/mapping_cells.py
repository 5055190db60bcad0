"""How mappings are shown: the cells of a row, the columns, the tabs, the filter form, the tiles and the JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from kamioi_web.api.objects import MappingObject, MappingStats
from kamioi_web.cells import SPARK_DAYS, Chip, Counts, choices, dates, escaped, range_field, spark, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import ID, Export, cents, moment, share, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.money import decimal, money
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries.merchants import NO_TRADE, Trade
from kamioi_web.schema import MAPPING_SOURCES, MAPPING_STATUSES
from kamioi_web.text import LABELS, day_text, identifier, iso_text, number_text, percent_text

COLUMNS = {
    "created": "Created",
    "name": "Merchant",
    "company": "Company",
    "ticker": "Ticker",
    "category": "Category",
    "confidence": "Confidence",
    "n": "Transactions",
    "money": "Money",
    "decided": "Decided",
    "status": "Status",
    "source": "Source",
    "id": "Id",
}
HIDDEN = ("id",)  # until an admin chooses it
FIXED = ("created", "name", "status")
EXPORT: Export = {
    "created": (moment("created_at"),),
    "name": (words("merchant_name"), words("description")),
    "company": (words("company_name"),),
    "ticker": (words("ticker"),),
    "category": (words("category"),),
    "confidence": (share("confidence"),),
    "n": (whole("transaction_count"),),
    "money": (cents("amount"), words("currency")),
    "decided": (words("decided_by"), moment("decided_at")),
    "status": (words("status"),),
    "source": (words("source"),),
    "id": (ID,),
}
SEARCH = ("merchant", "merchants")
TABS = ("pending", "approved", "rejected")
MADE_BY = {"Model": ("llm",), "Rules": ("rule",), "People": ("admin", "upload")}

Beside = Mapping[int, Trade]


def present(rows: Sequence[Any], query: str, start: int | None, beside: Beside) -> list[tuple]:
    """Rows of the list as the fields that mappings.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [
        _cells(row, tail, first + at if first else 0, beside.get(row.merchant_id, NO_TRADE))
        for at, row in enumerate(rows)
    ]


def _cells(row: Any, tail: str, number: int, trade: Trade) -> tuple:
    cursor = str(Cursor(row.created_at, row.id))
    more = f" <small>+{trade.currencies - 1}</small>" if trade.currencies > 1 else ""
    return (
        row.id, cursor, number, f"/llm-center/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), escaped(row.merchant),
        escaped(row.descriptor), escaped(row.company) or "–", escaped(row.ticker), escaped(row.category) or "–",
        percent_text(row.confidence), row.merchant_id, number_text(trade.n) if trade.n else "",
        money(trade.cents, trade.currency) + more if trade.n else "–", escaped(decider(row)),
        day_text(row.decided_at.date().isoformat()) if row.decided_at else "", row.status, row.source,
        LABELS.get(row.source, row.source),
    )  # fmt: skip


def decider(row: Any) -> str:
    """Who decided: an admin's e-mail, or what decided without one; "" while nobody has."""
    if row.decided_by is not None:
        return row.decider or f"admin {row.decided_by}"
    return "" if row.status == "pending" else LABELS.get(row.source, row.source)


def as_json(row: Any, beside: Beside) -> MappingObject:
    """One row as the JSON API gives it."""
    trade = beside.get(row.merchant_id, NO_TRADE)
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.created_at, row.id)),
        "merchant_id": row.merchant_id,
        "merchant_name": row.merchant,
        "description": row.descriptor,
        "company_name": row.company,
        "ticker": row.ticker,
        "ticker_symbol": row.ticker,
        "category": row.category,
        "confidence": row.confidence,
        "status": row.status,
        "admin_approved": {"approved": 1, "rejected": -1}.get(row.status, 0),
        "approval_status_label": row.status.capitalize(),
        "display_status": row.status,
        "source": row.source,
        "approval_source": row.source,
        "source_ref": row.source_ref,
        "model": row.model,
        "rationale": row.rationale,
        "decided_by": row.decider,
        "decided_at": iso_text(row.decided_at) if row.decided_at else None,
        "version": row.version,
        "created_at": iso_text(row.created_at),
        "transaction_count": trade.n,
        "currency": trade.currency,
        "amount": decimal(trade.cents),
        "amount_cents": trade.cents,
        "user_id": None,
        "user_email": None,
        "user_name": None,
        "user_account_number": None,
    }


def stats(figures: Figures) -> MappingStats | None:
    """The figures of the filter, exact from the totals; None where the totals do not cover it."""
    if not figures.covered:
        return None
    sums = figures.sums().value
    return {
        "totalMappings": sums.n,
        "pendingMappings": sums.add(2, "pending"),
        "approvedMappings": sums.add(2, "approved"),
        "rejectedMappings": sums.add(2, "rejected"),
        "supersededMappings": sums.add(2, "superseded"),
    }


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the list: mappings, and who made them."""
    sources = figures.split("kind")
    line = spark(figures.series(SPARK_DAYS))
    found: list[dict[str, Any]] = [{"label": "Mappings", "value": number_text(sums.n), "spark": line}]
    if sources is None:
        return found
    for label, names in MADE_BY.items():
        href = request.link(*(("source", name) for name in names), without=("source",))
        value = number_text(sum(sources.get(name, 0) for name in names))
        found.append({"label": label, "value": value, "href": href})
    return found


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form. `counts` has the values there are and their mappings."""
    confidences = ("confidence_min", "confidence_max")
    doubtful = {"label": "below 90 %", "href": request.link(("confidence_max", "0.899999"), without=confidences)}
    return [
        choices(request, "status", "Status", MAPPING_STATUSES, counts),
        choices(request, "source", "Source", MAPPING_SOURCES, counts),
        range_field(request, "Confidence", *confidences, "text", help="0.9 or 90 %.", presets=[doubtful]),
        text_field(request, "merchant", "Merchant", "Any part of the name",
                   help="Three letters or more find any part; fewer, the beginning."),
        text_field(request, "ticker", "Ticker", "SBUX"),
        text_field(request, "category", "Category", "Groceries"),
        text_field(request, "decided_by", "Decided by", "admin@example.com", help="An admin's e-mail."),
        dates(request, "Created"),
    ]  # fmt: skip


CHIPS = {"status": "Status", "source": "Source", "ticker": "Ticker", "category": "Category", "merchant": "Merchant",
         "merchant_id": "Merchant no.", "decided_by": "Decided by"}  # fmt: skip


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    found = shared_chips(request, CHIPS, "Created")
    low, high = (request.given.get(name) for name in ("confidence_min", "confidence_max"))
    if low is not None or high is not None:
        ends = [percent_text(end) if end is not None else "any" for end in (low, high)]
        found.append(("Confidence", " to ".join(ends), ("confidence_min", "confidence_max")))
    return found
