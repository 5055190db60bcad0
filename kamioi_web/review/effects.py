"""What follows from a decision: the job that applies it to the merchant's transactions, and the one that undoes it."""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, update

from kamioi_web.jobs import store
from kamioi_web.jobs.store import Order, Refusal
from kamioi_web.jobs.tables import OPEN_STATES, jobs
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import number_text


def order_of(decision: AnyRow, merchant: str, answer: str, n: int) -> Order | None:
    """The job that applies a decision to `n` open transactions; None where it changes none of them."""
    if not n or not changes_rows(decision):
        return None
    unmaps = decision.action == "reject"
    what = f"Take back {merchant}" if unmaps else f"{merchant} is {answer}"
    title = f"{what}: {number_text(n)} {'transaction' if n == 1 else 'transactions'}"
    parameters = {"merchant_ids": [decision.merchant_id], "unmap": unmaps}
    return Order("apply", "mapping", title[:300], parameters, decision.admin_id, n)


def changes_rows(decision: AnyRow) -> bool:
    """Whether a decision says something else of its merchant than before."""
    return decision.action != "reject" or decision.before["left"] != decision.before["merchant"]["mapping_id"]


def stop(connection: Connection, decision: AnyRow) -> Order | None:
    """Stop the job of a decision that was taken back; the job that puts back what it may have changed."""
    return None if decision.job_id is None else stop_job(connection, decision.job_id, decision.admin_id, {})


def stop_job(connection: Connection, id: int, admin_id: int | None, more: dict[str, Any]) -> Order | None:
    """The same by the job's id; `more` goes into the parameters of the undo. None, too, when it is undone already."""
    with suppress(Refusal):  # it is over
        store.cancel(connection, id)
    job = store.find(connection, id)
    if job.undone_by is not None or (job.state not in OPEN_STATES and not job.result.get("changed")):
        return None
    about = {"job_id": job.id} | more
    return Order("undo", job.queue, f"Undo: {job.title}"[:300], about, admin_id, None, undo_of=job.id)


def note_undo(connection: Connection, job_id: int, undone_by: int) -> None:
    """So that nobody undoes it once more."""
    mine = (jobs.c.id == job_id, jobs.c.undone_by.is_(None))
    connection.execute(update(jobs).where(*mine).values(undone_by=undone_by))
