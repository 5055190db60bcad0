"""How transactions are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kamioi_web.api.objects import Transaction, TransactionStats
from kamioi_web.cells import SPARK_DAYS, Chip, Counts, choices, dates, escaped, quoted, range_field, spark, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import ID, Export, cents, moment, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.money import decimal, money
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import ACCOUNT_TYPES, KINDS, SOURCES, STATUSES
from kamioi_web.text import STATUS_LABELS, day_text, identifier, iso_text, number_text

COLUMNS = {
    "posted": "Posted",
    "merchant": "Merchant",
    "user": "User",
    "category": "Category",
    "amount": "Amount",
    "round_up": "Round-up",
    "ticker": "Ticker",
    "status": "Status",
    "account_type": "Account",
    "source": "Source",
    "id": "Id",
}
HIDDEN = ("account_type", "source")  # until an admin chooses them
FIXED = ("posted", "merchant", "amount")
EXPORT: Export = {
    "posted": (moment("posted_at", "date"),),
    "merchant": (words("merchant"), words("description")),
    "user": (words("account_number"),),
    "category": (words("category"),),
    "amount": (cents("amount"), words("currency")),
    "round_up": (cents("round_up"),),
    "ticker": (words("ticker"),),
    "status": (words("status"),),
    "account_type": (words("account_type"),),
    "source": (words("source"),),
    "id": (ID,),
}
SEARCH = ("merchant", "merchants")


class TransactionRow(NamedTuple):
    """One row of the list as its template writes it: every cell is HTML text already, escaped where people wrote it."""

    id: int
    cursor: str
    number: int  # aria-rowindex; 0 when it is not known
    href: str
    day: str
    time: str
    merchant: str
    descriptor: str
    user: str
    user_in_url: str
    category: str
    amount: str
    refund: str  # a class, or nothing
    round_up: str
    ticker: str
    status: str
    status_label: str
    account_type: str
    source: str


def present(rows: Sequence[Any], query: str, start: int | None, beside: None = None) -> list[tuple]:
    """Rows of the list as TransactionRow's fields, plain tuples because 100 of them are half the cost of a page.

    `query` is the filter as the end of a URL, from & on; `start` the number of the first row.
    """
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int) -> tuple:
    (id, user_id, _, posted_at, cents, currency, round_up, category, status, ticker, account_type, source,
     merchant, descriptor, account_number) = row  # fmt: skip
    iso = posted_at.isoformat()
    cursor = f"{iso[:-6]}Z~{id}"
    user = account_number or str(user_id)
    return (
        id, cursor, number, f"/transactions/{id}?at={cursor}{tail}", day_text(iso[:10]), iso[11:19],
        escaped(merchant), escaped(descriptor), escaped(user), quoted(user), escaped(category),
        money(cents, currency), " refund" if cents < 0 else "", money(round_up, currency) if round_up else "–",
        escaped(ticker), status, STATUS_LABELS[status], account_type, source,
    )  # fmt: skip


def as_json(row: Any, beside: None = None) -> Transaction:
    """One row as the JSON API gives it."""
    debit = row.amount_cents + row.round_up_cents + row.fee_cents
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.posted_at, row.id)),
        "date": iso_text(row.posted_at),
        "created_at": iso_text(row.created_at),
        "user_id": row.user_id,
        "userId": row.user_id,
        "user_name": row.user_name,
        "user_email": row.user_email,
        "user_role": row.account_type,
        "account_number": row.account_number,
        "account_type": row.account_type,
        "dashboard": "user" if row.account_type == "individual" else row.account_type,
        "merchant_id": row.merchant_id,
        "merchant": row.merchant,
        "description": row.descriptor,
        "category": row.category,
        "status": row.status,
        "ticker": row.ticker,
        "source": row.source,
        "currency": row.currency,
        "amount": decimal(row.amount_cents),
        "amount_cents": row.amount_cents,
        "round_up": decimal(row.round_up_cents),
        "roundUp": decimal(row.round_up_cents),
        "round_up_cents": row.round_up_cents,
        "fee": decimal(row.fee_cents),
        "fee_cents": row.fee_cents,
        "total_debit": decimal(debit),
        "total_debit_cents": debit,
        "shares": None,
        "stock_price": None,
        "stockPrice": None,
    }


def stats(figures: Figures) -> TransactionStats | None:
    """The figures that the old clients show, exact from the totals; None where the totals do not cover the filter."""
    if not figures.covered:
        return None
    sums = figures.sums().value
    currency = sums.currency
    types = figures.split("account_type")
    return {
        "totalTransactions": sums.n,
        "currency": currency,
        "totalRoundUps": decimal(sums.add(4, None, currency)),
        "availableToInvest": decimal(sums.add(4, "mapped", currency)),
        "totalInvested": decimal(sums.add(4, "completed", currency)),
        "userTransactions": types.get("individual", 0) if types is not None else None,
        "familyTransactions": types.get("family", 0) if types is not None else None,
        "businessTransactions": types.get("business", 0) if types is not None else None,
    }


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the list: volume, round-ups and fees in one currency, pending and failed in all."""
    series = figures.series(SPARK_DAYS)
    volume, invested = sums.add(3, None, currency), sums.add(4, "completed", currency)
    beside = {"Round-ups": sums.add(4, None, currency), "Fees": sums.add(5, None, currency)}
    return [
        {"label": "Volume", "value": money(volume, currency), "spark": spark(series, 1, None, currency)},
        {"pairs": [(label, money(cents, currency)) for label, cents in beside.items()]},
        {"label": "Invested", "value": money(invested, currency), "spark": spark(series, 2, "completed", currency)},
        _count_tile("Pending", "pending", sums, series, request),
        _count_tile("Failed", "failed", sums, series, request) | {"tone": "bad"},
    ]


