"""Figures of the whole platform that the old clients ask for, from the totals."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.figures import Sums
from kamioi_web.periods import day_number, day_of, first_of, month_number
from kamioi_web.totals import Slice

MONTHS = 6


class Users(NamedTuple):
    """Users of each kind."""

    n: int
    active: int
    by_type: dict[str, int]


class Platform(NamedTuple):
    """All transactions; amounts in cents of the currency of most of them. `joined`: months from January 1970 on, each
    with the users who joined in it, the last MONTHS of them."""

    n: int
    currency: str
    round_up_cents: int
    invested_cents: int
    fee_cents: int
    joined: tuple[tuple[int, int], ...]


class Queue(NamedTuple):
    """Mappings of each status; `applied` are the approved ones that no admin made."""

    n: int
    by_status: dict[str, int]
    applied: int


def users(connection: Connection) -> Users:
    """Who there is."""
    found = totals.values_of(connection, Slice("users"), ("status", "account_type"))
    by_type = dict(found["account_type"])
    return Users(sum(by_type.values()), dict(found["status"]).get("active", 0), by_type)


def platform(connection: Connection, now: datetime) -> Platform:
    """What all transactions come to, and how many users joined lately."""
    rows = totals.read(connection, Slice("ever"), ("status", "currency"))
    sums = Sums([tuple(row) for row in rows if row.n])
    month = month_number(now.date())
    days = (day_number(first_of(month - MONTHS + 1)), day_number(now.date()))
    joined = dict.fromkeys(range(month - MONTHS + 1, month + 1), 0)
    for row in totals.read(connection, Slice("users_day", buckets=days), ("bucket",)):
        joined[month_number(day_of(row.bucket))] += row.n
    money = (
        sums.add(4, None, sums.currency),
        sums.add(4, "completed", sums.currency),
        sums.add(5, None, sums.currency),
    )
    return Platform(sums.n, sums.currency, *money, tuple(joined.items()))


def queue(connection: Connection) -> Queue:
    """How many mappings wait, and how many are decided."""
    rows = totals.read(connection, Slice("mappings"), ("status", "kind"))
    by_status: dict[str, int] = {}
    for row in rows:
        by_status[row.status] = by_status.get(row.status, 0) + row.n
    applied = sum(row.n for row in rows if row.status == "approved" and row.kind != "admin")
    return Queue(sum(by_status.values()), by_status, applied)
