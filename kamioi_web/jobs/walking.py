"""Going through the rows of a selection, a chunk at a time."""

from collections.abc import Callable
from typing import Any

from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.selection import Places, Selection


def walk(job: Job, pace: Pace, change: Callable[[Chunk, Selection, Places], int]) -> dict[str, Any]:
    """Have every row of the job's selection changed; `changed` in the result are as many as `change` says it did."""
    with job.database.reading() as connection:
        selection = Selection(connection, job.parameters["selection"])
    more = True
    while more:
        with job.database.reading(seconds=30) as connection:
            places, resume = selection.next(connection, job.checkpoint, pace.rows)
        with pace.timed(), job.chunk() as chunk:
            changed = change(chunk, selection, places) if places else 0
            job.result = job.result | {"changed": job.result.get("changed", 0) + changed}
            chunk.checkpoint, chunk.rows = resume, len(places)
            more = resume is not None
    return job.result
