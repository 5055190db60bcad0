"""What the search box finds: merchants, users and companies, a few of each.

Candidates are limited before they are put in order, so a search costs the same however many there are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from kamioi_web.dialects import dialect_of
from kamioi_web.queries import merchants as merchant_queries
from kamioi_web.queries import users as user_queries
from kamioi_web.queries.users import Activity
from kamioi_web.schema import instruments, merchants, totals_now, transactions, users
from kamioi_web.sql_types import AnyRow

BEGINNING = 50  # merchants that begin with the text, beside those that hold it; users and companies that hold it
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Sum:
    """Transactions of one merchant or ticker, and their money in the currency of most of them."""

    n: int = 0
    currency: str = "USD"
    amount_cents: int = 0


@dataclass(frozen=True)
class Found:
    """The best rows, whether there are more, and whether all of those were looked at."""

    rows: Sequence[AnyRow]
    more: bool
    complete: bool = True


def merchants_holding(connection: Connection, text: str, most: int, candidates: int) -> tuple[Found, dict[int, Sum]]:
    """Merchants that hold these words: the exact word first, then those that begin with it, then by transactions."""
    dialect, m = dialect_of(connection), merchants.c
    ids = set(connection.scalars(merchant_queries.ids_matching(dialect, text).limit(candidates)))
    complete = len(ids) < candidates
    if not complete:
        begin = text.upper()
        first = select(m.id).where(m.descriptor.between(begin, begin + "\U0010ffff"))
        ids.update(connection.scalars(first.limit(BEGINNING)))
    rows = connection.execute(select(m.id, m.descriptor, m.name, m.ticker).where(m.id.in_(ids))).fetchall()
    sums = sums_of(connection, "merchant", "subject", ids)
    ranked = sorted(rows, key=lambda row: (rank(text, row.name, row.descriptor), -sums.get(row.id, Sum()).n, row.id))
    return Found(ranked[:most], len(ranked) > most, complete), sums


def users_holding(connection: Connection, text: str, most: int) -> tuple[Found, Mapping[int, Activity]]:
    """Users with that number, or whose name, e-mail or account number holds these words, and what each has done."""
    ids = user_queries.first_matching(connection, text, BEGINNING)
    u = users.c
    query = select(u.id, u.account_number, u.email, u.name, u.account_type).where(u.id.in_(ids))
    rows = connection.execute(query).fetchall()
    ranked = sorted(rows, key=lambda row: (rank(text, row.name, row.email or "", row.account_number), row.id))
    return Found(ranked[:most], len(ranked) > most), user_queries.beside(connection, ranked[:most])


def companies_holding(connection: Connection, text: str, most: int) -> tuple[Found, dict[str, Sum]]:
    """Companies with that ticker or whose name holds the text, with the transactions of the ticker."""
    i = instruments.c
    named = func.lower(i.company).contains(text.lower(), autoescape=True)
    holds = or_(i.ticker.startswith(text.upper(), autoescape=True), named)
    rows = connection.execute(select(i.ticker, i.company).where(holds).limit(BEGINNING)).fetchall()
    sums = sums_of(connection, "ticker", "ticker", {row.ticker for row in rows})
    ranked = sorted(
        rows, key=lambda row: (rank(text, row.ticker, row.company), -sums.get(row.ticker, Sum()).n, row.ticker)
    )
    return Found(ranked[:most], len(ranked) > most), sums


def has_transaction(connection: Connection, id: int) -> bool:
    """Whether there is a transaction with that id."""
    return id <= LARGEST_ID and connection.scalar(select(transactions.c.id).where(transactions.c.id == id)) is not None


def sums_of(connection: Connection, grain: str, key: str, wanted: set) -> dict:
    """{subject or ticker: Sum}, from the totals in one statement."""
    if not wanted:
        return {}
    c = totals_now.c
    sums = [func.sum(c[name]).cast(c.n.type) for name in ("n", "amount_cents")]
    query = select(c[key], c.currency, *sums).where(c.grain == grain, c[key].in_(wanted))
    query = query.where(c.subject == 0) if key == "ticker" else query.where(c.ticker == "")
    counts: dict = {}
    best: dict = {}
    for name, currency, n, cents in map(tuple, connection.execute(query.group_by(c[key], c.currency))):
        counts[name] = counts.get(name, 0) + n
        best[name] = max(best.get(name, (0, "", 0)), (n, currency, cents))
    return {name: Sum(counts[name], best[name][1], best[name][2]) for name in counts if counts[name]}


def rank(text: str, name: str, *others: str) -> int:
    """0 where the text is a word of the name, 1 where a word begins with it, 2 where one of the others has such a word,
    3 where it stands inside of words or in parts."""
    begins = rf"(?<!\w){re.escape(text.casefold())}"
    if re.search(begins, name.casefold()):
        return 0 if re.search(rf"{begins}(?!\w)", name.casefold()) else 1
    return 2 if any(re.search(begins, other.casefold()) for other in others) else 3
