"""The job that changes many transactions: their status, their category, or to what their merchant is mapped by now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.jobs import changing
from kamioi_web.jobs.changing import Change
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.selection import Places, Selection
from kamioi_web.schema import merchants
from kamioi_web.sql_types import AnyRow

OPEN = ("pending", "needs_review", "mapped")  # what a mapping may still change
Mappings = Mapping[int, AnyRow]


def run(job: Job) -> dict[str, Any]:
    """Change the rows of the selection; `changed` are those that got another value."""
    with job.database.reading() as connection:
        selection = Selection(connection, job.parameters["selection"])
    pace, more = Pace(), True
    while more:
        with job.database.reading(seconds=30) as connection:
            places, resume = selection.next(connection, job.checkpoint, pace.rows)
        with pace.timed(), job.chunk() as chunk:
            changed = _change(chunk, job, places, selection) if places else 0
            job.result = job.result | {"changed": job.result.get("changed", 0) + changed}
            chunk.checkpoint, chunk.rows = resume, len(places)
            more = resume is not None
    return job.result


def _change(chunk: Chunk, job: Job, places: Places, selection: Selection) -> int:
    connection, change = chunk.connection, job.parameters["change"]
    rows = changing.locked(connection, places, selection.still())
    mappings = _mappings(connection, rows) if change["do"] == "mapping" else {}
    wanted = [(row, _after(row, change, mappings)) for row in rows]
    changes = [Change(row, after) for row, after in wanted if after]
    return changing.write(connection, job.id, job.admin_id, changes)


def _after(row: AnyRow, change: Mapping[str, str], mappings: Mappings) -> dict[str, Any]:
    """The fields of a row that get another value."""
    values = _mapped(row, mappings) if change["do"] == "mapping" else {change["do"]: change["to"]}
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def _mapped(row: AnyRow, mappings: Mappings) -> dict[str, Any]:
    """What the mapping of its merchant makes of a row; nothing where it is invested, refused or failed already."""
    mapping = mappings.get(row.merchant_id)
    if mapping is None or row.status not in OPEN:
        return {}
    category = {"category": mapping.category} if mapping.category else {}
    if mapping.ticker:
        return {"ticker": mapping.ticker, "status": "mapped"} | category
    return {"ticker": None, "status": "pending" if row.status == "mapped" else row.status} | category


def _mappings(connection: Connection, rows: Sequence[AnyRow]) -> Mappings:
    """The mappings in force of the rows' merchants, of those that have one."""
    m = merchants.c
    ids = {row.merchant_id for row in rows}
    query = select(m.id, m.ticker, m.category).where(m.id.in_(ids), m.mapping_id.is_not(None) | m.ticker.is_not(None))
    return {row.id: row for row in connection.execute(query)}
