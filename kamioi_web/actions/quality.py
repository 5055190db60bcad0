"""Uploading a labelled file, and ordering the job that measures the mapping on it."""

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.auth.guard import require_role
from kamioi_web.errors import KamioiError
from kamioi_web.jobs import uploaded
from kamioi_web.jobs.store import Order
from kamioi_web.mapping.labelled import LabelledFile
from kamioi_web.quality_page import HREF, ROLE, show_problem
from kamioi_web.request_context import record_event, settings_of
from kamioi_web.security import no_form
from kamioi_web.sent_forms import once, order
from kamioi_web.uploads import Incoming, takes_file

blueprint = Blueprint("quality", __name__)


@blueprint.post(HREF)
@no_form
@require_role(ROLE)
@takes_file
@once
def measure(connection: Connection) -> ResponseReturnValue:
    """Keep the file, order its measurement, and show the job."""
    file: Incoming = request.incoming  # ty: ignore[missing-attribute]
    ask = request.form.get("ask") == "yes"
    if problem := _problem(file, ask):
        return show_problem(problem)
    sha256 = file.digest.hexdigest()
    id = uploaded.add(connection, g.admin.id, file.name, file.place, file.bytes, sha256)
    record_event(connection, "quality.uploaded", g.admin.id, "upload", id, file=file.name, sha256=sha256)
    file.kept = True
    parameters = {"upload_id": id, "file_name": file.name, "ask": ask}
    job = Order("quality", "mapping", f"Quality on {file.name}", parameters, g.admin.id)
    return redirect(f"/jobs/{order(connection, job)}", 303)


def _problem(file: Incoming, ask: bool) -> str:
    """Why it cannot be measured, as far as the first rows tell; '' where it can."""
    if not file.name:
        return "Choose a file first."
    if not file.bytes:
        return f"{file.name} is empty. Choose a file with a line of headings and a labelled descriptor in each line."
    if ask and not (settings_of().llm_url and settings_of().llm_model):
        return "No model is set up (KAMIOI_LLM_URL, KAMIOI_LLM_MODEL), so none can be asked. Untick that."
    try:
        for _ in LabelledFile(settings_of().files_folder / file.place, file.name, look=True):
            pass
    except KamioiError as error:
        return str(error)
    return ""
