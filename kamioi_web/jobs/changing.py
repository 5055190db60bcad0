"""Changing transactions so that it can be undone: rows, allocations, totals, what was before, and the audit log."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, delete, literal, select, tuple_, update

from kamioi_web import totals
from kamioi_web.allocation import split
from kamioi_web.dialects import dialect_of
from kamioi_web.jobs.tables import job_changes
from kamioi_web.loading import TRANSACTION_COLUMNS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.schema import COMMON_STATUSES, Moment, allocations, audit_events, to_micros, transactions
from kamioi_web.sql_types import AnyRow

t, a = transactions.c, allocations.c
SUBJECT, ACTION = "transaction", "transaction.changed"
PLACES = {name: TRANSACTION_COLUMNS.index(name) for name in ("status", "category", "ticker", "round_up_cents")}
EVENT = ("at", "admin_id", "action", "subject", "subject_id", "detail")
KEPT = ("job_id", "subject", "subject_id", "at", "changed_at", "before", "after", "note")
Shares = list[list[Any]]  # [ticker, cents] of each allocation


@dataclass
class Change:
    """A transaction as it is, and the fields that get another value; `shares` are its allocations then, if said."""

    row: AnyRow
    after: dict[str, Any]
    shares: Shares | None = None
    shares_before: Shares = field(default_factory=list)

    def value(self, name: str) -> Any:
        return self.after.get(name, getattr(self.row, name))

    @property
    def reallocates(self) -> bool:
        """Whether its round-up goes elsewhere by this."""
        now = (self.row.ticker, self.row.status in COMMON_STATUSES)
        return self.shares is not None or now != (self.value("ticker"), self.value("status") in COMMON_STATUSES)

    def shares_after(self) -> Shares:
        if self.shares is not None:
            return self.shares
        if not self.value("ticker") or self.value("status") not in COMMON_STATUSES:
            return []
        return [[ticker, cents] for ticker, cents in split(self.value("round_up_cents"), [self.value("ticker")])]


def locked(
    connection: Connection, places: Sequence[tuple[int, Any]], also: ColumnElement[bool] | None = None
) -> Sequence[AnyRow]:
    """The transactions of these (id, posted_at) as they are now, kept from other writers until the commit, by id."""
    moments = [at for _, at in places]
    here = and_(t.id.in_([id for id, _ in places]), t.posted_at.between(min(moments), max(moments)))
    rows = select(t.id, *(t[name] for name in TRANSACTION_COLUMNS)).where(here if also is None else and_(here, also))
    return connection.execute(rows.order_by(t.id).with_for_update()).fetchall()


def write(connection: Connection, job_id: int | None, admin_id: int | None, changes: Sequence[Change]) -> int:
    """Make the changes in the caller's transaction and return how many they were; without a job there is no undo."""
    if not changes:
        return 0
    now = _now(connection)
    with totals.bulk_loading(connection):
        _update(connection, changes)
        _reallocate(connection, [change for change in changes if change.reallocates])
        _note(connection, job_id, admin_id, now, changes)
    totals.add_changed(connection, ((_tuple(change.row), _changed(change)) for change in changes))
    totals.add_counted(connection, "audit", now, len(changes), ACTION)
    return len(changes)


def leave(connection: Connection, job_id: int, rows: Sequence[tuple[int, Any, str]], subject: str = SUBJECT) -> None:
    """Keep which rows, (id, time, why), a job has left as they were."""
    now = _now(connection)
    kept = ((job_id, subject, id, to_micros(at), now, "{}", "{}", why) for id, at, why in rows)
    dialect_of(connection).append(connection, job_changes, KEPT, kept)


def _now(connection: Connection) -> int:
    """Microseconds since 1970 on the database's own clock."""
    return to_micros(connection.execute(select(dialect_of(connection).later(0))).scalar_one())


def _update(connection: Connection, changes: Sequence[Change]) -> None:
    """One statement for all rows that get the same values."""

    def same(change: Change) -> str:
        return json.dumps(change.after, sort_keys=True)

    for _, group in groupby(sorted(changes, key=same), same):
        some = list(group)
        moments = [change.row.posted_at for change in some]
        ids = [change.row.id for change in some]
        here = (t.id.in_(ids), t.posted_at.between(min(moments), max(moments)))
        connection.execute(update(transactions).where(*here).values(some[0].after))