def _count_tile(label: str, status: str, sums: Sums, series: Mapping, request: ListRequest) -> dict[str, Any]:
    n = sums.add(2, status)
    href = request.link(("status", status), without=("status",))
    return {"label": label, "value": number_text(n), "href": href, "spark": spark(series, 0, status)}


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form. `counts` has the values there are and their rows."""
    categories = [name for name, _ in counts.get("category", [])]
    amounts = ("amount_min", "amount_max")
    large = {"label": "100 and more", "href": request.link(("amount_min", "100"), without=amounts)}
    return [
        choices(request, "status", "Status", STATUSES, counts),
        choices(request, "account_type", "Account", ACCOUNT_TYPES, counts),
        choices(request, "kind", "Kind", KINDS, counts),
        choices(request, "source", "Source", SOURCES, counts),
        text_field(request, "merchant", "Merchant", "Any part of the name",
                   help="Three letters or more find any part; fewer, the beginning."),
        text_field(request, "user", "User", "I1000042", help="An account number, an e-mail or an id."),
        text_field(request, "category", "Category", "Groceries", suggestions=categories),
        text_field(request, "ticker", "Ticker", "SBUX"),
        dates(request, "Posted"),
        range_field(request, "Amount", *amounts, "text", help="12.50; refunds are below zero.", presets=[large]),
    ]  # fmt: skip


CHIPS = {"status": "Status", "account_type": "Account", "category": "Category", "kind": "Kind", "ticker": "Ticker",
         "merchant": "Merchant", "merchant_id": "Merchant no.", "user": "User", "source": "Source",
         "currency": "Currency"}  # fmt: skip


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    found = shared_chips(request, CHIPS, "Posted")
    texts = dict(request.pairs)
    if "amount_min" in texts or "amount_max" in texts:
        low, high = texts.get("amount_min"), texts.get("amount_max")
        found.append(("Amount", f"{low or 'any'} to {high or 'any'}", ("amount_min", "amount_max")))
    return found
