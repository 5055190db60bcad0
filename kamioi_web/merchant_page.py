"""The page of one merchant, and the same as JSON."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy import Connection

from kamioi_web import charts, detail
from kamioi_web.api.merchant_objects import MerchantAnswer, MerchantTotal
from kamioi_web.charts import Figure, Label, Line
from kamioi_web.errors import BadRequest
from kamioi_web.figures import Sums
from kamioi_web.list_request import parse_list, with_query
from kamioi_web.money import brief_money, money
from kamioi_web.pages import MAPPINGS, MERCHANTS, TRANSACTIONS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.periods import DAY, first_of
from kamioi_web.queries import mapping_cells, mapping_detail, merchant_cells, merchant_detail, merchants
from kamioi_web.queries.mapping_cells import decider
from kamioi_web.request_context import database_connection
from kamioi_web.schema import STATUSES
from kamioi_web.text import LABELS, STATUS_LABELS, iso_text, moment_text, month_text, number_text, percent_text

EMBEDDED = 20  # rows of a list inside the page
WAITING = ("pending", "needs_review")


def register(pages: Blueprint) -> None:
    """Give one merchant its URLs."""
    pages.add_url_rule(f"{MERCHANTS.href}/<int:id>", endpoint="merchant", view_func=show)
    pages.add_url_rule(f"{MERCHANTS.href}/<int:id>.json", endpoint="merchant/json", view_func=show_json)


def show(id: int) -> str:
    """Everything about one merchant; the filter in the URL decides which are beside it."""
    asked = parse_list(MERCHANTS.href, merchants.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    connection = database_connection()
    row = merchants.find(connection, id)
    kept = Sums([tuple(part) for part in merchant_detail.sums(connection, id)])
    return render_template(
        "merchants_detail.html",
        merchant=_shown(row),
        in_force=_in_force(connection, row),
        tiles=tiles(kept, id),
        statuses=_statuses(kept, id),
        chart=_chart(merchant_detail.months(connection, id, kept.currency), kept.currency, id),
        mappings=MAPPINGS.embed({"merchant_id": [str(id)]}, EMBEDDED),
        transactions=TRANSACTIONS.embed({"merchant_id": [str(id)]}, EMBEDDED),
        descriptors=descriptors_of(row.ticker),
        history=[*detail.events_of(connection, "merchant", id), detail.event(row.first_seen, "", "first seen", [])],
        steps=detail.steps(MERCHANTS, asked, Cursor(row.first_seen, row.id)),
        json_href=f"{MERCHANTS.href}/{id}.json",
    )


def show_json(id: int) -> Any:
    """One merchant as the list's JSON gives it, with its totals by status and the mapping in force."""
    parse_list(MERCHANTS.href, (), request.args.to_dict(flat=False), ("at",))
    connection = database_connection()
    row = merchants.find(connection, id)
    beside = merchants.beside(connection, [row])
    chosen = mapping_detail.find(connection, row.mapping_id) if row.mapping_id is not None else None
    found: MerchantAnswer = {
        "success": True,
        "merchant": {
            **merchant_cells.as_json(row, beside),
            "totals": totals_of(connection, id),
            "mapping": mapping_cells.as_json(chosen, beside) if chosen else None,
        },
    }
    return jsonify(found)


def descriptors_of(ticker: str | None) -> str:
    """The first merchants that carry a ticker, as a table; nothing where it is none that the list takes."""
    try:
        return MERCHANTS.embed({"ticker": [ticker]}, EMBEDDED) if ticker else ""
    except BadRequest:  # as a legacy database may have held it
        return ""


def totals_of(connection: Connection, id: int) -> list[MerchantTotal]:
    """A merchant's transactions by status and currency, for the JSON."""
    return [
        {"status": status, "currency": currency, "n": n, "amount_cents": amount, "round_up_cents": round_up}
        for status, currency, n, amount, round_up, _ in map(tuple, merchant_detail.sums(connection, id))
    ]


def tiles(kept: Sums, id: int) -> list[dict[str, str]]:
    """What stands behind a merchant, in the currency of most of it; each figure leads to its rows."""
    currency = kept.currency
    waiting = sum(kept.add(2, status) for status in WAITING)
    held = sum(kept.add(3, status, currency) for status in WAITING)
    return [
        {"label": "Transactions", "value": number_text(kept.n), "href": _rows(id)},
        {"label": "Money", "value": money(kept.add(3, None, currency), currency), "href": _rows(id, currency=currency)},
        {
            "label": "Waiting",
            "value": number_text(waiting),
            "note": money(held, currency) if waiting else "",
            "href": _rows(id, *(("status", status) for status in WAITING)),
        },
    ]


def _rows(id: int, *pairs: tuple[str, str], **filters: str) -> str:
    return with_query(TRANSACTIONS.href, [("merchant_id", str(id)), *pairs, *filters.items()])


def _shown(row: Any) -> dict[str, Any]:
    status = merchants.status_of(row)
    return {
        "id": row.id,
        "name": row.name,
        "descriptor": row.descriptor,
        "ticker": row.ticker or "",
        "company": row.company or "",
        "category": row.category or "",
        "status": status,
        "status_label": LABELS.get(status, status),
        "first_iso": iso_text(row.first_seen),
        "first": moment_text(row.first_seen),
        "last_iso": iso_text(row.last_seen),
        "last": moment_text(row.last_seen),
    }


def _in_force(connection: Connection, row: Any) -> dict[str, str] | None:
    """The mapping that the merchant carries, in a line."""
    if row.mapping_id is None:
        return None
    chosen = mapping_detail.find(connection, row.mapping_id)
    by = f"decided by {decider(chosen)}" if decider(chosen) else f"from {LABELS.get(chosen.source, chosen.source)}"
    return {"href": f"{MAPPINGS.href}/{chosen.id}", "text": f"{percent_text(chosen.confidence)}, {by}"}


def _statuses(kept: Sums, id: int) -> list[dict[str, str]]:
    """The totals by status and currency, each with the link to its rows."""
    rows = sorted(kept.rows, key=lambda row: (STATUSES.index(row[0]), row[1]))
    return [
        {
            "status": status,
            "label": STATUS_LABELS[status],
            "n": number_text(n),
            "href": _rows(id, status=status, currency=currency),
            "amount": money(amount, currency),
            "round_up": money(round_up, currency),
        }
        for status, currency, n, amount, round_up, _ in rows
    ]


def _chart(by_month: dict[int, int], currency: str, id: int) -> dict[str, Any]:
    labels = [Label(month_text(month), month_text(month)) for month in by_month]
    figures = [Figure(cents, money(cents, currency), _month(id, month, currency)) for month, cents in by_month.items()]
    title = f"Money by month, {currency}"
    return charts.line("months", title, labels, [Line("Money", figures)], lambda cents: brief_money(cents, currency))


def _month(id: int, month: int, currency: str) -> str:
    since, until = first_of(month), first_of(month + 1) - DAY
    return _rows(id, since=since.isoformat(), until=until.isoformat(), currency=currency)
