"""How transactions are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import escape

from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.money import money, plain
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import ACCOUNT_TYPES, SOURCES, STATUSES
from kamioi_web.text import STATUS_LABELS, day_text, identifier, number_text

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
SPARK_DAYS = 30


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


@lru_cache(maxsize=16_384)
def quoted(text: str) -> str:
    """The text as a value in a URL."""
    return quote(text, safe="")


@lru_cache(maxsize=16_384)
def escaped(text: str | None) -> str:
    """HTML text of what a person or a bank wrote. The same names come again and again, so they are kept."""
    return str(escape(text or ""))


def present(rows: Sequence[Any], query: str, start: int | None) -> list[tuple]:
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


def as_json(row: Any) -> dict[str, Any]:
    """One row as the JSON API gives it: the names that the old clients read, with exact cents beside each amount."""
    amounts = {
        "amount": row.amount_cents,
        "round_up": row.round_up_cents,
        "fee": row.fee_cents,
        "total_debit": row.amount_cents + row.round_up_cents + row.fee_cents,
    }
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.posted_at, row.id)),
        "date": row.posted_at.isoformat().replace("+00:00", "Z"),
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "user_id": row.user_id,
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
        **{name: plain(cents) for name, cents in amounts.items()},
        **{f"{name}_cents": cents for name, cents in amounts.items()},
    }


def stats(figures: Figures) -> dict[str, Any] | None:
    """The figures that the old clients show, exact from the totals; None where the totals do not cover the filter."""
    if not figures.covered:
        return None
    sums = figures.sums().value
    currency = chosen_currency(sums)
    round_ups = {
        "totalRoundUps": _add(sums, 4, lambda status, code: code == currency),
        "availableToInvest": _add(sums, 4, lambda status, code: code == currency and status == "mapped"),
        "totalInvested": _add(sums, 4, lambda status, code: code == currency and status == "completed"),
    }
    types = figures.split("account_type")
    return {
        "totalTransactions": sums.n,
        "currency": currency,
        **{name: plain(cents) for name, cents in round_ups.items()},
        "userTransactions": types.get("individual", 0) if types is not None else None,
        "familyTransactions": types.get("family", 0) if types is not None else None,
        "businessTransactions": types.get("business", 0) if types is not None else None,
    }


def chosen_currency(sums: Sums) -> str:
    """The currency that amounts are shown in: the one with the most rows."""
    counts: dict[str, int] = {}
    for _, currency, n, *_ in sums.rows:
        counts[currency] = counts.get(currency, 0) + n
    return max(counts, key=lambda code: (counts[code], code), default="USD")


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the list: volume and invested round-ups in one currency, pending and failed in all."""
    series = figures.series(SPARK_DAYS)
    volume = _add(sums, 3, lambda status, code: code == currency)
    invested = _add(sums, 4, lambda status, code: code == currency and status == "completed")
    return [
        {"label": "Volume", "value": money(volume, currency), "spark": _spark(series, 1, None, currency)},
        {"label": "Invested", "value": money(invested, currency), "spark": _spark(series, 2, "completed", currency)},
        _count_tile("Pending", "pending", sums, series, request),
        _count_tile("Failed", "failed", sums, series, request) | {"tone": "bad"},
    ]


def _count_tile(label: str, status: str, sums: Sums, series: Mapping, request: ListRequest) -> dict[str, Any]:
    n = _add(sums, 2, lambda other, code: other == status)
    href = request.link(("status", status), without=("status",))
    return {"label": label, "value": number_text(n), "href": href, "spark": _spark(series, 0, status, None)}


def _add(sums: Sums, measure: int, wanted: Any) -> int:
    return sum(row[measure] for row in sums.rows if wanted(row[0], row[1]))


