"""What the tests of jobs share: ordering one, carrying it out here, and what it left behind."""

import threading
from collections import Counter
from typing import Any

from sqlalchemy import select

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.filters import parse_filters
from kamioi_web.jobs import selection, store
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.tables import job_changes
from kamioi_web.jobs.working import work
from kamioi_web.queries import transactions as subject
from kamioi_web.schema import allocations, audit_events, transactions


def order(database: Database, kind: str, parameters: dict[str, Any], **more: Any) -> int:
    """A job that waits."""
    with database.writing() as connection:
        return store.add(connection, Order(kind, "default", f"a {kind}", parameters, **more))


def order_change(database: Database, query: dict[str, str], change: dict[str, str]) -> int:
    """A bulk change of everything under a filter, as it is now."""
    with database.reading(30) as connection:
        filters = subject.resolve(connection, parse_filters(subject.PARAMETERS, {n: [v] for n, v in query.items()}))
        rows = selection.of_filter(connection, list(query.items()), subject.plan(connection, filters))
    return order(database, "bulk", {"selection": rows, "change": change})


def order_undo(database: Database, id: int) -> int:
    """The undo of a job."""
    return order(database, "undo", {"job_id": id}, undo_of=id)


def carry_out(database: Database, owner: str = "the test", stop: threading.Event | None = None) -> int:
    """Do everything that is due."""
    return work(database, "default", owner, stop or threading.Event())


def job_of(database: Database, id: int) -> Any:
    """The job as it stands."""
    with database.reading() as connection:
        return store.find(connection, id)


def statuses(database: Database) -> Counter[str]:
    """How many rows have each status, counted row by row."""
    with database.reading(60) as connection:
        return Counter(connection.scalars(select(transactions.c.status)))


def everything(database: Database) -> tuple[list[Any], list[Any]]:
    """All transactions and all allocations, in an order of their own."""
    with database.reading(60) as connection:
        rows = connection.execute(select(transactions).order_by(transactions.c.id)).fetchall()
        shares = connection.execute(select(allocations)).fetchall()
    return [tuple(row) for row in rows], sorted(tuple(row)[:4] for row in shares)


def assert_told_once(database: Database, job_id: int, changed: int) -> None:
    """A before-image and an event for each change, no row twice; and every total equals a recount."""
    with database.reading(60) as connection:
        images = connection.scalars(select(job_changes.c.subject_id).where(job_changes.c.job_id == job_id)).all()
        events = connection.execute(select(audit_events.c.subject_id, audit_events.c.detail)).fetchall()
    told = [id for id, detail in map(tuple, events) if detail.get("job") == job_id and id is not None]
    assert len(images) == len(set(images)) == changed
    assert sorted(told) == sorted(images)
    assert list(totals.check(database)) == []
