"""What one user has done: their totals by status, their money by month, and what they hold, by ticker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, func, literal, literal_column, select, tuple_

from kamioi_web import totals
from kamioi_web.dialects import dialect_of
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Place, window_end
from kamioi_web.queries import transactions as listing
from kamioi_web.schema import Moment, instruments, transactions
from kamioi_web.sql_types import AnyRow
from kamioi_web.totals import Slice

t = transactions.c
MOST = 20_000  # transactions that one page reads of a user: some 25 ms


@dataclass(frozen=True)
class Group:
    """Transactions of one user alike in month (from January 1970), ticker, status and currency; money in cents."""

    month: int
    ticker: str | None
    status: str
    currency: str
    n: int
    amount_cents: int
    round_up_cents: int


def sums(connection: Connection, id: int) -> Sequence[AnyRow]:
    """Rows of status, currency, n, amount, round-up and fee, exact from the totals."""
    rows = totals.read(connection, Slice("user", subjects=(id,)), ("status", "currency"))
    return [row for row in rows if row.n]


def groups(connection: Connection, id: int) -> tuple[list[Group], Cursor | None]:
    """The newest 20,000 transactions of a user in groups, and where reading stopped; None when these are all.

    They are summed here and not kept by triggers: nearly every user has fewer, and a grain for each user and month
    would be as large as the transactions themselves. Index: transactions_user.
    """
    plan = listing.plan(connection, listing.Filters(user_id=id))
    end = window_end(connection, listing.LISTING, plan, Place(), MOST)
    dialect = dialect_of(connection)
    keys = (dialect.month_of(dialect.hour_of(t.posted_at)).label("month"), t.ticker, t.status, t.currency)
    measures = [func.sum(column).cast(BigInteger) for column in (literal_column("1"), t.amount_cents, t.round_up_cents)]
    query = select(*keys, *measures).where(t.user_id == id).group_by(*keys)
    if end:
        query = query.where(t.posted_at >= end.at, tuple_(t.posted_at, t.id) >= tuple_(literal(end.at, Moment), end.id))
    hinted: Any = query.with_hint(transactions, "INDEXED BY transactions_user", "sqlite")
    return [Group(*row) for row in connection.execute(hinted)], end


def companies(connection: Connection, tickers: Sequence[str]) -> dict[str, str]:
    """{ticker: company} of the tickers that the catalogue knows."""
    query = select(instruments.c.ticker, instruments.c.company).where(instruments.c.ticker.in_(tickers))
    return dict(connection.execute(query).all())
