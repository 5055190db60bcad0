"""Importing a file in the browser: the form that takes it, and what is found in it before anything is stored."""

from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request, send_file

from kamioi_web import import_result
from kamioi_web.auth.guard import require_role
from kamioi_web.errors import NotFound
from kamioi_web.importing import choices, preview
from kamioi_web.importing.choices import COLUMN, DELIMITERS, ENCODINGS, PRESET_NAMES, Choice
from kamioi_web.importing.preview import Preview
from kamioi_web.jobs import importing, store, uploaded
from kamioi_web.list_request import single
from kamioi_web.money import money
from kamioi_web.pages import IMPORTS, JOBS
from kamioi_web.request_context import database_connection, database_of, settings_of
from kamioi_web.security import Refused
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import day_text, number_text

ROLE = "operator"
NEW = f"{IMPORTS.href}/new"
UPLOADS = f"{IMPORTS.href}/uploads"
LONGEST_CELL = 120
KINDS = {
    "transactions": "bank and card statements",
    "mappings": "merchants with their tickers",
}
COLUMNS = {
    "transactions": ("Posted", "Bank’s text", "Merchant", "Amount", "Category", "Account", "Fee"),
    "mappings": ("Merchant", "Ticker", "Company", "Category", "Confidence", "Notes"),
}


def register(pages: Blueprint) -> None:
    """Give the form, the preview and the rejected rows their URLs."""
    guarded = require_role(ROLE)
    pages.add_url_rule(NEW, endpoint="import/new", view_func=guarded(show_new))
    pages.add_url_rule(f"{UPLOADS}/<int:id>", endpoint="import/preview", view_func=guarded(show_preview))
    pages.add_url_rule(f"{JOBS.href}/<int:id>/rejects", endpoint="job/rejects", view_func=send_rejects)


def show_new() -> Response:
    """The form that takes a file; the address may say what it holds."""
    kind = single(request.args.to_dict(flat=False), "kind")
    return new_page(kind=kind if kind in KINDS else "transactions")


def new_page(status: int = 200, error: str = "", kind: str = "transactions") -> Response:
    """The form, with what was wrong with the file that it brought."""
    response = current_app.make_response(
        render_template("imports/new.html", kinds=KINDS, kind=kind, error=error, most=settings_of().upload_mb)
    )
    response.status_code = status
    return response


def show_preview(id: int) -> str:
    """What was found in the file, read as the URL says, and its first rows as they would be stored."""
    upload = own_upload(database_connection(), id)
    choice = choices.parse(request.args.to_dict(flat=False))
    path = settings_of().files_folder / upload.path
    seen = preview.look(database_of(), path, upload.file_name, choice)
    return render_template(
        "imports/preview.html",
        file=_file(upload),
        choice=choice,
        seen=seen,
        fields=_fields(choice, seen),
        kinds=KINDS,
        presets=PRESET_NAMES if choice.kind == "transactions" else (),
        delimiters=DELIMITERS,
        encodings=ENCODINGS,
        head=COLUMNS[choice.kind],
        rows=[_shown(choice.kind, row) for row in seen.report.sample] if seen.report else [],
        rejects=_rejects(seen),
        figures=_figures(seen),
        run_href=f"{UPLOADS}/{id}/run",
    )


def own_upload(connection: Any, id: int) -> AnyRow:
    """An upload of the one who asks; those of others take an owner."""
    upload = uploaded.find(connection, id)
    if upload.admin_id != g.admin.id and not g.admin.may("owner"):
        raise Refused("This file was uploaded by another admin, so it takes the role owner.")
    return upload


def send_rejects(id: int) -> Response:
    """The rows that a job could not take, as CSV: for operators and for whoever ordered it."""
    job = store.find(database_connection(), id)
    if not import_result.may_have_rejects(job):
        raise Refused(f"The rejected rows take the role {ROLE}, or to have ordered the job; yours is {g.admin.role}.")
    path = importing.rejects_of(settings_of(), job) if job.state != "running" else None
    if path is None:
        raise NotFound("This job has no rejected rows to download: it rejected none, still runs, or is too old.")
    name = f"{job.parameters['file_name']}.rejects.csv"
    response = send_file(path, "text/csv; charset=utf-8", as_attachment=True, download_name=name, conditional=False)
    response.headers["Cache-Control"] = "no-store"
    return response


def _file(upload: AnyRow) -> dict[str, str]:
    size = f"{upload.bytes / 1e6:,.1f} MB" if upload.bytes >= 100_000 else f"{number_text(upload.bytes)} bytes"
    return {"name": upload.file_name, "size": size, "sha256": upload.sha256}


def _fields(choice: Choice, seen: Preview) -> list[dict[str, Any]]:
    """For each field its choice of columns; what was chosen stays one, even where the file has no such column."""
    offered = seen.columns()
    required = choice.what.fields.required
    found = []
    for name in choice.what.fields.aliases:
        chosen = choice.columns.get(name, "")
        options = offered if not chosen or chosen in offered else [chosen, *offered]
        told = "" if chosen else _cut(seen.found(name))
        label = f"{name}{' (needed)' if name in required else ''}"
        options_of = {"name": COLUMN + name, "label": label, "found": told, "options": options, "chosen": chosen}
        found.append(options_of)
    return found


def _shown(kind: str, row: dict[str, Any]) -> tuple[str, ...]:
    """A row as it would be stored, its cells short enough to look at."""
    if kind == "mappings":
        names = ("descriptor", "ticker", "company", "category", "confidence", "notes")
        return tuple("–" if row[name] is None else _cut(str(row[name])) for name in names)
    posted, currency = row["posted_at"], row["currency"]
    cells = (
        f"{day_text(posted.date().isoformat())} {posted:%H:%M}",
        row["descriptor"],
        row["name"],
        money(row["amount_cents"], currency),
        row["category"],
        row["account"],
        money(row["fee_cents"], currency) if row["fee_cents"] else "–",
    )
    return tuple(_cut(cell) for cell in cells)


def _rejects(seen: Preview) -> list[tuple[str, str, str]]:
    rejects = seen.report.first_rejects if seen.report else []
    return [(number_text(line), _cut(why), _said(fields)) for line, why, fields in rejects]


def _said(fields: list[str]) -> str:
    """What stands in a row, briefly."""
    cells = (cell[:LONGEST_CELL].strip() for cell in fields[:40])
    return _cut(" · ".join(cell for cell in cells if cell))


def _figures(seen: Preview) -> str:
    """How much was looked at, and what it came to."""
    report = seen.report
    if report is None:
        return ""
    which = "All" if report.whole else "The first"
    told = f"{which} {number_text(report.rows_read)} rows: {number_text(report.rows_added)} can be stored"
    told += f", {number_text(report.rows_rejected)} are rejected." if report.rows_rejected else "."
    return told


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…"
