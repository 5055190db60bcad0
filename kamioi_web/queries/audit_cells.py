"""How the audit log is shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kamioi_web.api.objects import Event, EventStats
from kamioi_web.cells import Chip, Counts, choices, dates, escaped, quoted, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import Export, json_words, moment, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest, with_query
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries.audit_events import SYSTEM
from kamioi_web.text import day_text, identifier, iso_text, number_text

COLUMNS = {
    "at": "Time",
    "action": "Action",
    "who": "Who",
    "subject": "Subject",
    "detail": "Detail",
    "address": "Address",
    "request": "Request",
}
HIDDEN = ("request",)  # until an admin chooses it
FIXED = ("at", "action")
EXPORT: Export = {
    "at": (moment("at"),),
    "action": (words("action"),),
    "who": (words("admin"),),
    "subject": (words("subject"), whole("subject_id")),
    "detail": (json_words("detail"),),
    "address": (words("address"),),
    "request": (words("request_id"),),
}
SEARCH = ("admin", "admins")
TILES = {"Logins": "login.success", "Failed logins": "login.failure", "Logins refused": "login.limited"}
SHORT, VALUE = 160, 60  # characters of a detail in the list, and of one value in it; the event's own page has all
# Where one of them is shown.
PAGES = {"transaction": "/transactions", "user": "/users", "mapping": "/llm-center", "merchant": "/merchants",
         "view": "/views", "job": "/jobs"}  # fmt: skip


def present(rows: Sequence[Any], query: str, start: int | None, beside: None = None) -> list[tuple]:
    """Rows of the log as the fields that audit.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int) -> tuple:
    cursor = str(Cursor(row.at, row.id))
    detail = "; ".join(f"{shortened(name, VALUE)}: {shortened(value, VALUE)}" for name, value in pairs(row.detail))
    return (
        row.id, cursor, number, f"/audit/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), cursor[11:19],
        escaped(row.action), escaped(row.admin or SYSTEM), f"/audit?admin={quoted(row.admin or SYSTEM)}",
        escaped(subject_text(row)), escaped(subject_href(row)), escaped(shortened(detail, SHORT)), escaped(row.address),
        escaped(row.request_id),
    )  # fmt: skip


def pairs(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an event tells beside its action, as text; what is neither text nor number reads as JSON."""
    plain = (str, int, float)
    return [
        (name, str(value) if type(value) in plain else json.dumps(value, ensure_ascii=False))
        for name, value in detail.items()
    ]


def shortened(text: str, length: int) -> str:
    """A text, or its beginning when it is longer than that."""
    return text if len(text) <= length else text[: length - 1] + "…"


def subject_text(row: Any) -> str:
    """What an event was about: transaction 123, or nothing."""
    return " ".join(str(part) for part in (row.subject, row.subject_id) if part is not None)


def subject_href(row: Any) -> str:
    """The page of what an event was about, or everything else that happened to it; '' when it was about nothing."""
    if row.subject is None or row.subject_id is None:
        return ""
    if row.subject in PAGES:
        return f"{PAGES[row.subject]}/{row.subject_id}"
    return with_query("/audit", [("subject", row.subject), ("subject_id", str(row.subject_id))])


def as_json(row: Any, beside: None = None) -> Event:
    """One event as the JSON API gives it."""
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.at, row.id)),
        "at": iso_text(row.at),
        "admin_id": row.admin_id,
        "admin": row.admin,
        "action": row.action,
        "subject": row.subject,
        "subject_id": row.subject_id,
        "detail": row.detail,
        "address": row.address,
        "request_id": row.request_id,
    }


def stats(figures: Figures) -> EventStats | None:
    """The events of each action, exact from the totals; None where the totals do not cover the filter."""
    return {"totalEvents": figures.sums().value.n, "actions": figures.split("kind")} if figures.covered else None


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the log: its events, and those of logins where the totals tell."""
    found: list[dict[str, Any]] = [{"label": "Events", "value": number_text(sums.n)}]
    actions = figures.split("kind")
    if actions is None:
        return found
    for label, action in TILES.items():
        href = request.link(("action", action), without=("action",))
        found.append({"label": label, "value": number_text(actions.get(action, 0)), "href": href})
    return found


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form. `counts` has the actions there are and their events."""
    actions = [name for name, _ in counts.get("action", [])]
    actions += [name for name in request.given.get("action", ()) if name not in actions]
    return [
        choices(request, "action", "Action", actions, counts),
        text_field(request, "admin", "Admin", "name@example.com", help=f"An e-mail address, an id, or {SYSTEM}."),
        text_field(request, "subject", "Subject", "transaction", help="What it was about: user, merchant, admin …"),
        text_field(request, "subject_id", "Subject’s id", "1000042"),
        dates(request, "Time"),
    ]  # fmt: skip


CHIPS = {"action": "Action", "admin": "Admin", "subject": "Subject", "subject_id": "Subject’s id"}


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use; an id goes with its subject."""
    both = ("subject", "subject_id")
    found = shared_chips(request, CHIPS, "Time")
    return [(label, value, both if names == ("subject",) else names) for label, value, names in found]
