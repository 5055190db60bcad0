"""What stands around the panels of Analytics: the period in words, the ways to another one, filters and currencies."""

from typing import TYPE_CHECKING, Any

from kamioi_web.cells import chips, choices, text_field
from kamioi_web.periods import Period, named
from kamioi_web.queries.analytics_scope import ASKED_STEPS
from kamioi_web.schema import ACCOUNT_TYPES
from kamioi_web.text import day_text, number_text

if TYPE_CHECKING:
    from kamioi_web.analytics_page import View

DATES = ("since", "until")
FILTERS = {"account_type": "Account", "category": "Category"}


def page(view: "View") -> dict[str, Any]:
    """Everything around the panels."""
    asked, scope, there = view.asked, view.scope, view.there
    dated = bool(set(DATES) & set(asked.given))
    after = scope.period.after()
    newest = there.last or view.today
    return {
        "title": "Analytics",
        "href": asked.href,
        "words": _words(view, dated),
        "note": scope.note,
        "steps": [
            {"label": by.capitalize(), "href": asked.link(("by", by), without=("by",)), "current": by == scope.by}
            for by in ASKED_STEPS
        ],
        "period": scope.period.text,
        "since": scope.period.since.isoformat(),
        "until": scope.period.until.isoformat(),
        "presets": _presets(view),
        "presets_note": f"Counted back from {day_text(there.newest.isoformat())}, the newest." if there.newest else "",
        "dates_kept": [pair for pair in asked.pairs if pair[0] not in DATES],
        "usual_href": asked.link(without=DATES) if dated else "",
        "earlier": _step(view, scope.before),
        "later": _step(view, after if after and after.since <= newest else None),
        "chips": [
            {"label": title, "value": value, "remove_href": asked.link(without=names)}
            for title, value, names in chips(asked, FILTERS, "")
            if names != DATES
        ],
        "fields": [
            choices(asked, "account_type", "Account", ACCOUNT_TYPES, {}),
            text_field(asked, "category", "Category", "Groceries",
                       suggestions=[name for name, _ in there.categories[:200]]),
        ],
        "kept": [pair for pair in asked.pairs if pair[0] not in FILTERS],
        "clear_href": asked.link(without=tuple(FILTERS)) if scope.filtered else None,
        "currency": scope.currency,
        "currencies": _currencies(view),
        "empty": there.newest is None,
    }  # fmt: skip


def _words(view: "View", dated: bool) -> str:
    scope = view.scope
    usual = "" if dated or not scope.period.whole_months else "The last 12 whole months, "
    against = f", compared with {scope.before.text}" if scope.before else ""
    return f"{usual}{scope.period.text}{against}"


def _presets(view: "View") -> list[dict[str, Any]]:
    there = view.there
    if there.oldest is None or there.newest is None:
        return []
    return [_link(view, period) | {"label": name} for name, period in named(there.oldest, there.newest).items()]


def _step(view: "View", period: Period | None) -> dict[str, Any] | None:
    return _link(view, period) if period else None


def _link(view: "View", period: Period) -> dict[str, Any]:
    href = view.asked.link(("since", period.since), ("until", period.until), without=DATES)
    return {"href": href, "title": period.text, "current": period == view.scope.period}


def _currencies(view: "View") -> list[dict[str, Any]]:
    there, scope = view.there.currencies, view.scope
    if len(there) < 2:
        return []
    return [
        {
            "code": code,
            "text": f"{number_text(n)} rows in {code}, ever",
            "href": view.asked.link(("currency", code), without=("currency",)),
            "current": code == scope.currency,
        }
        for code, n in there
    ]
