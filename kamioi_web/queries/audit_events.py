"""The audit log: its filters, which index or scan serves them, and which totals cover them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, select

from kamioi_web import filters as read
from kamioi_web import totals
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.filters import Parameter, end_of, start_of, taking
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.schema import admins, audit_events
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

e = audit_events.c
SYSTEM = "system"  # who did what no admin did
DOTTED = r"[a-z_]{1,40}(\.[a-z_]{1,40})*"


@taking(description="Small letters and points.", pattern=f"^{DOTTED}$", examples=["login.failure"])
def dotted(text: str, name: str) -> str:
    """A reader of a word or words with points between them, as actions and subjects are written."""
    if re.fullmatch(DOTTED, text, re.ASCII):
        return text
    example = {"action": "login.failure"}.get(name, "transaction")
    raise BadRequest(f"“{text[:40]}” is not what “{name}” takes: small letters and points, such as {example}.", name)


PARAMETERS = (
    Parameter("action", "Action", dotted, many=True),
    Parameter("admin", "Admin", read.words, about="An admin’s e-mail, or “system”"),
    Parameter("subject", "Subject", dotted),
    Parameter("subject_id", "Subject’s id", read.number, about="The id of what it was about, together with “subject”"),
    Parameter("since", "From", read.day, about="On this UTC day or later"),
    Parameter("until", "To", read.day, about="On this UTC day or before"),
)


@dataclass(frozen=True)
class Filters:
    """What the log is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    action: tuple[str, ...] = ()
    admin_id: int | None = None
    system: bool = False  # only what no admin did
    subject: str | None = None
    subject_id: int | None = None
    since: date | None = None
    until: date | None = None


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the admin looked up; NotFound when there is none of that address."""
    if "subject_id" in given and "subject" not in given:
        raise BadRequest("“subject_id” takes a “subject” beside it, such as subject=transaction.", "subject_id")
    rest = {name: value for name, value in given.items() if name != "admin"}
    who = given.get("admin", "")
    if who == SYSTEM:
        return Filters(**rest, system=True)
    return Filters(**rest, admin_id=find_admin(connection, who) if who else None)


def find_admin(connection: Connection, text: str) -> int:
    """The id of the admin with that e-mail address or id; NotFound when there is none."""
    found = connection.scalar(select(admins.c.id).where(admins.c.email == text.lower()))
    if found is None and text.isascii() and text.isdigit() and len(text) < 19:
        found = connection.scalar(select(admins.c.id).where(admins.c.id == int(text)))
    if found is None:
        raise NotFound(f"There is no admin “{text[:60]}”. Give an e-mail address, an id, or {SYSTEM}.")
    return found


def plan(connection: Connection, filters: Filters) -> Plan:
    """The index of one subject, of one admin or of the whole log; what is left goes to the bounded scan."""
    return _plan(filters)


@lru_cache(maxsize=512)
def _plan(filters: Filters) -> Plan:
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    conditions = _conditions(filters)
    if filters.subject_id is not None:
        served, index = ("subject", "subject_id"), "audit_events_of"
    elif filters.admin_id is not None:
        served, index = ("admin",), "audit_events_admin"
    else:
        served, index = (), "audit_events_at"
    stream = Stream(index, tuple(conditions[name] for name in served))
    return Plan((stream,), since, until, tuple(clause for name, clause in conditions.items() if name not in served))


def _conditions(filters: Filters) -> dict[str, ColumnElement[bool]]:
    found: dict[str, ColumnElement[bool]] = {}
    if filters.action:
        found["action"] = e.action.in_(filters.action)
    if filters.admin_id is not None:
        found["admin"] = e.admin_id == filters.admin_id
    elif filters.system:
        found["admin"] = e.admin_id.is_(None)
    if filters.subject is not None:
        found["subject"] = e.subject == filters.subject
    if filters.subject_id is not None:
        found["subject_id"] = e.subject_id == filters.subject_id
    return found


def _with_names(rows: Subquery) -> AnySelect:
    """The rows of one chunk with the address of who did it."""
    query = select(rows, admins.c.email.label("admin"))
    return query.select_from(rows.outerjoin(admins, admins.c.id == rows.c.admin_id))


COLUMNS = ("id", "at", "admin_id", "action", "subject", "subject_id", "detail", "address", "request_id")
LISTING = Listing(audit_events, "at", _with_names, COLUMNS)
WHOLE_LISTING = LISTING


def slice_of(filters: Filters) -> Slice | None:
    """The totals that add up to exactly this filter; None when it asks for an admin or a subject."""
    return None if _uncovered(filters) else totals.counted("audit", filters.since, filters.until, kind=filters.action)


def span_slice(filters: Filters) -> tuple[Slice, str, str | None] | None:
    """The totals that tell how these events lie in time."""
    if _uncovered(filters):
        return None
    return totals.counted_by_day("audit", filters.since, filters.until, kind=filters.action)


def _uncovered(filters: Filters) -> bool:
    return filters.admin_id is not None or filters.system or filters.subject is not None


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Every action there is with its events in all, the most frequent first."""
    return {"action": totals.values_of(connection, Slice("audit"), ("kind",))["kind"]}


def beside(connection: Connection, rows: Sequence[AnyRow]) -> None:
    """A row of this list shows nothing that is kept elsewhere."""


def find(connection: Connection, id: int) -> AnyRow:
    """One event with the address of who did it; NotFound when there is none."""
    query = select(audit_events, admins.c.email.label("admin"))
    joined = query.select_from(audit_events.outerjoin(admins, admins.c.id == e.admin_id))
    found = connection.execute(joined.where(e.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no event {str(id)[:40]} in the audit log.")
    return found