def _reallocate(connection: Connection, changes: Sequence[Change]) -> None:
    if not changes:
        return
    by_id = {change.row.id: change for change in changes}
    users = {change.row.user_id for change in changes}
    here = and_(a.user_id.in_(users), a.transaction_id.in_(by_id))
    for id, ticker, cents in connection.execute(
        select(a.transaction_id, a.ticker, a.amount_cents).where(here).order_by(a.transaction_id, a.ticker)
    ):
        by_id[id].shares_before.append([ticker, cents])
    connection.execute(delete(allocations).where(here))
    rows = (
        (change.row.id, change.row.user_id, ticker, cents, to_micros(change.row.created_at))
        for change in changes
        for ticker, cents in change.shares_after()
    )
    columns = ("transaction_id", "user_id", "ticker", "amount_cents", "created_at")
    dialect_of(connection).append(connection, allocations, columns, rows)


def _note(
    connection: Connection, job_id: int | None, admin_id: int | None, now: int, changes: Sequence[Change]
) -> None:
    """What was before and what is now, for undo; and an event for each row, for the audit log and for its history."""
    dialect = dialect_of(connection)
    both = [(change, *_written(change)) for change in changes]
    kept = (
        (job_id, SUBJECT, change.row.id, to_micros(change.row.posted_at), now, before, after, None)
        for change, before, after, _ in both
    )
    if job_id is not None:
        dialect.append(connection, job_changes, KEPT, kept)
    of_job = f'"job": {job_id}, ' if job_id is not None else ""
    events = ((now, admin_id, ACTION, SUBJECT, change.row.id, f"{{{of_job}{told}}}") for change, _, _, told in both)
    dialect.append(connection, audit_events, EVENT, events)


def _written(change: Change) -> tuple[str, str, str]:
    """What was, what is, and what the audit log tells of it, as JSON."""
    before = tuple((name, getattr(change.row, name)) for name in change.after)
    was, told = _told(before, tuple(change.after.values()))
    if not change.reallocates:
        return was, _json(change.after), told
    shares_then, shares_now = {"shares": change.shares_before}, {"shares": change.shares_after()}
    return _json(dict(before) | shares_then), _json(change.after | shares_now), told


@lru_cache(maxsize=4096)
def _told(before: tuple[tuple[str, Any], ...], after: tuple[Any, ...]) -> tuple[str, str]:
    """The same few changes come again and again, so their texts are kept."""
    told = {name: f"{was or 'none'} → {now or 'none'}" for (name, was), now in zip(before, after, strict=True)}
    return _json(dict(before)), _json(told)[1:-1]


def _tuple(row: AnyRow) -> tuple:
    """A row shaped as TRANSACTION_COLUMNS, times in microseconds, as the sums read it."""
    _, user_id, merchant_id, posted_at, *middle, created_at = row
    return user_id, merchant_id, to_micros(posted_at), *middle, created_at


def _changed(change: Change) -> tuple:
    values = list(_tuple(change.row))
    for name, value in change.after.items():
        values[PLACES[name]] = value
    return tuple(values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def changes_of(
    connection: Connection, job_id: int, after: Cursor, most: int, subject: str = SUBJECT
) -> Sequence[AnyRow]:
    """The next rows that a job has changed, the oldest first: subject_id, at, changed_at, before, after."""
    c = job_changes.c
    query = select(c.subject_id, c.at, c.changed_at, c.before, c.after)
    beyond = tuple_(c.at, c.subject_id) > tuple_(literal(after.at, Moment), literal(after.id, BigInteger))
    here = (c.job_id == job_id, c.subject == subject, c.at >= after.at, beyond, c.note.is_(None))
    return connection.execute(query.where(*here).order_by(c.at, c.subject_id).limit(most)).fetchall()


def left_by(connection: Connection, job_id: int, most: int) -> Iterator[AnyRow]:
    """The first rows that a job has left as they were: subject, subject_id, at, note."""
    c = job_changes.c
    query = select(c.subject, c.subject_id, c.at, c.note).where(c.job_id == job_id, c.note.is_not(None))
    yield from connection.execute(query.order_by(c.subject, c.at, c.subject_id).limit(most))
