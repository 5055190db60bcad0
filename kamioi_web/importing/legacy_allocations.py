"""Writing the shares of round-ups of a legacy database, all those of one transaction together.

They come ordered by transaction. What they are shares of is found again through the legacy transaction itself, which
gives the four values that name one transaction here.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import CTE, Column, Connection, and_, column, select, values

from kamioi_web.dialects import dialect_of
from kamioi_web.importing import legacy_rows
from kamioi_web.importing.legacy_rows import Normal
from kamioi_web.importing.legacy_run import Run, find_users
from kamioi_web.importing.legacy_source import Row, find_rows
from kamioi_web.importing.legacy_values import Unusable, line_of
from kamioi_web.schema import allocations, from_micros, to_micros, transactions

TABLE = "round_up_allocations"
COLUMNS = ("transaction_id", "user_id", "ticker", "amount_cents", "created_at")
REFERENCE = ("user_id", "source", "source_ref", "posted_at")
KEYS_AT_ONCE = 1_000
NAMED = 20  # transactions that a warning names


class Target(NamedTuple):
    """The transaction here that a share belongs to; `moment` is when it was created, in microseconds."""

    id: int
    user_id: int
    ticker: str | None
    round_up_cents: int
    moment: int


def write_allocations(run: Run, connection: Connection, rows: list[Row]) -> None:
    """Add the shares of the transactions that have none yet; equal tickers of one transaction become one share."""
    shares = run.normalise(TABLE, rows, legacy_rows.allocation)
    targets = _find(run, connection, sorted({share.values["ref"] for share in shares}))
    settled = _settled(connection, list(targets.values()))
    fresh: dict[Target, dict[str, list[Normal]]] = defaultdict(lambda: defaultdict(list))
    for share in shares:
        target = targets.get(share.values["ref"])
        ticker = share.values["ticker"] or (target.ticker if target else None)
        if target is None:
            run.reject(TABLE, share.row, "its transaction was not imported")
        elif ticker is None:
            run.reject(TABLE, share.row, "neither it nor its transaction has a ticker")
        elif target.id not in settled:
            fresh[target][ticker].append(share)
        elif ticker in settled[target.id]:
            run.counts(TABLE).known += 1
            run.counts(TABLE).cents["amount"] += share.values["amount_cents"]
        else:
            run.reject(TABLE, share.row, "the round-up of its transaction is allocated already")
    _add(run, connection, fresh)


def _add(run: Run, connection: Connection, fresh: dict[Target, dict[str, list[Normal]]]) -> None:
    counts = run.counts(TABLE)
    rows = []
    for target, tickers in fresh.items():
        for ticker, shares in tickers.items():
            cents = sum(share.values["amount_cents"] for share in shares)
            at = shares[0].values["created_at"]
            rows.append((target.id, target.user_id, ticker, cents, target.moment if at is None else at))
            counts.added += len(shares)
            counts.cents["amount"] += cents
            if len(shares) > 1:
                counts.note([f"shares of one ticker and transaction added up: {len(shares)} -> 1"])
    dialect_of(connection).bulk_insert(connection, allocations, COLUMNS, rows)
    _compare(run, {target.id: target for target in fresh}, rows)


def _compare(run: Run, targets: dict[int, Target], rows: Sequence[tuple]) -> None:
    sums: Counter[int] = Counter()
    for id, _, _, cents, _ in rows:
        sums[id] += cents
    differing = run.counts(TABLE).changes
    for id, cents in sums.items():
        if cents != targets[id].round_up_cents:
            differing["transactions whose shares do not add up to the round-up"] += 1
            if sum("add up to" in warning for warning in run.report.warnings) < NAMED:
                expected = targets[id].round_up_cents
                run.report.warn(f"Transaction {id}: its shares add up to {cents} cents, its round-up is {expected}.")


def _find(run: Run, connection: Connection, refs: list[str]) -> dict[str, Target]:
    legacy = []
    for row in find_rows(run.source, "transactions", [ref.removeprefix("legacy:") for ref in refs]):
        try:
            legacy.append(legacy_rows.transaction(row))
        except Unusable:
            continue  # refused when the transactions were read
    owners = find_users(run, connection, {line_of(normal.values["user_id"]) for normal in legacy})
    keys = []
    for normal in legacy:
        owner = owners.get(line_of(normal.values["user_id"]))
        if owner:
            posted_at = from_micros(normal.values["posted_at"])
            keys.append((owner[0], normal.values["source"], normal.ref, posted_at))
    return _targets(connection, keys)


def _targets(connection: Connection, keys: list[tuple]) -> dict[str, Target]:
    t = transactions.c
    keys = sorted(keys, key=lambda key: key[-1])  # so that one statement needs few of the monthly partitions
    found = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        wanted = _keys([t[name] for name in REFERENCE], some)
        same = and_(*(t[name] == wanted.c[name] for name in REFERENCE), t.posted_at.between(some[0][-1], some[-1][-1]))
        query = select(t.source_ref, t.id, t.user_id, t.ticker, t.round_up_cents, t.created_at)
        for ref, *rest, created_at in connection.execute(query.join_from(wanted, transactions, same)):
            found[ref] = Target(*rest, to_micros(created_at))
    return found


def _settled(connection: Connection, targets: list[Target]) -> dict[int, set[str]]:
    a = allocations.c
    found: dict[int, set[str]] = defaultdict(set)
    for start in range(0, len(targets), KEYS_AT_ONCE):
        pairs = [(target.user_id, target.id) for target in targets[start : start + KEYS_AT_ONCE]]
        wanted = _keys([a.user_id, a.transaction_id], pairs)
        same = and_(a.user_id == wanted.c.user_id, a.transaction_id == wanted.c.transaction_id)
        for id, ticker in connection.execute(select(a.transaction_id, a.ticker).join_from(wanted, allocations, same)):
            found[id].add(ticker)
    return found


def _keys(columns: list[Column[Any]], rows: list[tuple]) -> CTE:
    return values(*(column(c.name, c.type) for c in columns), name="wanted").data(rows).cte("wanted")
