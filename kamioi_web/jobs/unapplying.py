"""What follows when the mappings of a job were taken back: the jobs that applied them to transactions are undone, too.

Mappings that were changed since stay in force. Their merchants are applied anew, and only after that undo: whichever
worker is quicker, the transactions end as the mappings say.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.jobs import store
from kamioi_web.jobs.mapping import order_apply
from kamioi_web.jobs.running import Job
from kamioi_web.jobs.tables import job_changes
from kamioi_web.review import effects
from kamioi_web.schema import llm_mappings

THEN_APPLY = "then_apply"  # of an undo: the merchants to be applied when it is over
LEFT = "that stand"


def finish(job: Job, applied_by: Sequence[int]) -> dict[str, Any]:
    """Order the undo of these jobs, as the last thing that the job does; its result, which cannot be undone again."""
    with job.chunk() as chunk:
        left = _left(chunk.connection, job.id)
        for id in applied_by:
            _undo(chunk.connection, job, id, left)
        job.result = job.result | {"final": True}
    return job.result


def apply_what_stands(job: Job) -> None:
    """At the end of an undo: have the mappings applied that were not taken back."""
    ids = job.parameters.get(THEN_APPLY)
    if ids:
        with job.chunk() as chunk:
            order_apply(chunk.connection, job.admin_id, ids, LEFT)


def _undo(connection: Connection, job: Job, id: int, left: set[int]) -> None:
    again = sorted(left.intersection(store.find(connection, id).parameters["merchant_ids"]))
    order = effects.stop_job(connection, id, job.admin_id, {THEN_APPLY: again} if again else {})
    if order is not None:
        effects.note_undo(connection, id, store.add(connection, order))
    elif again:
        order_apply(connection, job.admin_id, again, LEFT)


def _left(connection: Connection, job_id: int) -> set[int]:
    """The merchants of the mappings that a job has left as they were."""
    c = job_changes.c
    here = (c.job_id == job_id, c.subject == "mapping", c.note.is_not(None))
    joined = job_changes.join(llm_mappings, llm_mappings.c.id == c.subject_id)
    return set(connection.scalars(select(llm_mappings.c.merchant_id).select_from(joined).where(*here)))
