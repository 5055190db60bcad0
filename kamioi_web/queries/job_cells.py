"""How jobs are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Sequence
from typing import Any

from kamioi_web.api.objects import Job
from kamioi_web.cells import Chip, Counts, choices, dates, escaped, quoted, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import Export, moment, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.jobs.tables import LABELS, STATES
from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries.audit_events import SYSTEM
from kamioi_web.text import day_text, identifier, iso_text, number_text

COLUMNS = {
    "ordered": "Ordered",
    "title": "Job",
    "kind": "Kind",
    "who": "By",
    "progress": "Rows",
    "finished": "Finished",
    "status": "State",
}
HIDDEN = ()
FIXED = ("ordered", "title")
EXPORT: Export = {
    "ordered": (moment("created_at"),),
    "title": (words("title"),),
    "kind": (words("kind"),),
    "who": (words("ordered_by"),),
    "progress": (whole("rows_done"), whole("rows_total")),
    "finished": (moment("finished_at"),),
    "status": (words("state"), words("error")),
}
SEARCH = ("title", "jobs")
LOOKS = {"done": "completed", "failed": "failed", "cancelled": "rejected", "running": "mapped", "paused": "pending",
         "waiting": "pending"}  # fmt: skip


def present(rows: Sequence[Any], query: str, start: int | None, beside: None = None) -> list[tuple]:
    """Rows of the list as the fields that jobs.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int) -> tuple:
    cursor = str(Cursor(row.created_at, row.id))
    return (
        row.id, cursor, number, f"/jobs/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), cursor[11:19],
        escaped(row.title), LABELS.get(row.kind, escaped(row.kind)), escaped(row.admin or SYSTEM),
        f"/jobs?admin={quoted(row.admin or SYSTEM)}", progress_text(row), finished_text(row),
        LOOKS[row.state], row.state,
    )  # fmt: skip


def progress_text(row: Any) -> str:
    """12,000 of 1,204,331 while it runs; 1,204,331 when it is over."""
    done = number_text(row.rows_done)
    return f"{done} of {number_text(row.rows_total)}" if row.rows_total and row.finished_at is None else done


def finished_text(row: Any) -> str:
    """When it was over: 14 Mar 2024 09:49, or a dash."""
    at = row.finished_at
    return f"{day_text(at.date().isoformat())} {at:%H:%M}" if at else "–"


def as_json(row: Any, beside: None = None) -> Job:
    """One job as the JSON API gives it."""
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.created_at, row.id)),
        "kind": row.kind,
        "title": row.title,
        "ordered_by": row.admin,
        "state": row.state,
        "rows_done": row.rows_done,
        "rows_total": row.rows_total,
        "result": row.result,
        "error": row.error,
        "undo_of": row.undo_of,
        "undone_by": row.undone_by,
        "created_at": iso_text(row.created_at),
        "started_at": iso_text(row.started_at) if row.started_at else None,
        "finished_at": iso_text(row.finished_at) if row.finished_at else None,
    }


def stats(figures: Figures) -> None:
    """No figures are kept of jobs."""


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tile above the list."""
    return [{"label": "Jobs", "value": number_text(sums.n)}]


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form."""
    return [
        choices(request, "state", "State", STATES, counts),
        choices(request, "kind", "Kind", tuple(LABELS), counts),
        text_field(request, "title", "Job", "Any part of its name"),
        text_field(request, "admin", "Ordered by", "The e-mail of an admin"),
        dates(request, "Ordered"),
    ]


CHIPS = {"state": "State", "kind": "Kind", "title": "Job", "admin": "By"}


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    return shared_chips(request, CHIPS, "Ordered")
