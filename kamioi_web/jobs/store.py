"""The jobs in the database: adding one, claiming it under a lease, and what its worker and its admins may do to it.

A claim raises the job's fencing number. Whatever a worker writes for a job is in one transaction with a statement that
asks for that number, so a worker that lost its lease, by a stop or by a pause of its machine, writes nothing any more.
Leases are compared on the database's own clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, insert, literal_column, null, or_, select, update

from kamioi_web.dialects import dialect_of
from kamioi_web.errors import KamioiError, NotFound
from kamioi_web.jobs.tables import OPEN_STATES, job_lines, jobs
from kamioi_web.sql_types import AnyRow

LEASE_SECONDS = 15.0
LONGEST_LINE = 2_000
MOST_RUNNING = 1_000
j = jobs.c
UNCLAIMED: dict[str, Any] = {"owner": None, "lease_until": None, "wish": ""}


class Refusal(KamioiError):
    """The job is no longer in a state in which that can be done."""

    status = 409


@dataclass(frozen=True)
class Order:
    """A job to be done. `slot` names the one time that a schedule wants it: there is at most one job of a slot."""

    kind: str
    queue: str
    title: str
    parameters: dict[str, Any]
    admin_id: int | None = None
    rows_total: int | None = None
    undo_of: int | None = None
    slot: str | None = None


def add(connection: Connection, order: Order) -> int:
    """Add a job in the caller's transaction and return its id; a worker sees it once that commits."""
    now = dialect_of(connection).later(0)
    begun = {"state": "waiting", "wish": "", "fence": 0, "failures": 0, "rows_done": 0}
    kept = {"checkpoint": None, "result": {}, "due_at": now, "created_at": now}
    values = asdict(order) | begun | kept
    return connection.execute(insert(jobs).values(values).returning(j.id)).scalar_one()


