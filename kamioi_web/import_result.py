"""What the page of a job shows of an import: its figures, why rows were rejected, and where to go on."""

from typing import Any

from flask import g

from kamioi_web.jobs import importing
from kamioi_web.jobs.tables import OPEN_STATES
from kamioi_web.money import money
from kamioi_web.request_context import settings_of
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import number_text

FIGURES = {"read": "Rows read", "added": "Added", "known": "Known", "rejected": "Rejected", "blank": "Blank lines"}
ROWS = {"transactions": "/transactions?source=import", "mappings": "/llm-center?source=upload"}


def shown(row: AnyRow) -> dict[str, Any]:
    """The parts of the job's page that are an import's own."""
    result = row.result
    return {
        **_progress(row),
        "figures": _figures(result),
        "reasons": [(words, number_text(n)) for words, n in result.get("reasons", {}).items()],
        "notes": _notes(row),
        "rejects": _rejects(row),
        "links": _links(row),
    }


def may_have_rejects(row: AnyRow) -> bool:
    """Whether the one who asks may have what the job rejected."""
    return row.kind == "import" and (row.admin_id == g.admin.id or g.admin.may("operator"))


def _progress(row: AnyRow) -> dict[str, Any]:
    done, total = row.result.get("bytes"), row.result.get("bytes_total")
    if row.state == "done" or not total:
        return {"progress": f"{number_text(row.result.get('read', row.rows_done))} rows"}
    share = min(1.0, done / total)
    words = f"{number_text(row.rows_done)} rows · {done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    tab = {"tab": f"{share:.0%} · "} if row.state in OPEN_STATES else {}
    return {"share": share, "progress": words} | tab


def _figures(result: dict[str, Any]) -> list[tuple[str, str]]:
    would = {"added": "Would be added"} if result.get("dry_run") else {}
    hidden = "known" if result.get("dry_run") else ""  # it is not compared with what is stored
    names = [name for name in FIGURES if name in result and name != hidden]
    found = [((FIGURES | would)[name], number_text(result[name])) for name in names]
    return found + [(f"Sum in {currency}", money(cents, currency)) for currency, cents in _sums(result)]


def _sums(result: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted(result.get("sums", {}).items())


def _notes(row: AnyRow) -> list[str]:
    found = ["A dry run: nothing was stored."] if row.parameters["dry_run"] else []
    stored = (row.checkpoint or {}).get("added", 0)
    if "added" not in row.result and stored:
        found.append(f"{number_text(stored)} rows are stored so far, and stay.")
    return found + row.result.get("warnings", [])


def _rejects(row: AnyRow) -> str | None:
    """The link to what was rejected; None while the file may still be written."""
    if row.state == "running" or not may_have_rejects(row):
        return None
    return f"/jobs/{row.id}/rejects" if importing.rejects_of(settings_of(), row) else None


def _links(row: AnyRow) -> list[dict[str, str]]:
    if row.parameters["dry_run"]:
        return [{"href": f"/imports/uploads/{row.parameters['upload_id']}", "text": "Back to the file"}]
    id = row.result.get("import_id")
    if not id:
        return []
    kind = dict(row.parameters["choice"])["kind"]
    return [{"href": f"/imports/{id}", "text": "The import"}, {"href": ROWS[kind], "text": f"Imported {kind}"}]
