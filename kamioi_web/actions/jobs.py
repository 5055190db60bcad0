"""What an admin may do with a job: pause it, let it go on, cancel it, try it again, undo it."""

from collections.abc import Callable

from flask import Blueprint, g, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, update

from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.jobs import store
from kamioi_web.jobs.kinds import KINDS
from kamioi_web.jobs.store import Order, Refusal
from kamioi_web.jobs.tables import jobs
from kamioi_web.request_context import record_event
from kamioi_web.security import Refused
from kamioi_web.sent_forms import once, order
from kamioi_web.sql_types import AnyRow

blueprint = Blueprint("jobs", __name__)
ROLE = "operator"
WISHES: dict[str, Callable[[Connection, int], None]] = {
    "pause": store.pause,
    "resume": store.resume,
    "cancel": store.cancel,
    "retry": store.retry,
}


@blueprint.post("/jobs/<int:id>/<wish>")
@once
def change(connection: Connection, id: int, wish: str) -> ResponseReturnValue:
    """Do it, and show the job."""
    wish_for(connection, id, wish)
    return redirect(f"/jobs/{id}", 303)


def wish_for(connection: Connection, id: int, wish: str) -> None:
    """Have a job do that. One's own jobs are one's own to stop; those of others take an operator."""
    job = store.find(connection, id)
    if job.admin_id != g.admin.id and not g.admin.may(ROLE):
        raise Refused(f"This job is another admin’s, so it takes the role {ROLE}; yours is {g.admin.role}.")
    if wish not in WISHES:
        raise BadRequest(f"A job can be: {', '.join(WISHES)}; not “{wish[:20]}”.", "wish")
    WISHES[wish](connection, id)
    record_event(connection, f"job.{wish}", g.admin.id, "job", id, title=job.title)
    if wish in ("resume", "retry"):
        g.to_ring.append(job.queue)


@blueprint.post("/jobs/<int:id>/undo")
@require_role(ROLE)
@once
def undo(connection: Connection, id: int) -> ResponseReturnValue:
    """Order the undo, and show it."""
    return redirect(f"/jobs/{order_undo(connection, id)}", 303)


def order_undo(connection: Connection, id: int) -> int:
    """The job that puts everything back which nobody has changed since."""
    job = store.find(connection, id)
    new = order(connection, _undo_of(job))
    mine = (jobs.c.id == id, jobs.c.undone_by.is_(None), jobs.c.state.in_(("done", "failed", "cancelled")))
    if not connection.execute(update(jobs).where(*mine).values(undone_by=new)).rowcount:
        raise Refusal(f"Job {id} is being undone already, or is not over yet.")
    return new


def _undo_of(job: AnyRow) -> Order:
    kind = KINDS.get(job.kind)
    if kind is None or kind.take_back is None:
        raise BadRequest("This job changes nothing that could be put back.", "undo")
    if job.result.get("final"):
        raise BadRequest("Decisions that were taken back are not restored by an undo. Decide them anew.", "undo")
    changed = job.result.get("changed", 0)
    return Order("undo", job.queue, f"Undo: {job.title}", {"job_id": job.id}, g.admin.id, changed, undo_of=job.id)
