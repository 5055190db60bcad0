"""What the panels of the overview show: texts, and the links to the rows behind each figure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kamioi_web import charts
from kamioi_web.charts import Figure, Line
from kamioi_web.list_request import with_query
from kamioi_web.money import money
from kamioi_web.pages import AUDIT, IMPORTS, MAPPINGS, TRANSACTIONS, USERS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.periods import Period, label
from kamioi_web.queries import audit_cells
from kamioi_web.queries.audit_events import SYSTEM
from kamioi_web.queries.overview import CHART_DAYS, MOST_UNFINISHED, Attention, Event, Import, LastDay, Month, Recent
from kamioi_web.text import STATUS_LABELS, age_text, day_text, iso_text, moment_text, number_text

WAITING = (("status", "needs_review"), ("status", "pending"))


def attention(found: Attention) -> dict[str, Any]:
    """What waits, as tiles: what went wrong, what waits for a person, and what has waited longest."""
    dates = (("since", found.since.isoformat()), ("until", found.until.isoformat()))
    tiles = [
        {
            "label": "Failed in 7 days",
            "value": number_text(found.failed),
            "href": with_query(TRANSACTIONS.href, [("status", "failed"), *dates]),
            "tone": "bad" if found.failed else "",
            "note": f"since {day_text(found.since.isoformat())}",
        },
        {
            "label": "Waiting for review",
            "value": number_text(found.in_review + found.pending),
            "href": with_query(TRANSACTIONS.href, WAITING),
            "note": _money(found.waiting),
        },
        {
            "label": "Pending mappings",
            "value": number_text(found.mappings),
            "href": with_query(MAPPINGS.href, [("status", "pending")]),
            "note": "to decide",
        },
        _oldest(found.oldest),
    ]
    unfinished = [
        {
            "href": f"{IMPORTS.href}/{one.id}",
            "file": one.file_name,
            "text": f"begun {moment_text(one.started_at)}, {_came(one)}",
        }
        for one in found.unfinished
    ]
    all_href = with_query(IMPORTS.href, [("state", "running")]) if len(unfinished) == MOST_UNFINISHED else ""
    return {"tiles": tiles, "unfinished": unfinished, "all_unfinished": all_href}


def _money(parts: Sequence[tuple[str, int]]) -> str:
    """The amounts of each currency, never added up; more than two are named by their number."""
    texts = [money(cents, code) for code, cents in parts[:2]]
    rest = len(parts) - 2
    return " + ".join(texts) + (f" + {rest} more currencies" if rest > 0 else "") if parts else "nothing waits"


def _oldest(oldest: Recent | None) -> dict[str, Any]:
    if oldest is None:
        return {"label": "Oldest pending", "value": "–", "href": "", "note": "nothing is pending"}
    waited = age_text((datetime.now(UTC) - oldest.posted_at).total_seconds())
    href = _transaction(oldest, ("status", "pending"))
    return {"label": "Oldest pending", "value": waited, "href": href, "note": oldest.merchant or "no merchant"}


def _transaction(row: Recent, *pairs: tuple[str, str]) -> str:
    place = ("at", str(Cursor(row.posted_at, row.id)))
    return with_query(f"{TRANSACTIONS.href}/{row.id}", [*pairs, place])


def hours(found: LastDay) -> dict[str, Any]:
    """The last 24 whole hours beside those before; each figure opens its list where these hours end."""
    code, now, before = found.currency, found.now, found.before
    at = ("after", str(Cursor(found.until, 0)))
    rows = TRANSACTIONS.href

    def line(name: str, label: str, href: str, *pairs: tuple[str, str], cents: bool = False) -> dict[str, Any]:
        values = getattr(now, name), getattr(before, name)
        texts = [money(value, code) if cents else number_text(value) for value in values]
        return {"name": name, "label": label, "href": with_query(href, [*pairs, at]), "value": texts[0],
                "before": texts[1], "change": change(*values)}  # fmt: skip

    currency = ("currency", code)
    return {
        "until": f"{found.until:%H:%M} UTC",
        "lines": [
            line("transactions", "Transactions", rows),
            line("volume_cents", "Volume", rows, currency, cents=True),
            line("invested_cents", "Invested", rows, ("status", "completed"), currency, cents=True),
            line("failed", "Failed", rows, ("status", "failed")),
            line("users", "New users", USERS.href),
            line("mappings", "New mappings", MAPPINGS.href),
        ],
        "note": f"Amounts are in {code}; there are {found.currencies - 1} other currencies."
        if found.currencies > 1
        else "",
    }


def change(now: int, before: int) -> str:
    """A figure against the one before, in percent: +12 %, −3 %, ±0 %; new where there was nothing."""
    if now == before:
        return "±0 %"
    if before == 0:
        return "new"
    percent = 100 * (now - before) / abs(before)
    size = f"{abs(percent):,.0f}" if abs(percent) >= 1 else "<1"
    return f"{'+' if percent > 0 else '−'}{size} %"


def days(found: Month) -> dict[str, Any]:
    """Transactions by day, 30 whole days and the 30 before; each figure opens the rows of its day."""
    first = found.since
    labels = [label(Period(day, day), "day") for day in (first + timedelta(days=at) for at in range(CHART_DAYS))]
    lines = [
        Line("these 30 days", [_day(first + timedelta(days=at), n) for at, n in enumerate(found.now)]),
        Line(
            "the 30 days before",
            [_day(first - timedelta(days=CHART_DAYS - at), n) for at, n in enumerate(found.before)],
            dashed=True,
        ),
    ]
    chart = charts.line("days", "Transactions by day", labels, lines, lambda n: number_text(round(n)))
    last = first + timedelta(days=CHART_DAYS - 1)
    dates = [("since", first.isoformat()), ("until", last.isoformat())]
    return {
        "chart": chart,
        "total": number_text(sum(found.now)),
        "total_href": with_query(TRANSACTIONS.href, dates),
        "period": Period(first, last).text,
        "change": change(sum(found.now), sum(found.before)),
    }


def _day(day: Any, n: int) -> Figure:
    dates = [("since", day.isoformat()), ("until", day.isoformat())]
    return Figure(n, number_text(n), with_query(TRANSACTIONS.href, dates))


def newest_transactions(found: Sequence[Recent]) -> dict[str, Any]:
    """The transactions posted last."""
    rows = [
        {
            "id": row.id,
            "href": _transaction(row),
            "merchant": row.merchant or "(no merchant)",
            "at_iso": iso_text(row.posted_at),
            "at": _short(row.posted_at),
            "amount": money(row.amount_cents, row.currency),
            "status": row.status,
            "status_label": STATUS_LABELS[row.status],
        }
        for row in found
    ]
    return {"rows": rows, "href": TRANSACTIONS.href}


def newest_events(found: Sequence[Event]) -> dict[str, Any]:
    """What was done last, and by whom."""
    rows = [
        {
            "id": row.id,
            "href": f"{AUDIT.href}/{row.id}",
            "action": row.action,
            "who": row.admin or SYSTEM,
            "subject": audit_cells.subject_text(row),
            "subject_href": audit_cells.subject_href(row),
            "at_iso": iso_text(row.at),
            "at": _short(row.at),
        }
        for row in found
    ]
    return {"rows": rows, "href": AUDIT.href}


def newest_imports(found: Sequence[Import]) -> dict[str, Any]:
    """The imports begun last, and what came of them."""
    rows = [
        {
            "id": one.id,
            "href": f"{IMPORTS.href}/{one.id}",
            "file": one.file_name,
            "kind": one.kind,
            "came": _came(one),
            "done": one.done,
            "at_iso": iso_text(one.started_at),
            "at": _short(one.started_at),
        }
        for one in found
    ]
    return {"rows": rows, "href": IMPORTS.href}


def _came(one: Import) -> str:
    counts = [(one.added, "added"), (one.known, "known"), (one.rejected, "rejected")]
    return ", ".join(f"{number_text(n)} {word}" for n, word in counts if n) or "nothing yet"


def _short(moment: datetime) -> str:
    """A moment in a narrow column: 14 Mar 2024 09:49."""
    return f"{day_text(moment.date().isoformat())} {moment:%H:%M}"