def _spark(series: Mapping, measure: int, status: str | None, currency: str | None) -> list[float]:
    """One measure by day, oldest first, as shares of the largest day."""
    days: dict[int, int] = {}
    for (day, of_status, code), values in series.items():
        if status in (None, of_status) and currency in (None, code):
            days[day] = days.get(day, 0) + values[measure]
    if not series or not any(days.values()):
        return []
    last = max(day for day, _, _ in series)
    values = [max(0, days.get(day, 0)) for day in range(last - SPARK_DAYS + 1, last + 1)]
    return [value / max(*values, 1) for value in values]


def fields(request: ListRequest, counts: Mapping[str, Sequence[tuple[str, int]]]) -> list[dict[str, Any]]:
    """The filter form. `counts` has, for category and account type, the values there are and their rows."""
    texts, amounts = dict(request.pairs), ("amount_min", "amount_max")
    choices = {"status": STATUSES, "account_type": ACCOUNT_TYPES, "source": SOURCES}
    return [
        *(_choices(request, name, values, dict(counts.get(name, []))) for name, values in choices.items()),
        {"kind": "text", "name": "merchant", "label": "Merchant", "value": texts.get("merchant"),
         "placeholder": "Any part of the name", "help": "Three letters or more find any part; fewer, the beginning."},
        {"kind": "text", "name": "user", "label": "User", "value": texts.get("user"),
         "placeholder": "I1000042", "help": "An account number, an e-mail or an id."},
        {"kind": "text", "name": "category", "label": "Category", "value": texts.get("category"),
         "placeholder": "Groceries", "suggestions": [name for name, _ in counts.get("category", [])]},
        {"kind": "text", "name": "ticker", "label": "Ticker", "value": texts.get("ticker"), "placeholder": "SBUX"},
        {"kind": "range", "label": "Posted", "input": "date", "low_name": "since", "low": texts.get("since"),
         "high_name": "until", "high": texts.get("until"), "help": "Whole days in UTC, both included."},
        {"kind": "range", "label": "Amount", "input": "text", "low_name": "amount_min", "low": texts.get("amount_min"),
         "high_name": "amount_max", "high": texts.get("amount_max"), "help": "12.50; refunds are below zero.",
         "presets": [
             {"label": "Refunds", "href": request.link(("amount_max", "-0.01"), without=amounts)},
             {"label": "100 and more", "href": request.link(("amount_min", "100"), without=amounts)},
         ]},
    ]  # fmt: skip


def _choices(request: ListRequest, name: str, values: Sequence[str], counts: Mapping[str, int]) -> dict[str, Any]:
    chosen = request.given.get(name, ())
    options = [
        {
            "value": value,
            "label": STATUS_LABELS.get(value, value),
            "count": number_text(counts[value]) if value in counts else "",
            "selected": value in chosen,
        }
        for value in values
    ]
    label = {"status": "Status", "account_type": "Account", "source": "Source"}[name]
    return {"kind": "choices", "name": name, "label": label, "multiple": True, "options": options}


def chips(request: ListRequest) -> list[tuple[str, str, tuple[str, ...]]]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    found = []
    for name, label in {"status": "Status", "account_type": "Account", "category": "Category", "ticker": "Ticker",
                        "merchant": "Merchant", "merchant_id": "Merchant no.", "user": "User", "source": "Source",
                        "currency": "Currency"}.items():  # fmt: skip
        values = [STATUS_LABELS.get(text, text) for key, text in request.pairs if key == name]
        if values:
            found.append((label, ", ".join(values), (name,)))
    texts = dict(request.pairs)
    if "since" in texts or "until" in texts:
        found.append(("Posted", _between(*(texts.get(name) for name in ("since", "until"))), ("since", "until")))
    if "amount_min" in texts or "amount_max" in texts:
        low, high = texts.get("amount_min"), texts.get("amount_max")
        value = "refunds" if low is None and high == "-0.01" else f"{low or 'any'} to {high or 'any'}"
        found.append(("Amount", value, ("amount_min", "amount_max")))
    return found


def _between(since: str | None, until: str | None) -> str:
    if since and until:
        return f"{day_text(since)} – {day_text(until)}" if since != until else day_text(since)
    return f"from {day_text(since)}" if since else f"until {day_text(until or '')}"
