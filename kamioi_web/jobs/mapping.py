"""The job that maps the merchants that nobody has mapped: cleaned, matched, decided; what is left over is asked.

It takes a range of merchants, so that many of them can run beside each other, on any machine.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.dialects import dialect_of
from kamioi_web.jobs import store
from kamioi_web.jobs.running import Chunk, Job
from kamioi_web.jobs.store import Order
from kamioi_web.mapping import storing
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.storing import Made
from kamioi_web.review import marks, weights
from kamioi_web.schema import llm_mappings, merchants
from kamioi_web.sql_types import AnyRow

A_JOB, A_CHUNK = 5_000, 500  # merchants
QUEUE = "mapping"
k, m = merchants.c, llm_mappings.c


def run(job: Job) -> dict[str, Any]:
    """Map the merchants of a range; `approved` stand at once, `waiting` are for the reviewers."""
    with job.database.reading(seconds=30) as connection:
        pipeline = Pipeline.of(connection)
    last = job.parameters["to"]
    while True:
        place = job.checkpoint or job.parameters["after"]
        with job.database.reading(seconds=30) as connection:
            rows = unmapped(connection, place, last, A_CHUNK)
        made = [_made(job, pipeline, row) for row in rows]
        with job.chunk() as chunk:
            _store(chunk, job, made)
            chunk.checkpoint = rows[-1].id if rows else last
            chunk.rows = len(rows)
        if not rows:
            return job.result


def unmapped(connection: Connection, after: int, to: int, most: int) -> Sequence[AnyRow]:
    """The next merchants of a range for which there is no mapping: id, descriptor."""
    none = ~select(m.id).where(m.merchant_id == k.id).exists()
    query = select(k.id, k.descriptor).where(k.id > after, k.id <= to, k.mapping_id.is_(None), none)
    return connection.execute(query.order_by(k.id).limit(most)).fetchall()


def order_new(connection: Connection, admin_id: int | None = None, whole: bool = False) -> list[int]:
    """Order the mapping of every merchant that came since the last time, or of all that have none; the jobs' ids.

    Batches of imports that are under way are waited for, so that no merchant is overtaken by a later one.
    """
    dialect_of(connection).lock(connection, weights.MAPPING)
    first = 0 if whole else marks.read(connection, marks.MAPPED)
    last = marks.newest_merchant(connection)
    marks.raise_to(connection, marks.MAPPED, last)
    ranges = [(start, min(start + A_JOB, last)) for start in range(first, last, A_JOB)]
    some = [(after, to) for after, to in ranges if unmapped(connection, after, to, 1)]
    return [store.add(connection, _order(after, to, admin_id)) for after, to in some]


def is_due(connection: Connection) -> bool:
    """Whether merchants came since the last order: two reads of one row."""
    return marks.newest_merchant(connection) > marks.read(connection, marks.MAPPED)


def order_apply(connection: Connection, admin_id: int | None, merchant_ids: Sequence[int], by: str) -> int:
    """Have the open transactions of merchants become what their mapping says; the job's id."""
    title = f"Apply {len(merchant_ids):,} {'mapping' if len(merchant_ids) == 1 else 'mappings'} {by}"
    parameters = {"merchant_ids": sorted(merchant_ids), "unmap": False}
    return store.add(connection, Order("apply", QUEUE, title, parameters, admin_id))


def _order(after: int, to: int, admin_id: int | None) -> Order:
    title = f"Map merchants {after + 1:,} to {to:,}"
    return Order("map", QUEUE, title, {"after": after, "to": to}, admin_id)


def _made(job: Job, pipeline: Pipeline, row: AnyRow) -> Made:
    proposal = pipeline.propose(row.descriptor)
    status = decide(proposal, job.database.settings.map_threshold, pipeline.instruments)
    others = pipeline.alternatives(proposal) if status == "pending" else ()
    return Made(row.id, proposal, others, status)


def _store(chunk: Chunk, job: Job, made: Sequence[Made]) -> None:
    mapped = storing.add(chunk.connection, made)
    if mapped:
        order_apply(chunk.connection, job.admin_id, mapped, "that the rules made")
    waiting = [one.merchant_id for one in made if one.status == "pending"]
    if waiting and job.database.settings.llm_url:
        _order_ask(chunk.connection, job, waiting)
    known = job.result
    job.result = known | {
        "approved": known.get("approved", 0) + len(mapped),
        "waiting": known.get("waiting", 0) + len(waiting),
    }


def _order_ask(connection: Connection, job: Job, merchant_ids: Sequence[int]) -> None:
    ids = connection.scalars(select(m.id).where(m.merchant_id.in_(merchant_ids), m.status == "pending")).all()
    title = f"Ask the model about {len(ids):,} merchants"
    store.add(connection, Order("ask", QUEUE, title, {"ids": sorted(ids)}, job.admin_id, len(ids)))
