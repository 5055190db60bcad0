"""The job that approves or rejects many mappings, and the one that takes that back."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.jobs import store, unapplying
from kamioi_web.jobs.mapping import QUEUE
from kamioi_web.jobs.mapping_images import MAPPED_AGAIN, SUBJECT
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.walking import leave, walk
from kamioi_web.review import deciding, effects
from kamioi_web.review.deciding import Decided, Wish
from kamioi_web.review.tables import decisions
from kamioi_web.schema import llm_mappings
from kamioi_web.sql_types import AnyRow

m, d = llm_mappings.c, decisions.c
FROM = {"approve": ("pending", "rejected"), "reject": ("pending", "approved")}


def run(job: Job) -> dict[str, Any]:
    """Decide every mapping of the selection that is not decided so already; `changed` were."""
    return walk(
        job, Pace(rows=50, least=10, most=200), lambda chunk, _, places: _decide(chunk, job, [id for id, _ in places])
    )


def take_back(job: Job) -> dict[str, Any]:
    """Take the decisions of a job back, the newest first; `left` were decided anew since, and stay."""
    undone, pace = job.parameters["job_id"], Pace(rows=50, least=10, most=200)
    while True:
        below = job.checkpoint or 2**63 - 1
        with job.database.reading(seconds=30) as connection:
            query = select(decisions).where(d.order_job == undone, d.id < below)
            rows = connection.execute(query.order_by(d.id.desc()).limit(pace.rows)).fetchall()
        if not rows:
            return unapplying.finish(job, _applied_by(job))
        with pace.timed(), job.chunk() as chunk:
            _take_back(chunk, job, rows)
            chunk.checkpoint, chunk.rows = rows[-1].id, len(rows)


def _decide(chunk: Chunk, job: Job, ids: Sequence[int]) -> int:
    action = job.parameters["action"]
    wanted = (m.id.in_(ids), m.status.in_(FROM[action]))
    rows = chunk.connection.execute(select(m.id, m.version, m.confidence, m.ticker).where(*wanted).order_by(m.id))
    made = []
    for row in rows.fetchall():
        if action == "approve" and not row.confidence:
            continue  # there is no proposal that could be approved
        with suppress(Decided):  # somebody was first
            wish = Wish(row.id, row.version, action)
            made.append(deciding.decide(chunk.connection, job.admin_id or 0, wish, order_job=job.id))
    felt = [row for row in made if effects.changes_rows(row)]
    if felt:
        _order_apply(chunk.connection, job, felt, action)
    return len(made)


def _order_apply(connection: Connection, job: Job, made: Sequence[AnyRow], action: str) -> None:
    ids = sorted({row.merchant_id for row in made})
    title = f"{'Take back' if action == 'reject' else 'Apply'} {len(ids):,} mappings of job {job.id}"
    parameters = {"merchant_ids": ids, "unmap": action == "reject"}
    applied = store.add(connection, store.Order("apply", QUEUE, title, parameters, job.admin_id))
    deciding.applied_by(connection, made, applied)


def _take_back(chunk: Chunk, job: Job, rows: Sequence[AnyRow]) -> None:
    connection, stand = chunk.connection, []
    for row in rows:
        try:
            deciding.undo(connection, row.admin_id, row.id)
        except Decided:
            stand.append(row.mapping_id)
    found = connection.execute(select(m.id, m.created_at).where(m.id.in_(stand)))
    left = [(row.id, row.created_at, MAPPED_AGAIN) for row in found]
    leave(job, chunk, SUBJECT, len(rows) - len(stand), left)


def _applied_by(job: Job) -> Sequence[int]:
    """The jobs that applied the decisions of the undone job."""
    here = (d.order_job == job.parameters["job_id"], d.job_id.is_not(None))
    with job.database.reading(seconds=30) as connection:
        return connection.scalars(select(d.job_id).where(*here).distinct().order_by(d.job_id)).all()
