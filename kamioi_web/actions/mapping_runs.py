"""Ordering the mapping of the merchants that came since the last time, or of all that have no proposal yet."""

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.jobs.mapping import QUEUE, order_new
from kamioi_web.list_request import single
from kamioi_web.pages import JOBS, MAPPINGS
from kamioi_web.request_context import record_event
from kamioi_web.sent_forms import once
from kamioi_web.text import number_text

blueprint = Blueprint("mapping_runs", __name__)
HREF = f"{MAPPINGS.href}/run"
ROLE = "operator"
DOES = {
    "new": "No merchant came in since the last time, so there was nothing to map.",
    "all": "Every merchant has a mapping or a proposal, so there was nothing to map.",
}


@blueprint.post(HREF)
@require_role(ROLE)
@once
def run(connection: Connection) -> ResponseReturnValue:
    """Order it and show the jobs, or say that there was nothing to map."""
    do = _do(request.form.get("do", ""))
    ids = order_new(connection, g.admin.id, whole=do == "all")
    if not ids:
        return redirect(f"{HREF}?do={do}", 303)
    for id in ids[:1]:  # the others tell the same of themselves
        record_event(connection, "job.ordered", g.admin.id, "job", id, kind="map", jobs=number_text(len(ids)))
    g.to_ring.append(QUEUE)
    return redirect(f"{JOBS.href}/{ids[0]}" if len(ids) == 1 else f"{JOBS.href}?kind=map", 303)


@blueprint.get(HREF)
@require_role(ROLE)
def nothing() -> str:
    """What is told where there was nothing to map, and what may be done instead."""
    do = _do(single(request.args.to_dict(flat=False), "do") or "new")
    return render_template("mappings_run.html", told=DOES[do], do=do, back=MAPPINGS)


def _do(do: str) -> str:
    if do not in DOES:
        raise BadRequest(f"“do” is one of: {', '.join(DOES)}; not “{do[:20]}”.", "do")
    return do
