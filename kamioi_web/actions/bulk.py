"""Changing many transactions: what it will come to, and the order."""

from typing import Any

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web import bulk as asking
from kamioi_web import extents
from kamioi_web.auth.guard import require_role
from kamioi_web.bulk import HREF, Bulk
from kamioi_web.errors import BadRequest
from kamioi_web.extents import Extent
from kamioi_web.jobs.store import Order
from kamioi_web.list_request import with_query
from kamioi_web.pages import TRANSACTIONS
from kamioi_web.schema import COMMON_STATUSES
from kamioi_web.sent_forms import FIELD, once, order
from kamioi_web.text import STATUS_LABELS, number_text

blueprint = Blueprint("bulk", __name__)
ROLE = TRANSACTIONS.bulk_role
NOT_ASKED = ("csrf_token", FIELD, "typed")


@blueprint.get(HREF)
@require_role(ROLE)
def show() -> ResponseReturnValue:
    """How many rows that is, some of them, and what becomes of them; nothing is changed by looking."""
    values = request.args.to_dict(flat=False)
    bulk = asking.parse(values)
    if any(not text.strip() for texts in values.values() for text in texts) or len(values.get("tick", [])) != len(
        bulk.ticked
    ):
        return redirect(with_query(HREF, bulk.pairs))  # a form sends its empty fields too, and rows that do not matter
    return _page(bulk)


@blueprint.post(HREF)
@require_role(ROLE)
@once
def change(connection: Connection) -> ResponseReturnValue:
    """Order the change of the rows that there are now, and show the job."""
    values = {name: texts for name, texts in request.form.to_dict(flat=False).items() if name not in NOT_ASKED}
    bulk = asking.parse(values)
    view = TRANSACTIONS.view_of(bulk.asked)
    extent = asking.extent_of(bulk, view)
    if wrong := extents.typed_wrong(extent, request.form.get("typed", "")):
        return _page(bulk, 400, wrong)
    rows = asking.frozen(bulk, view)
    if rows is None:
        raise BadRequest("No transaction matches by now, so there is nothing to change.", "filter")
    return redirect(f"/jobs/{order(connection, order_of(bulk, extent, rows))}", 303)


def order_of(bulk: Bulk, extent: Extent, rows: dict[str, Any]) -> Order:
    """The job that does it."""
    title = bulk.title.format(extent.of("transaction", "transactions"))
    total = extent.n if extent.exact else None
    return Order("bulk", "default", title, {"selection": rows, "change": bulk.change}, g.admin.id, total)


def _page(bulk: Bulk, status: int = 200, error: str = "") -> tuple[str, int]:
    extent = asking.extent_of(bulk, TRANSACTIONS.view_of(bulk.asked))
    page = {
        "title": bulk.title.format(f"{extent.text} transactions"),
        "n": extent.n,
        "effects": _effects(bulk, extent),
        "to_type": extent.to_type,
        "error": error,
        "pairs": bulk.pairs,
        "action": HREF,
    }
    return extents.ask(TRANSACTIONS, bulk.asked, page, bulk.ticked, status)


def _effects(bulk: Bulk, extent: Extent) -> list[str]:
    """What will happen, in words."""
    if bulk.change["do"] == "mapping":
        return [
            "Those that are pending, in review or mapped get the ticker and the category that their merchant is mapped "
            "to by now; where it is nobody’s they are completed without an investment, their round-ups released.",
            "Completed, failed and rejected ones stay as they are.",
        ]
    if bulk.change["do"] == "category":
        return [f"All get the category {bulk.change['to']}. Status, ticker and money stay as they are."]
    return _of_status(bulk.change["to"], extent.by_status)


def _of_status(to: str, by_status: dict[str, int]) -> list[str]:
    becomes = dict.fromkeys(by_status, f"become {STATUS_LABELS[to]}") | {to: "stay as they are"}
    found = [
        f"{number_text(n)} {STATUS_LABELS[status]} {becomes[status]}."
        for status, n in sorted(by_status.items(), key=lambda item: -item[1])
    ]
    if to not in COMMON_STATUSES and any(status in COMMON_STATUSES for status in by_status):
        found.append("Round-ups of these that are allocated to tickers are taken back.")
    if to in COMMON_STATUSES:
        found.append("The round-up of each that has a ticker is allocated to it.")
    return found
