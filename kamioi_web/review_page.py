"""The page on which proposals are decided: one after the other, the ones with the most money waiting first."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g, render_template, request
from sqlalchemy import Connection

from kamioi_web import filters
from kamioi_web.actions.review import HREF, NONE, ROLE
from kamioi_web.errors import BadRequest
from kamioi_web.list_request import single
from kamioi_web.money import money
from kamioi_web.pages import JOBS, MAPPINGS, TRANSACTIONS
from kamioi_web.queries import review as queries
from kamioi_web.request_context import database_connection
from kamioi_web.review import counts, deciding, queue
from kamioi_web.review.queue import Spot, spot_of
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import LABELS, STATUS_LABELS, age_text, iso_text, number_text, percent_text

SHOWN = 9  # of the queue, the current one among them
UNDO_MINUTES = 60
PARAMETERS = ("after", "id")


def register(pages: Blueprint) -> None:
    """Give the review its URL."""
    pages.add_url_rule(HREF, endpoint="review", view_func=show)


def show() -> str:
    """The proposal behind the place in the URL, or the one that is named there, and what comes after it."""
    values = request.args.to_dict(flat=False)
    for name in values:
        if name not in PARAMETERS:
            raise BadRequest(f"There is no parameter “{name[:40]}” here. There are: {', '.join(PARAMETERS)}.", name)
    connection = database_connection()
    rows = _asked_for(connection, single(values, "id"), single(values, "after"))
    sums = [queries.open_sums(connection, row.merchant_id) for row in rows]
    cards = [_card(connection, row, found) for row, found in zip(rows[:2], sums[:2], strict=True)]
    return render_template(
        "review.html",
        cards=[card | {"later": at > 0} for at, card in enumerate(cards)],
        queue=[_line(row, found) for row, found in zip(rows, sums, strict=True)],
        head=_head(connection),
        today=_today(connection),
        last=_last(connection),
        mappings_href=MAPPINGS.href,
        may=g.admin.may(ROLE),
        from_start=HREF if "after" in values else "",
    )


def _asked_for(connection: Connection, id: str, after: str) -> list[AnyRow]:
    """The proposals to show: the current one first."""
    if not id:
        spot = Spot.parse(after, "after") if after else None
        return list(queue.behind(connection, spot, g.admin.id, SHOWN))
    row = queue.find(connection, filters.number(id, "id"))
    if row is None:
        raise BadRequest(f"There is no mapping {id[:20]}.", "id")
    behind = queue.behind(connection, spot_of(row), g.admin.id, SHOWN - 1)
    return [row, *behind] if row.status == "pending" else list(behind)


def _head(connection: Connection) -> dict[str, Any]:
    """How long the queue is, what waits, and since when."""
    oldest, waiting = queries.oldest(connection), queries.money_waiting(connection)
    age = age_text((datetime.now(UTC) - oldest).total_seconds()) if oldest else ""
    sums = [money(row.amount_cents, row.currency) for row in waiting[:2]]
    return {"n": number_text(queries.waiting(connection)), "money": " and ".join(sums), "oldest": age}


def _today(connection: Connection) -> dict[str, Any]:
    by_admin = counts.of_day(connection, datetime.now(UTC).date())
    mine, pace = by_admin.get(g.admin.id, 0), queries.pace(connection, g.admin.id)
    every = sum(by_admin.values())
    return {
        "mine": number_text(mine),
        "all": number_text(every),
        "pace": f"{pace:.1f} a minute" if pace else "",
        "of": every or 1,
        "part": mine,
    }


def _last(connection: Connection) -> dict[str, Any] | None:
    """The decision that can be taken back in place, and what became of it."""
    row = deciding.last_of(connection, g.admin.id)
    if row is None or (datetime.now(UTC) - row.at).total_seconds() > 60 * UNDO_MINUTES:
        return None
    mapping = queue.find(connection, row.before["made"] or row.mapping_id)
    if mapping is None:
        return None
    answer = mapping.ticker or "nobody’s"
    done = {"approve": f"is {answer}", "change": f"is {answer}", "reject": "rejected"}[row.action]
    job_href = f"{JOBS.href}/{row.job_id}" if row.job_id else ""
    return {"id": row.id, "merchant": mapping.merchant, "done": done, "job_href": job_href}


def _line(row: AnyRow, sums: Any) -> dict[str, Any]:
    """One line of the queue."""
    most = sums[0] if sums else None
    return {
        "id": row.id,
        "href": f"{HREF}?id={row.id}",
        "merchant": row.merchant or "(no merchant)",
        "descriptor": row.descriptor or "",
        "n": number_text(sum(one.n for one in sums)),
        "money": money(most.amount_cents, most.currency) if most else "–",
        "more": len(sums) - 1 if most else 0,
    }


def _card(connection: Connection, row: AnyRow, sums: Any) -> dict[str, Any]:
    """One proposal with everything that a decision needs."""
    spot = spot_of(row)
    return {
        "id": row.id,
        "version": row.version,
        "spot": str(spot),
        "skip_href": f"{HREF}?after={spot}",
        "href": f"{MAPPINGS.href}/{row.id}",
        "claimed": row.claimed_by == g.admin.id,
        "merchant": row.merchant or "(no merchant)",
        "descriptor": row.descriptor or "",
        "cleaned": row.cleaned or "",
        "steps": row.steps or ([row.rationale] if row.rationale else []),
        "by": _by(row),
        "options": options_of(connection, row),
        "category": row.category or "",
        "changed": [
            {
                "n": number_text(one.n),
                "amount": money(one.amount_cents, one.currency),
                "round_up": money(one.round_up_cents, one.currency),
            }
            for one in sums
        ],
        "rows_href": f"{TRANSACTIONS.href}?merchant_id={row.merchant_id}",
        "examples": [_example(one) for one in queries.examples(connection, row.merchant_id)],
    }


def _by(row: AnyRow) -> str:
    if not row.confidence:
        return "no proposal"
    return f"proposed by {row.model or LABELS.get(row.source, row.source).lower()}"


def options_of(connection: Connection, row: AnyRow) -> list[dict[str, Any]]:
    """The proposal, then what else it may be; of two for one ticker the first, and only what can be bought."""
    found: dict[str | None, tuple[str | None, float, str]] = {}
    if row.confidence:
        found[row.ticker] = (row.company, row.confidence, "")
    for one in row.alternatives or []:
        found.setdefault(one["ticker"], (one["company"], one["confidence"], one["reason"]))
    known = queries.companies_of(connection, [ticker for ticker in found if ticker])
    return [
        {
            "value": ticker or NONE,
            "ticker": ticker or "NONE",
            "company": known.get(ticker, company) if ticker else "No US listing",
            "note": reason or ("" if ticker else company or ""),
            "confidence": percent_text(confidence),
            "first": bool(row.confidence) and ticker == row.ticker,
        }
        for ticker, (company, confidence, reason) in found.items()
        if ticker is None or ticker in known
    ]


def _example(row: AnyRow) -> dict[str, str]:
    return {
        "iso": iso_text(row.posted_at),
        "at": f"{row.posted_at:%-d %b %H:%M}",
        "amount": money(row.amount_cents, row.currency),
        "what": row.category if row.amount_cents >= 0 else "refund",
        "label": STATUS_LABELS[row.status],
    }
