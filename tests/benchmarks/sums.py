"""What the totals cost where rows are written: the same work with and without their triggers, in turns."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, text

from kamioi_web import generate, loading, totals
from kamioi_web.db import Database
from tests.benchmarks.measure import ratio
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored, settings_for

TRIGGERS = ("totals_insert", "totals_update", "totals_delete")
BULK, SINGLE, UPDATED = 20_000, 500, 5_000
Work = Callable[[Connection, bool], Any]


def measure(report: Report, stored: Sequence[Stored], rounds: int) -> None:
    """Bulk inserts, single ones and updates; every round is undone, so nothing stays."""
    for one in stored:
        with closing_database(one) as database:
            report.say(f"{one.name}: writing with and without the totals' triggers")
            rows = _rows(database, one)
            work = {
                f"insert {BULK:,} in bulk": (BULK, _bulk(rows)),
                f"insert {SINGLE} one by one": (SINGLE, _single(rows)),
                f"update the status of {UPDATED:,}": (UPDATED, _update),
            }
            found = [_in_turns(database, name, count, call, rounds) for name, (count, call) in work.items()]
            if not database.dialect.row_triggers:
                found.append(_fold(database, rows, rounds))
            report.table(f"Cost of the totals, {one.name}", COLUMNS, found, NOTES)
            _clean(database)


COLUMNS = ("work", "with: ms", "us a row", "without: ms", "us a row", "ratio", "ratio of least")
NOTES = ("Medians of one transaction each, which is undone: what a commit writes to the disk is in neither side.",)


def closing_database(stored: Stored) -> Any:
    """The database, closed at the end."""
    return closing(Database(settings_for(stored.url, rows_seconds=600)))


def _rows(database: Database, stored: Stored) -> list[tuple]:
    """Rows over three years for users and merchants like those that are there, with references that are new."""
    plan = generate.plan(BULK, users=max(20, min(stored.rows // 150, 5_000)), seed=7)
    reference = loading.TRANSACTION_COLUMNS.index("source_ref")
    found = [row for rows in generate.transactions(plan) for row in rows]
    numbered = ((*row[:reference], f"bench-{number}", *row[reference + 1 :]) for number, row in enumerate(found))
    with database.writing() as connection:
        loading.add_months(connection, (row[loading.POSTED_AT] for row in found))
    return list(numbered)


def _in_turns(database: Database, name: str, count: int, work: Work, rounds: int) -> tuple[Any, ...]:
    kept: list[float] = []
    bare: list[float] = []
    for _ in range(rounds + 1):
        kept.append(_undone(database, work, True))
        bare.append(_undone(database, work, False))
    one, other = _median(kept[1:]), _median(bare[1:])
    least = ratio(min(kept[1:]), min(bare[1:]))
    return (name, one, one * 1000 / count, other, other * 1000 / count, ratio(one, other), least)


def _undone(database: Database, work: Work, with_totals: bool) -> float:
    """The ms that the work takes in a transaction that is rolled back."""
    with database.writer.connect() as connection, connection.begin() as transaction:
        if not with_totals:
            _switch_off(connection, database)
        began = time.perf_counter()
        work(connection, with_totals)
        spent = time.perf_counter() - began
        transaction.rollback()
    return spent * 1000


def _switch_off(connection: Connection, database: Database) -> None:
    for trigger in TRIGGERS:
        drop = f"DROP TRIGGER {trigger}"
        disable = f"ALTER TABLE ONLY transactions DISABLE TRIGGER {trigger}"
        connection.execute(text(drop if database.dialect.row_triggers else disable))


def _bulk(rows: list[tuple]) -> Work:
    def work(connection: Connection, with_totals: bool) -> None:
        if with_totals:
            loading.load_transactions(connection, rows, allocate=False)
        else:
            _load_bare(connection, rows)

    return work


def _load_bare(connection: Connection, rows: list[tuple]) -> None:
    """What load_transactions does, without the totals."""
    dialect = loading.dialect_of(connection)
    loading.add_months(connection, (row[loading.POSTED_AT] for row in rows))
    ids = dialect.reserve_ids(connection, loading.transactions, len(rows))
    numbered = ((id, *row) for id, row in zip(ids, rows, strict=True))
    dialect.bulk_insert(connection, loading.transactions, ("id", *loading.TRANSACTION_COLUMNS), numbered)


def _single(rows: list[tuple]) -> Work:
    names = loading.TRANSACTION_COLUMNS

    def work(connection: Connection, with_totals: bool) -> None:
        raw: Any = connection.connection.dbapi_connection
        lite = loading.dialect_of(connection).row_triggers
        mark, time_mark = ("?", "?") if lite else ("%s", "'epoch'::timestamptz + %s * interval '1 us'")
        marks = ", ".join(time_mark if name in ("posted_at", "created_at") else mark for name in names)
        statement = f"INSERT INTO transactions ({', '.join(names)}) VALUES ({marks})"
        for row in rows[:SINGLE]:
            raw.execute(statement, row)

    return work


def _update(connection: Connection, with_totals: bool) -> None:
    middle = connection.scalar(text("SELECT max(id) / 2 FROM transactions")) or 0
    change = text("UPDATE transactions SET status = 'needs_review' WHERE id BETWEEN :low AND :high")
    connection.execute(change, {"low": middle, "high": middle + UPDATED - 1})


def _fold(database: Database, rows: list[tuple], rounds: int) -> tuple[Any, ...]:
    spent = []
    for _ in range(rounds):
        with database.writer.connect() as connection, connection.begin() as transaction:
            loading.load_transactions(connection, rows, allocate=False)
            began = time.perf_counter()
            totals.fold(connection)
            spent.append((time.perf_counter() - began) * 1000)
            transaction.rollback()
    return (f"fold the tail of {BULK:,}", _median(spent), _median(spent) * 1000 / BULK, None, None, None, None)


def _median(samples: list[float]) -> float:
    return sorted(samples)[len(samples) // 2]


def _clean(database: Database) -> None:
    """Take away what the undone rows left on PostgreSQL's pages, so that later figures do not pay for it."""
    if database.dialect.row_triggers:
        return
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM transactions, totals, totals_delta"))
