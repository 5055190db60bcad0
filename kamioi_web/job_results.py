"""What came of a job, as its page shows it: the file of an export, the figures of a count, the way back to the list."""

from datetime import datetime, timedelta
from pathlib import Path

from flask import Response, g, send_file

from kamioi_web.errors import KamioiError, NotFound
from kamioi_web.exporting.formats import FORMATS
from kamioi_web.jobs.export import folder_of
from kamioi_web.jobs.of_list import TABLES
from kamioi_web.list_request import with_query
from kamioi_web.money import money
from kamioi_web.queries import job_list
from kamioi_web.request_context import database_connection, settings_of
from kamioi_web.security import Refused
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import moment_text, number_text, size_text

MEASURES = {"amount_cents": "", "round_up_cents": " of round-ups", "fee_cents": " of fees"}


class Gone(KamioiError):
    """It was there, and is no longer kept."""

    status = 410


def download(id: int) -> Response:
    """The file of an export, whole or the part that is asked for."""
    row = job_list.find(database_connection(), id)
    if row.kind != "export" or row.state != "done":
        raise NotFound(f"Job {id} has no file: it is {'no export' if row.kind != 'export' else row.state}.")
    if not may_download(row):
        raise Refused("Only the admin who ordered it, or an operator, may download this file.")
    path = _path_of(row)
    if not path.is_file():
        raise Gone(f"The file of job {id} is no longer kept. Order the export again.")
    asked = row.parameters
    media, name = FORMATS[asked["format"]].media, asked["name"]
    answer = send_file(path, media, as_attachment=True, download_name=name, etag=row.result["sha256"])
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def may_download(row: AnyRow) -> bool:
    """Whether the admin may have that file: their own, or anyone's as an operator, of a list that they may see."""
    table = TABLES.get(row.parameters["page"])
    return table is not None and g.admin.may(table.role) and (row.admin_id == g.admin.id or g.admin.may("operator"))


def file_of(row: AnyRow) -> dict[str, str] | None:
    """The file that a job's page offers."""
    if row.kind != "export" or row.state != "done" or not may_download(row) or not _path_of(row).is_file():
        return None
    found, until = row.result, row.finished_at + timedelta(days=settings_of().export_days)
    about = f"{number_text(found['rows'])} rows, {size_text(found['bytes'])}, kept until {moment_text(until)}"
    return {
        "href": f"/jobs/{row.id}/file",
        "name": row.parameters["name"],
        "about": about,
        "sha256": found["sha256"],
    }


def notes(row: AnyRow) -> list[str]:
    """The figures, each with the moment at which it was so."""
    found = row.result
    if row.kind not in ("export", "count") or row.state != "done":
        return []
    at = moment_text(datetime.fromisoformat(found["at"]))
    if row.kind == "count":
        return [f"Exactly {number_text(found['n'])} rows at {at}.", *_sums(found.get("sums", {}))]
    gone = [] if _path_of(row).is_file() else ["The file is no longer kept. Order the export again."]
    return [f"The {number_text(found['rows'])} rows of {at}: all of that moment, each once.", *gone]


def links(row: AnyRow) -> list[dict[str, str]]:
    """Back to the list that it is about."""
    table = TABLES.get(row.parameters.get("page", ""))
    if row.kind not in ("export", "count") or table is None or not g.admin.may(table.role):
        return []
    pairs = [(name, text) for name, text in row.parameters["filter"]]
    return [{"href": with_query(table.href, pairs or [("view", "all")]), "text": f"Open these {table.noun}"}]


def _sums(sums: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{number_text(part['n'])} rows in {code}: "
        + ", ".join(f"{money(part[name], code)}{words}" for name, words in MEASURES.items())
        for code, part in sorted(sums.items(), key=lambda item: -item[1]["n"])
    ]


def _path_of(row: AnyRow) -> Path:
    return folder_of(settings_of()) / Path(row.result["file"]).name
