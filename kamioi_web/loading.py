"""Putting many rows in at once: exactly once each, with the totals right at the commit."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, insert, select

from kamioi_web import totals
from kamioi_web.dialects import dialect_of
from kamioi_web.review import weights
from kamioi_web.schema import allocations, from_micros, merchants, transactions
from kamioi_web.search import vocabulary

TRANSACTION_COLUMNS = (
    "user_id",
    "merchant_id",
    "posted_at",
    "amount_cents",
    "currency",
    "round_up_cents",
    "fee_cents",
    "category",
    "status",
    "ticker",
    "account_type",
    "source",
    "source_ref",
    "created_at",
)
POSTED_AT = TRANSACTION_COLUMNS.index("posted_at")
TICKER = TRANSACTION_COLUMNS.index("ticker")
MONTH_MICROS = 28 * 86_400_000_000


def load_transactions(connection: Connection, rows: Sequence[tuple], allocate: bool = True) -> int:
    """Add rows shaped as TRANSACTION_COLUMNS, times in microseconds, and return how many were new.

    A row whose (user_id, source, source_ref, posted_at) is there already is left as it is. With `allocate`,
    the round-up of a row that has a ticker goes to that ticker.
    """
    if not rows:
        return 0
    dialect = dialect_of(connection)
    add_months(connection, (row[POSTED_AT] for row in rows))
    ids = dialect.reserve_ids(connection, transactions, len(rows))
    with totals.bulk_loading(connection):
        numbered = ((id, *row) for id, row in zip(ids, rows, strict=True))
        added = dialect.bulk_insert(connection, transactions, ("id", *TRANSACTION_COLUMNS), numbered)
    ours = dialect.just_added(transactions, ids)
    totals.add_loaded(connection, rows if added == len(rows) else _added(connection, ours, ids, rows))
    if allocate and any(row[TICKER] is not None for row in rows):
        connection.execute(_allocate(ours))
    return added


def add_months(connection: Connection, moments: Iterable[int]) -> list[str]:
    """Make the partitions that these moments, in microseconds, need; return the names of the new ones."""
    spans = {moment // MONTH_MICROS for moment in moments}
    days = {from_micros(span * MONTH_MICROS) for span in spans} | {
        from_micros((span + 1) * MONTH_MICROS - 1) for span in spans
    }
    return dialect_of(connection).add_months(connection, {day.replace(day=1) for day in days})


def _added(connection: Connection, ours: ColumnElement[bool], ids: Sequence[int], rows: Sequence[tuple]) -> list[tuple]:
    """Those of the rows that were new."""
    there = set(connection.scalars(select(transactions.c.id).where(ours)))
    return [row for id, row in zip(ids, rows, strict=True) if id in there]


def _allocate(where):
    t = transactions.c
    rows = select(t.id, t.user_id, t.ticker, t.round_up_cents, t.created_at)
    rows = rows.where(where, t.ticker.is_not(None), t.round_up_cents > 0, t.status.in_(("mapped", "completed")))
    return insert(allocations).from_select(["transaction_id", "user_id", "ticker", "amount_cents", "created_at"], rows)


def find_or_add_merchants(connection: Connection, seen: dict[str, tuple[str, int, int]]) -> dict[str, tuple]:
    """{descriptor: (name, first_seen, last_seen)} to {descriptor: (id, ticker, category, mapping)}, adding the new
    ones; a mapping without a ticker says that the merchant is nobody's."""
    dialect_of(connection).lock_shared(connection, weights.MAPPING)
    known = _merchants(connection, seen)
    fresh = sorted(descriptor for descriptor in seen if descriptor not in known)  # one order: no deadlocks
    return known | _add_merchants(connection, {descriptor: seen[descriptor] for descriptor in fresh})


def _add_merchants(connection: Connection, fresh: dict[str, tuple[str, int, int]]) -> dict[str, tuple]:
    """Add merchants and the words of those that nobody else has added since they were looked for."""
    if not fresh:
        return {}
    columns = ("id", "descriptor", "name", "first_seen", "last_seen")
    ids = dialect_of(connection).reserve_ids(connection, merchants, len(fresh))
    rows = [(id, descriptor, *known) for id, (descriptor, known) in zip(ids, fresh.items(), strict=True)]
    dialect_of(connection).bulk_insert(connection, merchants, columns, rows)
    found = _merchants(connection, fresh)
    ours = set(ids)
    vocabulary.add_names(connection, (fresh[descriptor][0] for descriptor in fresh if found[descriptor][0] in ours))
    return found


def _merchants(connection: Connection, descriptors: Collection[str]) -> dict[str, tuple]:
    names = list(descriptors)
    found: dict[str, tuple] = {}
    for start in range(0, len(names), 500):
        some = merchants.c.descriptor.in_(names[start : start + 500])
        k = merchants.c
        query = select(k.descriptor, k.id, k.ticker, k.category, k.mapping_id).where(some)
        found |= {row[0]: tuple(row[1:]) for row in connection.execute(query)}
    return found
