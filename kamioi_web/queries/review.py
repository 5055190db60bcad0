"""What the review page shows beside a proposal: what waits for it, examples, and how the day goes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, literal_column, select

from kamioi_web import totals
from kamioi_web.jobs.applying import OPEN
from kamioi_web.paging.keyset import Place, fetch
from kamioi_web.queries import transactions
from kamioi_web.review.tables import decisions
from kamioi_web.schema import instruments, llm_mappings
from kamioi_web.sql_types import AnyRow
from kamioi_web.totals import Slice

EXAMPLES = 4
PACE_MINUTES = 10
PACE_MOST = 500
m, d = llm_mappings.c, decisions.c


def open_sums(connection: Connection, merchant_id: int) -> Sequence[AnyRow]:
    """What a decision about this merchant may change: rows of currency, n, amount, round-up and fee, the most first."""
    part = Slice("merchant", subjects=(merchant_id,), status=OPEN)
    rows = totals.read(connection, part, ("currency",))
    return sorted((row for row in rows if row.n), key=lambda row: (-row.n, row.currency))


def examples(connection: Connection, merchant_id: int) -> Sequence[AnyRow]:
    """The newest transactions of a merchant. Index: transactions_merchant."""
    filters = transactions.resolve(connection, {"merchant_id": merchant_id})
    plan = transactions.plan(connection, filters)
    return fetch(connection, transactions.LISTING, plan, Place(), EXAMPLES)


def waiting(connection: Connection) -> int:
    """How many proposals wait, from the totals."""
    return sum(row.n for row in totals.read(connection, Slice("mappings", status=("pending",)), ("status",), ("n",)))


def oldest(connection: Connection) -> datetime | None:
    """When the proposal was made that waits the longest. Index: llm_mappings_status."""
    rare = (m.status == "pending", m.status != literal_column("'approved'"))
    return connection.scalar(select(m.created_at).where(*rare).order_by(m.created_at, m.id).limit(1))


def money_waiting(connection: Connection) -> Sequence[AnyRow]:
    """The transactions that wait for their merchant: rows of currency, n and the sums, the most first."""
    part = Slice("ever", status=("pending", "needs_review"))
    rows = totals.read(connection, part, ("currency",))
    return sorted((row for row in rows if row.n), key=lambda row: (-row.n, row.currency))


def pace(connection: Connection, admin_id: int) -> float:
    """Decisions a minute of one admin in the last ten minutes. Index: decisions_admin."""
    newest = (
        select(d.at)
        .where(d.admin_id == admin_id, d.order_job.is_(None), d.undone_at.is_(None))
        .order_by(d.id.desc())
        .limit(PACE_MOST)
    )
    since = datetime.now(UTC) - timedelta(minutes=PACE_MINUTES)
    times = [at for at in connection.scalars(newest) if at >= since]
    if len(times) < 2:
        return 0.0
    spent = max((times[0] - times[-1]).total_seconds(), 1) / 60
    return (len(times) - 1) / max(spent, 1 / 6)


def company_of(connection: Connection, ticker: str) -> str | None:
    """The company of a ticker of the catalogue; None when it has none such."""
    return connection.scalar(select(instruments.c.company).where(instruments.c.ticker == ticker))


def companies_of(connection: Connection, tickers: Sequence[str]) -> dict[str, str]:
    """{ticker: company} of those that the catalogue has."""
    query = select(instruments.c.ticker, instruments.c.company).where(instruments.c.ticker.in_(sorted(set(tickers))))
    return {row.ticker: row.company for row in connection.execute(query)}
