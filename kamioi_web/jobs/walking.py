"""Going through rows a chunk at a time: those of a selection, or those that another job has changed."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from kamioi_web.jobs import changing
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.selection import Places, Selection
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import EPOCH
from kamioi_web.sql_types import AnyRow

GONE = "it is no longer there"
CHANGED = "it was changed since"
BEGINNING = Cursor(EPOCH, 0)
Left = list[tuple[int, Any, str]]  # (id, time, why) of rows that are left as they are
PutBack = Callable[[Connection, Sequence[AnyRow]], tuple[int, Left]]


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


def walk_back(job: Job, pace: Pace, subject: str, put_back: PutBack) -> None:
    """Have everything put back that another job has changed of a subject: `put_back` tells how many it has put back,
    and which it has left."""
    while True:
        place = Cursor.parse(job.checkpoint, "checkpoint") if job.checkpoint else BEGINNING
        with job.database.reading(seconds=30) as connection:
            kept = changing.changes_of(connection, job.parameters["job_id"], place, pace.rows, subject)
        if not kept:
            return
        with pace.timed(), job.chunk() as chunk:
            back, left = put_back(chunk.connection, kept)
            leave(job, chunk, subject, back, left)
            chunk.checkpoint, chunk.rows = str(Cursor(kept[-1].at, kept[-1].subject_id)), len(kept)


def leave(job: Job, chunk: Chunk, subject: str, back: int, left: Left) -> None:
    """Note how many rows a chunk has put back, and which it has left, with the reason of each."""
    changing.leave(chunk.connection, job.id, left, subject)
    known = job.result
    job.result = known | {"changed": known.get("changed", 0) + back, "left": known.get("left", 0) + len(left)}
