"""What is done again and again: each time is a slot, and of a slot there is one job, however many schedulers run."""

import logging
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kamioi_web.db import Database
from kamioi_web.jobs import mapping, store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.kinds import KINDS
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.tables import jobs

log = logging.getLogger(__name__)
NIGHT = 2  # o'clock in UTC, when few people are there


def slots(now: datetime) -> list[Order]:
    """The jobs that a moment wants to have been ordered."""
    if now.hour < NIGHT:
        return []
    night = f"{now:%Y-%m-%d}"
    return [
        _order("clean", "Clean up", f"clean {night}"),
        _order("check", "Check the totals of every list", f"check {night}"),
    ]


def order_due(database: Database, bell: Bell, now: datetime | None = None) -> list[int]:
    """Order what the moment wants and nobody has ordered; the ids of the new jobs."""
    made = []
    for order in slots(now or datetime.now(UTC)):
        with database.reading() as connection:
            known = connection.execute(select(jobs.c.id).where(jobs.c.slot == order.slot)).first()
        if not known and (id := _add(database, order)):
            made.append(id)
            bell.ring(order.queue)
    return made + _order_mapping(database, bell)


def _order_mapping(database: Database, bell: Bell) -> list[int]:
    """The mapping of merchants that came since the last time."""
    with database.reading() as connection:
        if not mapping.is_due(connection):
            return []
    with database.writing() as connection:
        made = mapping.order_new(connection)
    for _ in made:
        bell.ring(mapping.QUEUE)
    return made


def _add(database: Database, order: Order) -> int | None:
    try:
        with database.writing() as connection:
            return store.add(connection, order)
    except IntegrityError:
        return None  # another scheduler was first


def _order(kind: str, title: str, slot: str) -> Order:
    return Order(kind, KINDS[kind].queue, title, {}, slot=slot)
