"""A directory of any size: merchants with their words and totals, and users, put straight into an empty database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from random import Random

from sqlalchemy import Connection, Table

from kamioi_web import catalogue, generate, migrations
from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.generate.store import MERCHANT_COLUMNS, USER_COLUMNS
from kamioi_web.schema import instruments, merchants, totals, users
from kamioi_web.search import vocabulary
from tests.benchmarks.stores import settings_for

BATCH = 100_000
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


def fill(url: str, merchants_wanted: int, users_wanted: int) -> None:
    """So many merchants and users, with what the totals and the vocabulary know of them."""
    database = Database(settings_for(url))
    migrations.migrate(database)
    plan = replace(generate.plan(100_000, users_wanted, 1, until=UNTIL), merchants=merchants_wanted)
    with database.writing() as connection:
        _insert(connection, users, USER_COLUMNS, generate.users(plan))
        _insert(connection, merchants, MERCHANT_COLUMNS, generate.merchants(plan))
        rows = ((one.ticker, one.company, one.exchange) for one in catalogue.instruments())
        _insert(connection, instruments, ("ticker", "company", "exchange"), rows)
        vocabulary.rebuild(connection)
        _insert(connection, totals, tuple(column.name for column in totals.c), _sums(merchants_wanted))
        for table in (users, merchants):
            dialect_of(connection).restart_ids(connection, table.name)
        dialect_of(connection).after_load(connection)
    with database.writing() as connection:
        dialect_of(connection).fold(connection)
    database.close()


def _sums(count: int) -> Iterator[tuple]:
    """Rows of the grain "merchant": a few busy ones, many quiet ones."""
    chance = Random(1)
    plain = {"grain": "merchant", "ticker": "", "bucket": 0, "category": "", "account_type": "", "kind": "",
             "currency": "USD", "round_up_cents": 0, "fee_cents": 0, "last_at": 0}  # fmt: skip
    names = [column.name for column in totals.c]
    for id in range(1, count + 1):
        for status, share in (("completed", 0.7), ("failed", 0.05)):
            n = int(chance.paretovariate(0.9) * share) + 1
            row = plain | {"subject": id, "status": status, "n": n, "amount_cents": n * 2_350}
            yield tuple(row[name] for name in names)


def _insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Iterator[tuple]) -> None:
    remaining = iter(rows)
    while some := list(islice(remaining, BATCH)):
        dialect_of(connection).bulk_insert(connection, table, columns, some)
