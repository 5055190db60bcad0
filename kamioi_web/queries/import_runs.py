"""The list of imports: its filters and what serves them. Each file that was imported is one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, select

from kamioi_web import filters as read
from kamioi_web.errors import NotFound
from kamioi_web.filters import Parameter, end_of, start_of
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.schema import IMPORT_KINDS, IMPORT_STATES, imports
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

i = imports.c

PARAMETERS = (
    Parameter("kind", "Kind", read.one_of(IMPORT_KINDS), many=True),
    Parameter("state", "State", read.one_of(IMPORT_STATES), many=True, about="“running” is also what was stopped"),
    Parameter("file", "File", read.words, about="Any part of the file’s name"),
    Parameter("since", "From", read.day, about="Begun on this UTC day or later"),
    Parameter("until", "To", read.day, about="Begun on this UTC day or before"),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    kind: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    file: str | None = None
    since: date | None = None
    until: date | None = None


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters; nothing has to be looked up."""
    return Filters(**given)


def plan(connection: Connection, filters: Filters) -> Plan:
    """The list in its order. There are as many rows as files were imported, so its scan reaches the end."""
    return _plan(filters)


@lru_cache(maxsize=512)
def _plan(filters: Filters) -> Plan:
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    conditions: list[ColumnElement[bool]] = []
    for name in ("kind", "state"):
        if wanted := getattr(filters, name):
            conditions.append(i[name].in_(wanted))
    if filters.file:
        conditions.append(i.file_name.icontains(filters.file, autoescape=True))
    return Plan((Stream("imports_started"),), since, until, tuple(conditions))


def _as_they_are(rows: Subquery) -> AnySelect:
    return select(rows)


COLUMNS = ("id", "kind", "file_name", "state", "rows_added", "rows_known", "rows_rejected", "started_at", "finished_at")
LISTING = Listing(imports, "started_at", _as_they_are, COLUMNS)
WHOLE_LISTING = LISTING


def slice_of(filters: Filters) -> Slice | None:
    """No totals are kept of imports: they are counted along their index."""
    return None


def span_slice(filters: Filters) -> None:
    """Nor how they lie in time."""


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Nothing is counted for the filter form."""
    return {}


def beside(connection: Connection, rows: Sequence[AnyRow]) -> None:
    """A row of this list shows nothing that is kept elsewhere."""


def find(connection: Connection, id: int) -> AnyRow:
    """One import with how its file was read; NotFound when there is none."""
    found = connection.execute(select(imports).where(i.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no import {str(id)[:40]}.")
    return found
