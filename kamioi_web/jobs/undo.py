"""The job that puts back what another changed: exactly the rows that nobody has changed since; it names the others."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from kamioi_web.jobs import changing, deciding, mapping_images, store, unapplying
from kamioi_web.jobs.changing import ACTION, SUBJECT, Change
from kamioi_web.jobs.running import Chunk, Ended, Job, Pace
from kamioi_web.jobs.tables import OPEN_STATES
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import EPOCH, audit_events
from kamioi_web.sql_types import AnyRow

GONE = "it is no longer there"
BEGINNING = Cursor(EPOCH, 0)
CHANGED = "it was changed since"


def run(job: Job) -> dict[str, Any]:
    """Put the rows back; `changed` were put back, `left` are kept as they are, with the reason beside each."""
    pace, undone = Pace(), job.parameters["job_id"]
    with job.database.reading() as connection:
        was = store.find(connection, undone)
    if was.state in OPEN_STATES:  # it was told to stop, but has not come to it
        raise Ended("waiting", seconds=1)
    if was.kind == "decide":
        return deciding.take_back(job)
    if was.kind in ("ask", "duplicates"):
        return mapping_images.take_back(job)
    while True:
        with job.database.reading(seconds=30) as connection:
            place = Cursor.parse(job.checkpoint, "checkpoint") if job.checkpoint else BEGINNING
            kept = changing.changes_of(connection, undone, place, pace.rows)
        if not kept:
            unapplying.apply_what_stands(job)
            return job.result
        with pace.timed(), job.chunk() as chunk:
            _put_back(chunk, job, kept)
            chunk.checkpoint, chunk.rows = str(Cursor(kept[-1].at, kept[-1].subject_id)), len(kept)


def _put_back(chunk: Chunk, job: Job, kept: Sequence[AnyRow]) -> None:
    connection = chunk.connection
    there = {row.id: row for row in changing.locked(connection, [(one.subject_id, one.at) for one in kept])}
    newest = _newest_changes(connection, kept)
    changes, left = [], []
    for one in kept:
        row, since = there.get(one.subject_id), newest.get(one.subject_id)
        why = _why_not(one, row, since)
        if why or row is None:
            left.append((one.subject_id, one.at, why))
        else:
            changes.append(_back(row, one.before))
    changing.write(connection, job.id, job.admin_id, changes)
    changing.leave(connection, job.id, left)
    known = job.result
    counts = {"changed": known.get("changed", 0) + len(changes), "left": known.get("left", 0) + len(left)}
    job.result = known | counts


def _back(row: AnyRow, before: dict[str, Any]) -> Change:
    fields = {name: value for name, value in before.items() if name != "shares"}
    return Change(row, fields, shares=before.get("shares"))


def _why_not(kept: AnyRow, row: AnyRow | None, newest: Any) -> str:
    """Why a row stays as it is; '' when nobody has changed it since."""
    if row is None:
        return GONE
    now = {name: getattr(row, name) for name in kept.after if name != "shares"}
    then = {name: value for name, value in kept.after.items() if name != "shares"}
    return CHANGED if now != then or (newest and newest > kept.changed_at) else ""


def _newest_changes(connection: Connection, kept: Sequence[AnyRow]) -> dict[int, Any]:
    """When each of the rows was changed last, of those that were changed after the first of them here."""
    e = audit_events.c
    ids, since = [one.subject_id for one in kept], min(one.changed_at for one in kept)
    here = (e.subject == SUBJECT, e.subject_id.in_(ids), e.at > since, e.action == ACTION)
    found = connection.execute(select(e.subject_id, func.max(e.at)).where(*here).group_by(e.subject_id))
    return {id: at for id, at in map(tuple, found)}  # noqa: C416 - a row is no pair to dict
