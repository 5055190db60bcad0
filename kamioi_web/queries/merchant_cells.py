"""How merchants are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from kamioi_web.api.merchant_objects import MerchantObject, MerchantStats
from kamioi_web.cells import SPARK_DAYS, Chip, Counts, choices, dates, escaped, spark, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import ID, Export, cents, moment, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.money import decimal, money
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries.merchants import NO_TRADE, Trade, status_of
from kamioi_web.schema import MERCHANT_STATUSES
from kamioi_web.text import LABELS, day_text, identifier, iso_text, number_text

COLUMNS = {
    "first": "First seen",
    "name": "Merchant",
    "company": "Company",
    "ticker": "Ticker",
    "category": "Category",
    "n": "Transactions",
    "money": "Money",
    "seen": "Last seen",
    "status": "Status",
    "id": "Id",
}
HIDDEN = ("id",)  # until an admin chooses it
FIXED = ("first", "name")
EXPORT: Export = {
    "first": (moment("first_seen"),),
    "name": (words("merchant_name"), words("description")),
    "company": (words("company_name"),),
    "ticker": (words("ticker"),),
    "category": (words("category"),),
    "n": (whole("transaction_count"),),
    "money": (cents("amount"), words("currency")),
    "seen": (moment("last_seen"),),
    "status": (words("status"),),
    "id": (ID,),
}
SEARCH = ("search", "merchants")

Beside = Mapping[int, Trade]


def present(rows: Sequence[Any], query: str, start: int | None, beside: Beside) -> list[tuple]:
    """Rows of the list as the fields that merchants.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0, beside.get(row.id, NO_TRADE)) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int, trade: Trade) -> tuple:
    cursor, status = str(Cursor(row.first_seen, row.id)), status_of(row)
    more = f" <small>+{trade.currencies - 1}</small>" if trade.currencies > 1 else ""
    return (
        row.id, cursor, number, f"/merchants/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), escaped(row.name),
        escaped(row.descriptor), escaped(row.company) or "–", escaped(row.ticker), escaped(row.category) or "–",
        number_text(trade.n) if trade.n else "", money(trade.cents, trade.currency) + more if trade.n else "–",
        day_text(row.last_seen.date().isoformat()), status, LABELS.get(status, status),
    )  # fmt: skip


def as_json(row: Any, beside: Beside) -> MerchantObject:
    """One row as the JSON API gives it, with exact cents beside the amount."""
    trade = beside.get(row.id, NO_TRADE)
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.first_seen, row.id)),
        "merchant_name": row.name,
        "description": row.descriptor,
        "company_name": row.company,
        "ticker": row.ticker,
        "category": row.category,
        "status": status_of(row),
        "mapping_id": row.mapping_id,
        "first_seen": iso_text(row.first_seen),
        "last_seen": iso_text(row.last_seen),
        "transaction_count": trade.n,
        "currency": trade.currency,
        "amount": decimal(trade.cents),
        "amount_cents": trade.cents,
    }


def stats(figures: Figures) -> MerchantStats | None:
    """The figures of the filter, exact from the totals; None where the totals do not cover it."""
    if not figures.covered:
        return None
    sums = figures.sums().value
    return {
        "totalMerchants": sums.n,
        "mappedMerchants": sums.add(2, "mapped"),
        "nobodyMerchants": sums.add(2, "nobody"),
        "unmappedMerchants": sums.add(2, "unmapped"),
    }


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the list: merchants, and how far they are mapped."""
    line = spark(figures.series(SPARK_DAYS))
    found: list[dict[str, Any]] = [{"label": "Merchants", "value": number_text(sums.n), "spark": line}]
    for status in MERCHANT_STATUSES if figures.covered else ():
        href = request.link(("status", status), without=("status",))
        label = LABELS.get(status, status).capitalize()
        found.append({"label": label, "value": number_text(sums.add(2, status)), "href": href})
    return found


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form. `counts` has the values there are and their merchants."""
    return [
        choices(request, "status", "Status", MERCHANT_STATUSES, counts),
        text_field(request, "search", "Merchant", "Any part of the name",
                   help="Three letters or more find any part; fewer, the beginning."),
        text_field(request, "ticker", "Ticker", "SBUX"),
        text_field(request, "category", "Category", "Groceries"),
        dates(request, "First seen"),
    ]  # fmt: skip


CHIPS = {"status": "Status", "search": "Search", "ticker": "Ticker", "category": "Category"}


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    return shared_chips(request, CHIPS, "First seen")
