"""The list of users: its filters, which index or scan serves them, which totals cover them, and what each has done."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, func, or_, select

from kamioi_web import filters as read
from kamioi_web import totals
from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.errors import NotFound
from kamioi_web.filters import Parameter, end_of, start_of
from kamioi_web.paging.keyset import Listing, Plan, Stream
from kamioi_web.schema import ACCOUNT_TYPES, USER_STATUSES, from_micros, totals_now, users
from kamioi_web.sql_types import AnyRow, AnySelect
from kamioi_web.totals import Slice

u = users.c
MERGED = 50  # users that a search puts in order after it has read them; more are looked for by the bounded scan
SHORTEST = 3  # letters that the text index needs; fewer are taken as the beginning of an account number
SHOWN_ID = re.compile(r"[IFB](\d{7,19})", re.ASCII)  # as the old dashboard wrote it: a letter, and 1,000,000 + id

PARAMETERS = (
    Parameter("search", "Search", read.words, about="Any part of the name, the e-mail or the account number"),
    Parameter("account_type", "Account", read.one_of(ACCOUNT_TYPES), many=True),
    Parameter("status", "Status", read.one_of(USER_STATUSES), many=True),
    Parameter("since", "From", read.day, about="Joined on this UTC day or later"),
    Parameter("until", "To", read.day, about="Joined on this UTC day or before"),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. Empty tuples and None leave a part open; the dates are both included."""

    search: str | None = None
    ids: tuple[int, ...] | None = None  # what `search` found; None: too many to put in order
    account_type: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


def resolve(connection: Connection, given: Mapping[str, Any]) -> Filters:
    """Filters from parsed parameters, with the users that the search found."""
    found = matching(connection, given["search"]) if "search" in given else None
    return Filters(**given, ids=found)


def matching(connection: Connection, text: str) -> tuple[int, ...] | None:
    """The ids of the users whom `first_matching` finds; None when they are more than 50."""
    ids = first_matching(connection, text, MERGED + 1)
    return tuple(sorted(ids)) if len(ids) <= MERGED else None


def first_matching(connection: Connection, text: str, most: int) -> Sequence[int]:
    """The ids of users with that account number, e-mail, displayed id or id, or else of those whose name, e-mail or
    account number holds the text; of more than `most`, some."""
    ids = _ids_holding(dialect_of(connection), text).limit(most)
    return exactly(connection, text) or connection.scalars(ids).all()


def exactly(connection: Connection, text: str) -> Sequence[int]:
    """The ids of the users whose account number, e-mail, displayed id or id this is; they may be two."""
    return connection.scalars(select(u.id).where(or_(*_named(text)))).all()


def _named(text: str) -> list[ColumnElement[bool]]:
    named = [u.account_number == text, u.email == text.lower()]
    if text.isascii() and text.isdigit() and len(text) < 19:
        named.append(u.id == int(text))
    elif (shown := SHOWN_ID.fullmatch(text)) and int(shown[1]) > 1_000_000:
        named.append(u.id == int(shown[1]) - 1_000_000)
    return named


def _ids_holding(dialect: Dialect, text: str) -> AnySelect:
    return dialect.user_ids(text) if len(text) >= SHORTEST else select(u.id).where(_starting(text))


def _starting(text: str) -> ColumnElement[bool]:
    start = text.upper()
    return u.account_number.between(start, start + "\U0010ffff")


def plan(connection: Connection, filters: Filters) -> Plan:
    """The users that a search found, or the list in its order; what is left of the filter goes to the bounded scan."""
    return _plan(dialect_of(connection), filters)


@lru_cache(maxsize=512)
def _plan(dialect: Dialect, filters: Filters) -> Plan:
    since = start_of(filters.since) if filters.since else None
    until = end_of(filters.until) if filters.until else None
    conditions = tuple(u[name].in_(wanted) for name in ("account_type", "status") if (wanted := getattr(filters, name)))
    if filters.ids is not None:  # so few that every condition may be looked at
        streams = (Stream(None, (u.id.in_(filters.ids), *conditions)),) if filters.ids else ()
        return Plan(streams, since, until)
    if filters.search:
        written = (u.name, func.coalesce(u.email, ""), u.account_number)
        long = len(filters.search) >= SHORTEST
        conditions = (*conditions, dialect.holds(filters.search, *written) if long else _starting(filters.search))
    return Plan((Stream("users_created"),), since, until, conditions)


def _as_they_are(rows: Subquery) -> AnySelect:
    return select(rows)


COLUMNS = ("id", "account_number", "email", "name", "account_type", "status", "created_at")
LISTING = Listing(users, "created_at", _as_they_are, COLUMNS)
WHOLE_LISTING = Listing(users, "created_at", _as_they_are, (*COLUMNS, "round_up_cents", "city", "state"))


def slice_of(filters: Filters) -> Slice | None:
    """The totals that add up to exactly this filter; None for a search."""
    return None if filters.search else totals.counted("users", filters.since, filters.until, **_kept(filters))


def span_slice(filters: Filters) -> tuple[Slice, str, str | None] | None:
    """The totals that tell how these rows lie in time."""
    return None if filters.search else totals.counted_by_day("users", filters.since, filters.until, **_kept(filters))


def _kept(filters: Filters) -> dict[str, Any]:
    return {"status": filters.status, "account_type": filters.account_type}


def counts(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """Every status and account type there is with its users."""
    return totals.values_of(connection, Slice("users"), ("status", "account_type"))


@dataclass(frozen=True)
class Activity:
    """What one user has done in the currency of most of it: purchases, cents spent and invested; when last seen."""

    n: int
    currency: str
    currencies: int
    spent_cents: int
    invested_cents: int
    last_seen: datetime | None


NOTHING = Activity(0, "USD", 0, 0, 0, None)


def beside(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, Activity]:
    """{user id: what they have done}, from the per-user totals in one statement."""
    c = totals_now.c
    sums = [func.sum(c[name]).cast(c.n.type) for name in ("n", "amount_cents", "round_up_cents")]
    query = select(c.subject, c.currency, c.status, *sums, func.max(c.last_at))
    query = query.where(c.grain == "user", c.subject.in_([row.id for row in rows]))
    found: dict[int, list[AnyRow]] = {}
    for row in connection.execute(query.group_by(c.subject, c.currency, c.status)):
        found.setdefault(row[0], []).append(row)
    return {user: _activity(parts) for user, parts in found.items()}


def _activity(parts: Sequence[AnyRow]) -> Activity:
    """From rows of user, currency, status, n, amount, round-up, newest time."""
    counts: dict[str, int] = {}
    for part in parts:
        counts[part[1]] = counts.get(part[1], 0) + part[3]
    counts = {currency: n for currency, n in counts.items() if n}
    if not counts:
        return NOTHING
    chosen = max(counts, key=lambda code: (counts[code], code))
    ours = [part for part in parts if part[1] == chosen]
    invested = sum(part[5] for part in ours if part[2] == "completed")
    last = from_micros(max(part[6] for part in parts))
    return Activity(sum(counts.values()), chosen, len(counts), sum(part[4] for part in ours), invested, last)


def find(connection: Connection, id: int) -> AnyRow:
    """One user; NotFound when there is none."""
    found = connection.execute(select(users).where(u.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no user {str(id)[:40]}.")
    return found
