"""Figures of the whole platform that the old clients ask for, from the totals."""

from typing import NamedTuple

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.totals import Slice


class Users(NamedTuple):
    """Users of each kind; amounts in cents of the currency of most transactions."""

    n: int
    active: int
    by_type: dict[str, int]
    currency: str
    round_up_cents: int
    fee_cents: int
    mappings: int


class Queue(NamedTuple):
    """Mappings of each status; `applied` are the approved ones that no admin made."""

    n: int
    by_status: dict[str, int]
    applied: int


def users(connection: Connection) -> Users:
    """Who there is, and what they put aside."""
    found = totals.values_of(connection, Slice("users"), ("status", "account_type"))
    rows = [row for row in totals.read(connection, Slice("ever"), ("currency",)) if row.n]
    most = max(rows, key=lambda row: (row.n, row.currency), default=None)
    currency, round_ups, fees = (most.currency, most.round_up_cents, most.fee_cents) if most else ("USD", 0, 0)
    by_status = dict(found["status"])
    by_type = dict(found["account_type"])
    return Users(
        sum(by_type.values()), by_status.get("active", 0), by_type, currency, round_ups, fees, queue(connection).n
    )


def queue(connection: Connection) -> Queue:
    """How many mappings wait, and how many are decided."""
    rows = totals.read(connection, Slice("mappings"), ("status", "kind"))
    by_status: dict[str, int] = {}
    for row in rows:
        by_status[row.status] = by_status.get(row.status, 0) + row.n
    applied = sum(row.n for row in rows if row.status == "approved" and row.kind != "admin")
    return Queue(sum(by_status.values()), by_status, applied)
