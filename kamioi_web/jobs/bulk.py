"""The job that changes many transactions: their status, their category, or to what their merchant is mapped by now."""

from collections.abc import Mapping
from typing import Any

from kamioi_web.jobs import applying, changing
from kamioi_web.jobs.changing import Change
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.selection import Places, Selection
from kamioi_web.jobs.walking import walk
from kamioi_web.sql_types import AnyRow

Mappings = Mapping[int, AnyRow]


def run(job: Job) -> dict[str, Any]:
    """Change the rows of the selection; `changed` are those that got another value."""
    return walk(job, Pace(), lambda chunk, selection, places: _change(chunk, job, places, selection))


def _change(chunk: Chunk, job: Job, places: Places, selection: Selection) -> int:
    connection, change = chunk.connection, job.parameters["change"]
    rows = changing.locked(connection, places, selection.still())
    mappings = applying.mappings_of(connection, rows) if change["do"] == "mapping" else {}
    wanted = [(row, _after(row, change, mappings)) for row in rows]
    changes = [Change(row, after) for row, after in wanted if after]
    return changing.write(connection, job.id, job.admin_id, changes)


def _after(row: AnyRow, change: Mapping[str, str], mappings: Mappings) -> dict[str, Any]:
    """The fields of a row that get another value."""
    if change["do"] == "mapping":
        return applying.after(row, mappings.get(row.merchant_id))
    values = {change["do"]: change["to"]}
    return {name: value for name, value in values.items() if getattr(row, name) != value}
