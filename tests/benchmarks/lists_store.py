"""The databases of the lists: every list at its share of a size, loaded in bulk, made once and kept in a folder."""

import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, text

from kamioi_web import catalogue, loading, migrations, schema, totals
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.search import vocabulary
from tests.benchmarks import populace as rows
from tests.benchmarks.populace import Size, State
from tests.benchmarks.postgres import Server
from tests.benchmarks.stores import Stored, make_empty, settings_for, short
from tests.benchmarks.target import connect

BATCH = 50_000
POSTED_AT = rows.TRANSACTION_COLUMNS.index("posted_at")
TABLES = ("users", "merchants", "transactions", "llm_mappings", "audit_events")
TEXT_INDEXES = (
    "merchants_text",
    "users_text",
)  # of PostgreSQL; they are built in a tenth of the time it takes to keep them
VERSION = 1  # of the rows that populace makes
ALLOCATE = """
INSERT INTO allocations (transaction_id, user_id, ticker, amount_cents, created_at)
SELECT id, user_id, ticker, round_up_cents, created_at FROM transactions
WHERE ticker IS NOT NULL AND round_up_cents > 0 ORDER BY user_id, id
"""
Say = Callable[[str], None]


def open_lists(folder: Path, kind: str, size: Size, server: Server | None, fresh: bool, say: Say) -> Stored:
    """The database of that kind and size, made now when it is not there; what the tables lack by now is added."""
    name = f"kamioi_lists_{size.mappings}"
    mark = folder / f"{kind}-lists-{size.mappings}.json"
    kept: dict[str, Any] = json.loads(mark.read_text()) if mark.exists() and not fresh else {}
    url = server.url(name) if server and kind == "postgresql" else f"sqlite:///{folder / name}.db"
    if kept.get("version") != VERSION or not _brought_up_to_date(url):
        mark.unlink(missing_ok=True)
        say(f"{kind}: making {short(size.mappings)} mappings and the other lists beside them")
        parts = fill(make_empty(folder, kind, name, server), size, say)
        kept = {"version": VERSION, "seconds": sum(parts.values()), "parts": parts}
        mark.write_text(json.dumps(kept))
    return Stored(kind, size.mappings, url, kept["seconds"], server)


def _brought_up_to_date(url: str) -> bool:
    """Whether the tables are those of sql/ now, indexes included; False when an applied file was changed since."""
    database = Database(settings_for(url))
    try:
        migrations.migrate(database)
    except KamioiError:
        return False
    finally:
        database.close()
    return True


def fill(url: str, size: Size, say: Say, over: Size | None = None) -> dict[str, float]:
    """Put every list into an empty database, or into one of a smaller size; the seconds that each part took."""
    database, state, few = Database(settings_for(url)), State(size), over.few if over else 0

    def put(table: Any, columns: tuple[str, ...], some: Iterable[tuple], there: int) -> Callable[[], None]:
        return lambda: _put(database, table, columns, islice(some, there, None))

    steps: dict[str, Callable[[], Any]] = {
        "tables": lambda: None if over else _begin(database),
        "users": put(schema.users, rows.USER_COLUMNS, rows.users(size), few),
        "mappings": put(schema.llm_mappings, rows.MAPPING_COLUMNS, rows.mappings(size, state), few * 15),
        "transactions": put(schema.transactions, rows.TRANSACTION_COLUMNS, rows.transactions(size, state), few * 10),
        "merchants": put(schema.merchants, rows.MERCHANT_COLUMNS, rows.merchants(size, state), few),
        "audit": put(schema.audit_events, rows.AUDIT_COLUMNS, rows.audit_events(size), few),
        "indexes": lambda: _index(database),
        "totals": lambda: _sum_up(database),
        "allocations": lambda: _allocate(database),
        "vocabulary": lambda: _learn(database),
        "statistics": lambda: _finish(database),
    }
    spent = {}
    for name, step in steps.items():
        began = time.perf_counter()
        step()
        spent[name] = round(time.perf_counter() - began, 1)
        say(f"   {name}: {spent[name]:,.0f} s")
    database.close()
    return spent


def _begin(database: Database) -> None:
    """The tables without their indexes, the instruments, and the admins who decide mappings."""
    migrations.migrate(database)
    made = datetime(2023, 1, 1, tzinfo=UTC)
    decider = {"password_hash": "none", "role": "reviewer", "active": True, "preferences": {}, "created_at": made}
    with database.writing() as connection:
        for table in TABLES:
            migrations.drop_indexes(connection, table)
        connection.execute(
            insert(schema.admins),
            [{"email": f"decider-{number}@example.com"} | decider for number in range(rows.ADMINS)],
        )
        some = [(one.ticker, one.company, one.exchange) for one in catalogue.instruments()]
        database.dialect.bulk_insert(connection, schema.instruments, ("ticker", "company", "exchange"), some)
        for name in _text_indexes(connection):
            connection.execute(text(f"DROP INDEX {name}"))


def _text_indexes(connection: Connection) -> tuple[str, ...]:
    return TEXT_INDEXES if connection.dialect.name == "postgresql" else ()


@contextmanager
def _without_triggers(database: Database) -> Generator[Connection]:
    """A transaction in which no trigger of the totals fires; they are summed up when all rows are there."""
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        with totals.bulk_loading(connection):
            yield connection


def _put(database: Database, table: Any, columns: tuple[str, ...], all_rows: Iterable[tuple]) -> None:
    for some in _batches(all_rows):
        with _without_triggers(database) as connection:
            if table is schema.transactions:
                loading.add_months(connection, (row[POSTED_AT] for row in some))
            database.dialect.bulk_insert(connection, table, columns, some)


def _batches(all_rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    remaining = iter(all_rows)
    while some := list(islice(remaining, BATCH)):
        yield some


def _index(database: Database) -> None:
    with database.writing() as connection:
        for name in _text_indexes(connection):
            connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
            definition = _definition(name, database.dialect.name)
            connection.execute(text(definition.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS")))
    migrations.migrate(database)


def _definition(index: str, dialect: str) -> str:
    """The statement that makes an index, as it stands in sql/."""
    scripts = "".join(path.read_text() for path in migrations.steps(dialect))
    return next(part for part in scripts.split(";") if f"CREATE INDEX {index} " in part)


def _sum_up(database: Database) -> None:
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL work_mem = '512MB'"))
        totals.refill(connection)


def _allocate(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(delete(schema.allocations))
        connection.execute(text(ALLOCATE))


def _learn(database: Database) -> None:
    with database.writing() as connection:
        vocabulary.rebuild(connection)


def _finish(database: Database) -> None:
    """Statistics, ids that go on after ours, and on SQLite a log that is empty again."""
    with database.writing() as connection:
        for table in (*TABLES, "admins"):
            database.dialect.restart_ids(connection, table)
        database.dialect.after_load(connection)
    with closing(connect(database.settings.database_url)) as bare:
        bare.execute("VACUUM ANALYZE" if database.dialect.partitions else "PRAGMA wal_checkpoint(TRUNCATE)")
