"""The page of one transaction, and the same as JSON."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request

from kamioi_web import detail
from kamioi_web.api.objects import Allocation, TransactionAnswer
from kamioi_web.list_request import parse_list
from kamioi_web.money import decimal, money
from kamioi_web.pages import MERCHANTS, TRANSACTIONS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import transaction_cells, transaction_detail, transactions
from kamioi_web.request_context import database_connection
from kamioi_web.text import STATUS_LABELS, iso_text, moment_text

LIST = TRANSACTIONS.href


def register(pages: Blueprint) -> None:
    """Give one transaction its URLs."""
    pages.add_url_rule(f"{LIST}/<int:id>", endpoint="transaction", view_func=show)
    pages.add_url_rule(f"{LIST}/<int:id>.json", endpoint="transaction/json", view_func=show_json)


def show(id: int) -> str:
    """Everything about one transaction; the filter in the URL decides which are beside it."""
    asked = parse_list(LIST, transactions.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    row, shares = _read(id, asked.at)
    place = Cursor(row.posted_at, row.id)
    return render_template(
        "transactions_detail.html",
        transaction=_shown(row),
        allocations=_shares(row, shares),
        allocated=money(sum(share.amount_cents for share in shares), row.currency),
        history=_history(row),
        steps=detail.steps(TRANSACTIONS, asked, place),
        json_href=f"{LIST}/{id}.json?at={place}",
    )


def show_json(id: int) -> Any:
    """One transaction with its shares, as the list's JSON gives it."""
    asked = parse_list(LIST, (), request.args.to_dict(flat=False), ("at",))
    row, shares = _read(id, asked.at)
    found: TransactionAnswer = {
        "success": True,
        "transaction": {**transaction_cells.as_json(row), "allocations": _allocations(shares)},
    }
    return jsonify(found)


def _allocations(shares: Any) -> list[Allocation]:
    total = sum(share.amount_cents for share in shares) or 1
    return [
        {
            "stock_symbol": share.ticker,
            "allocation_amount": decimal(share.amount_cents),
            "allocation_cents": share.amount_cents,
            "allocation_percentage": round(share.amount_cents * 100 / total, 2),
        }
        for share in shares
    ]


def _read(id: int, at: Cursor | None) -> tuple[Any, Any]:
    connection = database_connection()
    row = transaction_detail.find(connection, id, at.at if at and at.id == id else None)
    return row, transaction_detail.shares(connection, row.user_id, id)


def _shown(row: Any) -> dict[str, Any]:
    user = row.account_number or str(row.user_id)
    return {
        "id": row.id,
        "cursor": str(Cursor(row.posted_at, row.id)),
        "title": row.merchant or "(no merchant)",
        "descriptor": row.descriptor or "",
        "amount": money(row.amount_cents, row.currency),
        "round_up": money(row.round_up_cents, row.currency),
        "fee": money(row.fee_cents, row.currency) if row.fee_cents else "",
        "currency": row.currency,
        "posted_iso": iso_text(row.posted_at),
        "posted": moment_text(row.posted_at),
        "created": moment_text(row.created_at),
        "status": row.status,
        "status_label": STATUS_LABELS[row.status],
        "category": row.category,
        "ticker": row.ticker or "",
        "company": row.company or "",
        "account_type": row.account_type,
        "source": row.source,
        "source_ref": row.source_ref,
        "user": {
            "id": row.user_id,
            "account_number": user,
            "name": row.user_name or "",
            "href": f"/users/{row.user_id}",
        },
        "merchant": {"id": row.merchant_id, "href": f"{MERCHANTS.href}/{row.merchant_id}"},
    }


def _shares(row: Any, shares: Any) -> list[dict[str, str]]:
    total = sum(share.amount_cents for share in shares) or 1
    return [
        {
            "ticker": share.ticker,
            "amount": money(share.amount_cents, row.currency),
            "share": f"{share.amount_cents * 100 / total:.0f} %",
        }
        for share in shares
    ]


def _history(row: Any) -> list[detail.Event]:
    """What was done, newest first; at the bottom what the row was imported from, and how it came in."""
    came = detail.event(row.created_at, row.source, "received", [("reference", row.source_ref)])
    return [*detail.events_of(database_connection(), "transaction", row.id), came]
