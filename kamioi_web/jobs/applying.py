"""The job that brings decisions about: the transactions of merchants become what their mapping says by now.

Each row is read again under its lock together with its merchant's mapping, so whatever was decided last holds, however
many such jobs run. What is completed, failed or rejected stays as it is.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.jobs import changing
from kamioi_web.jobs.changing import Change
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.selection import LISTING, SCAN_MS, Places
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place
from kamioi_web.paging.scan import read_chunk
from kamioi_web.queries import transactions as subject
from kamioi_web.review import weights
from kamioi_web.schema import merchants
from kamioi_web.sql_types import AnyRow

OPEN = weights.OPEN  # what a mapping may still change
Here = tuple[int, str | None]
UNMAPPED: dict[str, Any] = {"ticker": None, "status": "pending"}


def run(job: Job) -> dict[str, Any]:
    """Go through the merchants, several small ones at a time; `changed` are the rows that got another value."""
    ids, pace = job.parameters["merchant_ids"], Pace()
    _wait_for_imports(job)
    while True:
        at: int = job.checkpoint[0] if job.checkpoint else 0
        place: str | None = job.checkpoint[1] if job.checkpoint else None
        if at >= len(ids):
            return job.result
        with job.database.reading(seconds=30) as connection:
            places, resume = _next(connection, ids, (at, place), pace.rows)
        with pace.timed(), job.chunk() as chunk:
            changed = _change(chunk, job, places) if places else 0
            job.result = job.result | {"changed": job.result.get("changed", 0) + changed}
            chunk.checkpoint, chunk.rows = list(resume), len(places)


def _wait_for_imports(job: Job) -> None:
    """Until every batch of an import that may have read the merchants before the decision has committed."""
    with job.database.writing() as connection:
        job.database.dialect.limit_waits(connection, job.database.settings.lock_seconds)
        job.database.dialect.lock(connection, weights.MAPPING)


def after(row: AnyRow, mapping: AnyRow | None, unmap: bool = False) -> dict[str, Any]:
    """What a transaction becomes by its merchant's mapping: only the fields that get another value.

    A merchant that is nobody's releases the round-up: the row is completed without an investment. Where the merchant
    has no mapping the row stays as it is, or with `unmap` waits again.
    """
    if row.status not in OPEN:
        return {}
    values = _wanted(row, mapping, unmap)
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def _wanted(row: AnyRow, mapping: AnyRow | None, unmap: bool) -> dict[str, Any]:
    if mapping is None or (mapping.mapping_id is None and mapping.ticker is None):
        return UNMAPPED if unmap and row.status == "mapped" else {}
    category = {"category": mapping.category} if mapping.category else {}
    if mapping.ticker:
        return {"ticker": mapping.ticker, "status": "mapped"} | category
    return {"ticker": None, "status": "completed", "round_up_cents": 0} | category


def mappings_of(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, AnyRow]:
    """{merchant: what it is mapped to now} of the merchants of these rows."""
    k = merchants.c
    query = select(k.id, k.ticker, k.category, k.mapping_id).where(k.id.in_({row.merchant_id for row in rows}))
    return {row.id: row for row in connection.execute(query)}


def _next(connection: Connection, ids: Sequence[int], here: Here, most: int) -> tuple[Places, Here]:
    """The next open rows, and where to go on: at which merchant, and behind which of its rows."""
    found: list[tuple[int, Any]] = []
    at, place = here
    while at < len(ids) and len(found) < most:
        rows, place = _of_merchant(connection, ids[at], place, most - len(found))
        found += rows
        if place:
            break  # there are more rows of this one, or it takes more looking
        at += 1
    return found, (at, place)


def _of_merchant(connection: Connection, merchant_id: int, place: str | None, most: int) -> tuple[Places, str | None]:
    """The next open rows of a merchant, newest first, and the place behind them; None at the end."""
    filters = subject.resolve(connection, {"merchant_id": merchant_id, "status": OPEN})
    plan = subject.plan(connection, filters)
    start = Place(cursor=Cursor.parse(place, "checkpoint")) if place else Place()
    found = read_chunk(connection, LISTING, plan, start, most, SCAN_MS)
    return [(row.id, row.posted_at) for row in found.rows], str(found.resume) if found.more else None


def _change(chunk: Chunk, job: Job, places: Places) -> int:
    rows = changing.locked(chunk.connection, places)
    mappings = mappings_of(chunk.connection, rows)
    unmap = job.parameters.get("unmap", False)
    wanted = [(row, after(row, mappings.get(row.merchant_id), unmap)) for row in rows]
    return changing.write(
        chunk.connection, job.id, job.admin_id, [Change(row, values) for row, values in wanted if values]
    )
