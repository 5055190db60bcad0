"""What the jobs about a list share: which list, under which filter, as it is kept in a job's parameters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from kamioi_web.errors import KamioiError
from kamioi_web.filters import parse_filters
from kamioi_web.jobs.running import Job
from kamioi_web.pages import PAGES
from kamioi_web.paging.keyset import Plan
from kamioi_web.table_page import TablePage

TABLES = {table.name: table for table in PAGES}
Filter = Sequence[Sequence[str]]  # pairs of a parameter and its text, as they stand in a link


def table_of(parameters: dict[str, Any]) -> TablePage:
    """The list that a job is about."""
    if parameters["page"] not in TABLES:
        raise KamioiError(f"There is no list “{parameters['page']}” any more.")
    return TABLES[parameters["page"]]


def filters_of(connection: Connection, table: TablePage, kept: Filter) -> Any:
    """The filter, with the names in it looked up on this connection."""
    values: dict[str, list[str]] = {}
    for name, text in kept:
        values.setdefault(name, []).append(text)
    return table.subject.resolve(connection, parse_filters(table.subject.PARAMETERS, values))


def plan_of(connection: Connection, job: Job) -> Plan:
    """How the rows of a job's list are read."""
    table = table_of(job.parameters)
    return table.subject.plan(connection, filters_of(connection, table, job.parameters["filter"]))