def find(connection: Connection, id: int) -> AnyRow:
    """One job; NotFound when there is none."""
    found = connection.execute(select(jobs).where(j.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no job {str(id)[:40]}.")
    return found


def claim(connection: Connection, queue: str, kinds: Collection[str], owner: str) -> AnyRow | None:
    """Take the next job of a queue that is due, or whose worker is gone; None when there is none.

    A kind that this release does not know waits for one that does.
    """
    later = dialect_of(connection).later
    free = select(j.id).where(_open(), j.queue == queue, j.kind.in_(kinds), _free(connection))
    first = free.order_by(j.due_at, j.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = {
        "state": "running",
        "owner": owner,
        "fence": j.fence + 1,
        "lease_until": later(LEASE_SECONDS),
        "started_at": case((j.started_at.is_(None), later(0)), else_=j.started_at),
    }
    return connection.execute(update(jobs).where(j.id == first).values(taken).returning(jobs)).first()


def extend(connection: Connection, id: int, fence: int, **progress: Any) -> str | None:
    """Keep the lease, note progress, and return the wish of its admins; None when the lease is lost."""
    values = progress | {"lease_until": dialect_of(connection).later(LEASE_SECONDS)}
    return connection.execute(update(jobs).where(_ours(id, fence)).values(values).returning(j.wish)).scalar()


def finish(connection: Connection, id: int, fence: int, state: str, **values: Any) -> bool:
    """End a job in that state; whether the lease was still ours."""
    ended = UNCLAIMED | values | {"state": state, "finished_at": dialect_of(connection).later(0)}
    return connection.execute(update(jobs).where(_ours(id, fence)).values(ended)).rowcount == 1


def release(connection: Connection, id: int, fence: int, state: str, seconds: float = 0, **values: Any) -> bool:
    """Give a job back, to wait (for so many seconds) or paused; whether the lease was still ours."""
    given = UNCLAIMED | values | {"state": state, "due_at": dialect_of(connection).later(seconds)}
    return connection.execute(update(jobs).where(_ours(id, fence)).values(given)).rowcount == 1


def say(connection: Connection, id: int, line: str) -> None:
    """Add a line to what the job has to tell."""
    at = dialect_of(connection).later(0)
    connection.execute(insert(job_lines).values(job_id=id, at=at, text=line[:LONGEST_LINE]))


def lines(connection: Connection, id: int, most: int = 100) -> Sequence[AnyRow]:
    """The newest lines of a job: at, text."""
    told = select(job_lines.c.at, job_lines.c.text).where(job_lines.c.job_id == id)
    return connection.execute(told.order_by(job_lines.c.id.desc()).limit(most)).fetchall()


def pause(connection: Connection, id: int) -> None:
    """Pause a job: at once while it waits, after its chunk while it runs."""
    _change(connection, id, "paused", {"waiting": {"state": "paused"}, "running": {"wish": "pause"}})


def resume(connection: Connection, id: int) -> None:
    """Let a paused job, or one that is about to pause, go on."""
    due = {"state": "waiting", "due_at": dialect_of(connection).later(0)}
    _change(connection, id, "resumed", {"paused": due, "running": {"wish": ""}})


def cancel(connection: Connection, id: int) -> None:
    """End a job: at once unless it runs, then after its chunk. What it has done stays."""
    ended = {"state": "cancelled", "finished_at": dialect_of(connection).later(0)}
    _change(connection, id, "cancelled", {"waiting": ended, "paused": ended, "running": {"wish": "cancel"}})


def retry(connection: Connection, id: int) -> None:
    """Let a job that failed or was cancelled go on where it stopped."""
    again = {"state": "waiting", "due_at": dialect_of(connection).later(0), "failures": 0, "error": None}
    again |= {"finished_at": None}
    _change(connection, id, "tried again", {"failed": again, "cancelled": again}, j.undone_by.is_(None))


def due(connection: Connection, queue: str, kinds: Collection[str]) -> bool:
    """Whether a job of the queue can be claimed: a look that takes no lock."""
    free = select(j.id).where(_open(), j.queue == queue, j.kind.in_(kinds), _free(connection))
    return connection.execute(free.limit(1)).first() is not None


def running(connection: Connection) -> Sequence[AnyRow]:
    """The jobs that a worker has: id, owner, fence."""
    query = select(j.id, j.owner, j.fence).where(_open(), j.state == "running", j.owner.is_not(None))
    return connection.execute(query.order_by(j.id).limit(MOST_RUNNING)).fetchall()


def end_lease(connection: Connection, id: int, fence: int) -> None:
    """Let another worker have a job at once whose own is known to be gone."""
    now = dialect_of(connection).later(-1)
    connection.execute(update(jobs).where(_ours(id, fence)).values(lease_until=now))


def wakeable(connection: Connection) -> Sequence[str]:
    """The queues in which a job is due or has been left by its worker."""
    return connection.scalars(select(j.queue).where(_open(), _free(connection)).distinct()).all()


def open_jobs(connection: Connection, most: int) -> int:
    """How many jobs are not over, counted no further than `most`: entries of the partial index jobs_open."""
    return len(connection.scalars(select(j.id).where(_open()).limit(most)).all())


def _open() -> ColumnElement[bool]:
    """To the letter as the partial index jobs_open says it, or SQLite would not use it."""
    return j.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])


def _free(connection: Connection) -> ColumnElement[bool]:
    """Waiting and due, or left by a worker that kept its lease no longer."""
    now = dialect_of(connection).later(0)
    return or_(and_(j.state == "waiting", j.due_at <= now), and_(j.state == "running", j.lease_until < now))


def _ours(id: int, fence: int) -> ColumnElement[bool]:
    return and_(j.id == id, j.fence == fence, j.state == "running")


def _change(
    connection: Connection,
    id: int,
    word: str,
    by_state: dict[str, dict[str, Any]],
    also: ColumnElement[bool] | None = None,
) -> None:
    """One statement for all states, so that a worker that ends the job meanwhile is not overruled."""
    names = {name for values in by_state.values() for name in values}
    cases = {
        name: case(
            *((j.state == state, _value(name, values[name])) for state, values in by_state.items() if name in values),
            else_=j[name],
        )
        for name in names
    }
    here = and_(j.id == id, j.state.in_(by_state))
    changed = connection.execute(update(jobs).where(here if also is None else and_(here, also)).values(cases))
    if not changed.rowcount:
        state = find(connection, id).state
        raise Refusal(f"Job {id} is {state} by now, so it cannot be {word}.")


def _value(name: str, value: Any) -> Any:
    return null() if value is None else value


def finished_before(moment: datetime) -> ColumnElement[bool]:
    """The jobs that were over by that time."""
    return and_(j.state.not_in(OPEN_STATES), j.finished_at < moment)
