"""One transaction: itself and its shares."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from kamioi_web.errors import NotFound
from kamioi_web.paging.cursor import MAX_ID
from kamioi_web.schema import allocations, instruments, merchants, transactions, users
from kamioi_web.sql_types import AnyRow


def find(connection: Connection, id: int, posted_at: datetime | None = None) -> AnyRow:
    """A transaction with its merchant, user and company. With its time the look-up touches one partition.

    A wrong time (the row was moved) falls back to the id alone; NotFound when there is no such transaction.
    """
    if id > MAX_ID:
        raise NotFound(f"There is no transaction {str(id)[:40]}.")
    t = transactions.c
    joined = (
        transactions.outerjoin(merchants, merchants.c.id == t.merchant_id)
        .outerjoin(users, users.c.id == t.user_id)
        .outerjoin(instruments, instruments.c.ticker == t.ticker)
    )
    query = select(
        transactions,
        merchants.c.name.label("merchant"),
        merchants.c.descriptor,
        users.c.account_number,
        users.c.name.label("user_name"),
        users.c.email.label("user_email"),
        instruments.c.company,
    ).select_from(joined)
    found = connection.execute(query.where(t.id == id, t.posted_at == posted_at)).first() if posted_at else None
    found = found or connection.execute(query.where(t.id == id)).first()
    if found is None:
        raise NotFound(f"There is no transaction {id}.")
    return found


def shares(connection: Connection, user_id: int, id: int) -> Sequence[AnyRow]:
    """Where the round-up of a transaction went: ticker and cents, the largest first."""
    a = allocations.c
    query = select(a.ticker, a.amount_cents).where(a.user_id == user_id, a.transaction_id == id)
    return connection.execute(query.order_by(a.amount_cents.desc(), a.ticker).limit(500)).fetchall()
