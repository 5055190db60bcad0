"""How imports are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Sequence
from typing import Any

from kamioi_web.api.objects import Import
from kamioi_web.cells import Chip, Counts, choices, dates, escaped, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import Export, moment, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import IMPORT_KINDS, IMPORT_STATES
from kamioi_web.text import day_text, identifier, iso_text, number_text

COLUMNS = {
    "started": "Begun",
    "file": "File",
    "kind": "Kind",
    "added": "Added",
    "known": "Known",
    "rejected": "Rejected",
    "finished": "Finished",
    "status": "State",
}
HIDDEN = ()
FIXED = ("started", "file")
EXPORT: Export = {
    "started": (moment("started_at"),),
    "file": (words("file_name"),),
    "kind": (words("kind"),),
    "added": (whole("rows_added"),),
    "known": (whole("rows_known"),),
    "rejected": (whole("rows_rejected"),),
    "finished": (moment("finished_at"),),
    "status": (words("state"),),
}
SEARCH = ("file", "imports")


def present(rows: Sequence[Any], query: str, start: int | None, beside: None = None) -> list[tuple]:
    """Rows of the list as the fields that imports.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int) -> tuple:
    cursor = str(Cursor(row.started_at, row.id))
    return (
        row.id, cursor, number, f"/imports/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), cursor[11:19],
        escaped(row.file_name), row.kind, number_text(row.rows_added), number_text(row.rows_known),
        number_text(row.rows_rejected), finished_text(row), *state(row),
    )  # fmt: skip


def finished_text(row: Any) -> str:
    """When it was done: 14 Mar 2024 09:49, or a dash."""
    at = row.finished_at
    return f"{day_text(at.date().isoformat())} {at:%H:%M}" if at else "–"


def state(row: Any) -> tuple[str, str]:
    """The state as the class of its badge and in words; what was stopped cannot be told from what runs."""
    return ("completed", "done") if row.state == "done" else ("pending", "not finished")


def as_json(row: Any, beside: None = None) -> Import:
    """One import as the JSON API gives it."""
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.started_at, row.id)),
        "kind": row.kind,
        "file_name": row.file_name,
        "state": row.state,
        "rows_added": row.rows_added,
        "rows_known": row.rows_known,
        "rows_rejected": row.rows_rejected,
        "started_at": iso_text(row.started_at),
        "finished_at": iso_text(row.finished_at) if row.finished_at else None,
    }


def stats(figures: Figures) -> None:
    """No figures are kept of imports."""


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tile above the list."""
    return [{"label": "Imports", "value": number_text(sums.n)}]


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form."""
    return [
        choices(request, "kind", "Kind", IMPORT_KINDS, counts),
        choices(request, "state", "State", IMPORT_STATES, counts),
        text_field(request, "file", "File", "Any part of its name"),
        dates(request, "Begun"),
    ]  # fmt: skip


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    return shared_chips(request, {"kind": "Kind", "state": "State", "file": "File"}, "Begun")
