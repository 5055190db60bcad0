"""What a job has made of mappings, kept so that it can be put back: where nobody has changed them since, and exactly.

A mapping that a job changed has a before-image in `job_changes` under the subject “mapping”, as transactions have.
Where it came into force by that, `before` holds its merchant as it was, and `after` the job that applies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kamioi_web import audit
from kamioi_web.dialects import dialect_of
from kamioi_web.jobs import unapplying
from kamioi_web.jobs.running import Job, Pace
from kamioi_web.jobs.tables import job_changes
from kamioi_web.jobs.walking import CHANGED, GONE, Left, walk_back
from kamioi_web.review import weights
from kamioi_web.schema import from_micros, llm_mappings, merchants, to_micros
from kamioi_web.sql_types import AnyRow

SUBJECT = "mapping"
MOMENTS = ("decided_at",)
MAPPED_AGAIN = "its merchant was mapped again since"
m, k = llm_mappings.c, merchants.c


@dataclass
class Image:
    """A mapping as it was, and the fields that got another value; `merchant` where that was changed with it."""

    row: AnyRow
    after: dict[str, Any]
    merchant: dict[str, Any] = field(default_factory=dict)
    applied_by: int | None = None


def keep(connection: Connection, job_id: int, images: Sequence[Image]) -> None:
    """Keep what was before, in the transaction of the change; `after` says the version that the change made."""
    for image in images:
        before = {name: _kept(name, getattr(image.row, name)) for name in image.after}
        before |= {"merchant": image.merchant} if image.merchant else {}
        after = {name: _kept(name, value) for name, value in image.after.items()}
        after |= {"applied_by": image.applied_by} if image.applied_by else {}
        values = {"job_id": job_id, "subject": SUBJECT, "subject_id": image.row.id, "at": image.row.created_at}
        values |= {"changed_at": dialect_of(connection).later(0), "before": before, "after": after}
        connection.execute(insert(job_changes).values(values))


def take_back(job: Job) -> dict[str, Any]:
    """Put the mappings that a job has changed back; `left` were changed since, and stay as they are."""
    walk_back(job, Pace(rows=50, least=10, most=200), SUBJECT, partial(_put_back, job))
    return unapplying.finish(job, _applied_by(job))


def _put_back(job: Job, connection: Connection, kept: Sequence[AnyRow]) -> tuple[int, Left]:
    ids = [one.subject_id for one in kept]
    locked = connection.execute(select(llm_mappings).where(m.id.in_(ids)).order_by(m.id).with_for_update())
    there = {row.id: row for row in locked}
    back: list[int] = []
    left: Left = []
    for one in kept:
        row = there.get(one.subject_id)
        if why := _why_not(connection, one, row):
            left.append((one.subject_id, one.at, why))
        elif row is not None:
            _restore(connection, job, one, row)
            back.append(row.merchant_id)
    weights.weigh(connection, back)
    return len(back), left


def _why_not(connection: Connection, kept: AnyRow, row: AnyRow | None) -> str:
    """Why a mapping stays as it is; '' when nobody has changed it since: every change raises its version."""
    if row is None:
        return GONE
    if row.version != kept.after["version"]:
        return CHANGED
    if "merchant" not in kept.before:
        return ""
    in_force = connection.scalar(select(k.mapping_id).where(k.id == row.merchant_id).with_for_update())
    return "" if in_force == row.id else MAPPED_AGAIN


def _restore(connection: Connection, job: Job, kept: AnyRow, row: AnyRow) -> None:
    was = {name: _value(name, value) for name, value in kept.before.items() if name not in ("merchant", "version")}
    connection.execute(update(llm_mappings).where(m.id == row.id).values(**was, version=m.version + 1))
    if "merchant" in kept.before:
        connection.execute(update(merchants).where(k.id == row.merchant_id).values(kept.before["merchant"]))
    audit.record(connection, "mapping.undone", job.admin_id, SUBJECT, row.id, {"job": job.parameters["job_id"]})


def _applied_by(job: Job) -> list[int]:
    """The jobs that applied what the undone job had put in force."""
    c = job_changes.c
    here = (c.job_id == job.parameters["job_id"], c.subject == SUBJECT, c.note.is_(None))
    with job.database.reading(seconds=30) as connection:
        found = connection.scalars(select(c.after).where(*here))
        return sorted({after["applied_by"] for after in found if "applied_by" in after})


def _kept(name: str, value: Any) -> Any:
    return to_micros(value) if name in MOMENTS and value is not None else value


def _value(name: str, value: Any) -> Any:
    return from_micros(value) if name in MOMENTS and value is not None else value
