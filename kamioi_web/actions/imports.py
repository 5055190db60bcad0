"""Uploading a file, and ordering the job that imports it."""

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.import_form import KINDS, ROLE, UPLOADS, new_page, own_upload
from kamioi_web.importing import choices, preview
from kamioi_web.jobs import uploaded
from kamioi_web.jobs.store import Order
from kamioi_web.request_context import record_event, settings_of
from kamioi_web.security import no_form
from kamioi_web.sent_forms import once, order
from kamioi_web.uploads import Incoming, takes_file

blueprint = Blueprint("imports", __name__)
DO = {"run": "Import of", "dry": "Dry run of"}


@blueprint.post(UPLOADS)
@no_form
@require_role(ROLE)
@takes_file
@once
def upload(connection: Connection) -> ResponseReturnValue:
    """Keep the file and show what is in it."""
    file: Incoming = request.incoming  # ty: ignore[missing-attribute]
    kind = request.form.get("kind", "")
    if problem := _problem(file, kind):
        return new_page(400, problem, kind if kind in KINDS else "transactions")
    sha256 = file.digest.hexdigest()
    id = uploaded.add(connection, g.admin.id, file.name, file.place, file.bytes, sha256)
    record_event(
        connection, "import.uploaded", g.admin.id, "upload", id, file=file.name, bytes=file.bytes, sha256=sha256
    )
    file.kept = True
    return redirect(f"{UPLOADS}/{id}?kind={kind}", 303)


@blueprint.post(f"{UPLOADS}/<int:id>/run")
@require_role(ROLE)
@once
def run(connection: Connection, id: int) -> ResponseReturnValue:
    """Order the import of a file, read as chosen, or a dry run of all of it; and show the job."""
    file = own_upload(connection, id)
    given = request.form.to_dict(flat=False)
    choice = choices.parse(given, ("csrf_token", "once", "do"))
    do = request.form.get("do", "")
    if do not in DO:
        raise BadRequest(f"“{do[:40]}” is not a value that “do” takes. It takes {', '.join(DO)}.", "do")
    path = settings_of().files_folder / file.path
    if problem := preview.problem(path, file.file_name, choice):
        raise BadRequest(f"This file cannot be imported so. {problem}")
    parameters = {
        "upload_id": id, "file_name": file.file_name, "choice": choice.pairs(), "dry_run": do == "dry",
    }  # fmt: skip
    title = f"{DO[do]} {file.file_name}"
    return redirect(f"/jobs/{order(connection, Order('import', 'default', title, parameters, g.admin.id))}", 303)


def _problem(file: Incoming, kind: str) -> str:
    """What is wrong with what the form brought; '' for nothing."""
    if kind not in KINDS:
        return f"Say what the file holds: {' or '.join(KINDS)}."
    if not file.name:
        return "Choose a file first."
    return "" if file.bytes else f"{file.name} is empty."
