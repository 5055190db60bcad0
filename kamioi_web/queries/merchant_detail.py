"""What one merchant has taken: by status and by month, from the totals alone."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.sql_types import AnyRow
from kamioi_web.totals import Slice


def sums(connection: Connection, id: int) -> Sequence[AnyRow]:
    """Rows of status, currency, n, amount, round-up and fee."""
    rows = totals.read(connection, Slice("merchant", subjects=(id,)), ("status", "currency"))
    return [row for row in rows if row.n]


def months(connection: Connection, id: int, currency: str) -> dict[int, int]:
    """{month from January 1970: cents} in one currency, without a gap from the first to the last."""
    part = Slice("merchant_month", subjects=(id,), currency=(currency,))
    found = {row.bucket: row.amount_cents for row in totals.read(connection, part, ("bucket",)) if row.n}
    return {month: found.get(month, 0) for month in range(min(found), max(found) + 1)} if found else {}
