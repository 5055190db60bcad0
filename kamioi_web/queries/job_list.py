"""The list of jobs: its filters and what serves them. Each piece of work that was ordered is one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, select

from kamioi_web import filters as read
from kamioi_web.errors import NotFound
from kamioi_web.filters import Parameter, end_of, start_of
from kamioi_web.jobs.tables import LABELS, STATES, jobs
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.queries.audit_events import SYSTEM, find_admin
from kamioi_web.schema import admins
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

j = jobs.c

PARAMETERS = (
    Parameter("state", "State", read.one_of(STATES), many=True),
    Parameter("kind", "Kind", read.one_of(tuple(LABELS)), many=True),
    Parameter("title", "Title", read.words, about="Any part of what the job is called"),
    Parameter("admin", "Ordered by", read.words, about="The e-mail of an admin, or system"),
    Parameter("since", "From", read.day, about="Ordered on this UTC day or later"),
    Parameter("until", "To", read.day, about="Ordered on this UTC day or before"),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    state: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    title: str | None = None
    admin_id: int | None = None
    system: bool = False  # only what a schedule ordered
    since: date | None = None
    until: date | None = None


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the admin looked up; NotFound when there is none of that e-mail."""
    rest = {name: value for name, value in given.items() if name != "admin"}
    who = given.get("admin", "")
    if who == SYSTEM:
        return Filters(**rest, system=True)
    return Filters(**rest, admin_id=find_admin(connection, who) if who else None)


def plan(connection: Connection, filters: Filters) -> Plan:
    """The list in its order, or that of one admin."""
    return _plan(filters)


@lru_cache(maxsize=512)
def _plan(filters: Filters) -> Plan:
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    conditions: list[ColumnElement[bool]] = []
    for name in ("state", "kind"):
        if wanted := getattr(filters, name):
            conditions.append(j[name].in_(wanted))
    if filters.system:
        conditions.append(j.admin_id.is_(None))
    if filters.title:
        conditions.append(j.title.icontains(filters.title, autoescape=True))
    mine = (j.admin_id == filters.admin_id,)
    stream = Stream("jobs_created") if filters.admin_id is None else Stream("jobs_admin", mine)
    return Plan((stream,), since, until, tuple(conditions))


def _decorate(rows: Subquery) -> AnySelect:
    """The rows of one chunk with the admins who ordered them."""
    named = select(rows, admins.c.email.label("admin"))
    return named.select_from(rows.outerjoin(admins, admins.c.id == rows.c.admin_id))


COLUMNS = ("id", "kind", "title", "admin_id", "state", "wish", "rows_done", "rows_total", "created_at", "started_at",
           "finished_at")  # fmt: skip
LISTING = Listing(jobs, "created_at", _decorate, COLUMNS)
WHOLE_LISTING = Listing(jobs, "created_at", _decorate, (*COLUMNS, "result", "error", "undo_of", "undone_by"))


def slice_of(filters: Filters) -> Slice | None:
    """No totals are kept of jobs: they are counted along their index."""
    return None


def span_slice(filters: Filters) -> None:
    """Nor how they lie in time."""


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Nothing is counted for the filter form."""
    return {}


def beside(connection: Connection, rows: Sequence[AnyRow]) -> None:
    """A row of this list shows nothing that is kept elsewhere."""


def find(connection: Connection, id: int) -> AnyRow:
    """One job with everything about it and who ordered it; NotFound when there is none."""
    one = select(jobs, admins.c.email.label("admin")).select_from(jobs.outerjoin(admins, admins.c.id == j.admin_id))
    found = connection.execute(one.where(j.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no job {str(id)[:40]}.")
    return found
