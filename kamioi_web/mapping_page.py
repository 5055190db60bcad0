"""The page of one mapping, and the same as JSON."""

from typing import Any

from flask import Blueprint, g, jsonify, render_template, request
from sqlalchemy import Connection

from kamioi_web import detail, review_page
from kamioi_web.actions.review import HREF, NONE, ROLE
from kamioi_web.api.merchant_objects import MappingAnswer
from kamioi_web.figures import Sums
from kamioi_web.jobs.applying import OPEN
from kamioi_web.list_request import parse_list, with_query
from kamioi_web.merchant_page import EMBEDDED, descriptors_of, tiles, totals_of
from kamioi_web.money import money
from kamioi_web.pages import MAPPINGS, MERCHANTS, TRANSACTIONS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import mapping_cells, mapping_detail, mappings, merchant_detail
from kamioi_web.queries.mapping_cells import decider
from kamioi_web.request_context import database_connection
from kamioi_web.text import LABELS, iso_text, moment_text, number_text, percent_text


def register(pages: Blueprint) -> None:
    """Give one mapping its URLs."""
    pages.add_url_rule(f"{MAPPINGS.href}/<int:id>", endpoint="mapping", view_func=show)
    pages.add_url_rule(f"{MAPPINGS.href}/<int:id>.json", endpoint="mapping/json", view_func=show_json)


def show(id: int) -> str:
    """Everything about one mapping; the filter in the URL decides which are beside it."""
    asked = parse_list(MAPPINGS.href, mappings.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    connection = database_connection()
    row = mapping_detail.find(connection, id)
    kept = Sums([tuple(part) for part in merchant_detail.sums(connection, row.merchant_id)])
    others = mapping_detail.others(connection, row)
    return render_template(
        "mappings_detail.html",
        mapping=_shown(row),
        decision=_decision(connection, row, kept),
        tiles=tiles(kept, row.merchant_id),
        others=[_shown(other) for other in others[: mapping_detail.MOST]],
        others_href=_all_of(row.merchant_id) if len(others) > mapping_detail.MOST else "",
        transactions=TRANSACTIONS.embed({"merchant_id": [str(row.merchant_id)]}, EMBEDDED),
        descriptors=descriptors_of(row.ticker),
        history=_history(row),
        steps=detail.steps(MAPPINGS, asked, Cursor(row.created_at, row.id)),
        json_href=f"{MAPPINGS.href}/{id}.json",
    )


def show_json(id: int) -> Any:
    """One mapping as the list's JSON gives it, with the merchant's totals and what else was decided about it."""
    parse_list(MAPPINGS.href, (), request.args.to_dict(flat=False), ("at",))
    return jsonify(answer_of(database_connection(), id))


def answer_of(connection: Connection, id: int) -> MappingAnswer:
    """One mapping as the API gives it; NotFound when there is none."""
    row = mapping_detail.find(connection, id)
    others = mapping_detail.others(connection, row)[: mapping_detail.MOST]
    beside = mappings.beside(connection, [row])
    return {
        "success": True,
        "mapping": {
            **mapping_cells.as_json(row, beside),
            "in_force": row.in_force == row.id,
            "totals": totals_of(connection, row.merchant_id),
            "others": [mapping_cells.as_json(other, beside) for other in others],
        },
    }


def _decision(connection: Connection, row: Any, kept: Sums) -> dict[str, Any]:
    """How it came about, and what can be decided; an answer that is in force is not offered once more."""
    stands = row.status == "approved" and row.in_force == row.id
    options = review_page.options_of(connection, row)
    return {
        "cleaned": row.cleaned or "",
        "steps": row.steps or [],
        "options": [one for one in options if not stands or one["value"] != (row.ticker or NONE)],
        "stands": stands,
        "effects": _effects(kept, stands),
        "may": g.admin.may(ROLE),
        "review_href": f"{HREF}?id={row.id}",
    }


def _effects(kept: Sums, stands: bool) -> list[str]:
    """What a decision applies to, in words; `kept` are the merchant's totals."""
    told = [
        f"Not completed yet: {number_text(n)} of {money(amount, currency)}. A decision is applied to them; their "
        f"round-ups, {money(round_up, currency)}, go to the ticker, or with None back to their users."
        for currency, (n, amount, round_up) in _open(kept).items()
    ] or ["No transaction of this merchant is open, so a decision changes none; later ones are mapped by it."]
    if stands:
        told.append("Rejecting it lets those that are mapped by it wait again.")
    return [*told, "Completed, failed and rejected transactions stay as they are."]


def _open(kept: Sums) -> dict[str, list[int]]:
    """{currency: [n, amount, round-up] of what a decision may change}, the most rows first."""
    found: dict[str, list[int]] = {}
    for status, currency, *measures in kept.rows:
        if status in OPEN:
            sums = found.setdefault(currency, [0, 0, 0])
            found[currency] = [known + more for known, more in zip(sums, measures, strict=False)]
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def _all_of(merchant_id: int) -> str:
    return with_query(MAPPINGS.href, [("merchant_id", str(merchant_id))])


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "href": f"{MAPPINGS.href}/{row.id}?at={Cursor(row.created_at, row.id)}",
        "title": row.merchant or "(no merchant)",
        "descriptor": row.descriptor or "",
        "merchant_href": f"{MERCHANTS.href}/{row.merchant_id}",
        "ticker": row.ticker or "",
        "company": row.company or "",
        "category": row.category or "",
        "confidence": percent_text(row.confidence),
        "status": row.status,
        "source": LABELS.get(row.source, row.source),
        "source_ref": row.source_ref or "",
        "model": row.model or "",
        "rationale": row.rationale or "",
        "decider": decider(row),
        "decided": moment_text(row.decided_at) if row.decided_at else "",
        "decided_iso": iso_text(row.decided_at) if row.decided_at else "",
        "created": moment_text(row.created_at),
        "created_iso": iso_text(row.created_at),
        "version": row.version,
        "in_force": row.in_force == row.id,
        "force_href": f"{MAPPINGS.href}/{row.in_force}" if row.in_force else "",
    }


def _history(row: Any) -> list[detail.Event]:
    """What was done to it, newest first; at the bottom how it was decided and how it came."""
    made = detail.event(row.created_at, row.model or LABELS.get(row.source, row.source), "proposed", [])
    decided = [detail.event(row.decided_at, decider(row), row.status, [])] if row.decided_at else []
    return [*detail.events_of(database_connection(), "mapping", row.id), *decided, made]
