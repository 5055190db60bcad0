"""What SQLite does its own way."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    create_engine,
    event,
    func,
    literal_column,
    select,
    table,
    text,
    type_coerce,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from kamioi_web.errors import KamioiError
from kamioi_web.schema import Moment
from kamioi_web.search.words import pieces_of
from kamioi_web.settings import Settings
from kamioi_web.sql_types import AnySelect

PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # money: a commit that was answered survives a power cut
    "foreign_keys": "ON",
    "recursive_triggers": "ON",  # else INSERT OR REPLACE would bypass the totals
    "cache_size": "-65536",
    "mmap_size": str(8 << 30),
    "temp_store": "MEMORY",
}

# A constant and not a parameter, so that the planner sees it; no searched words hold it.
LINE_END: ColumnElement[str] = literal_column("char(10)")


def prepare(connection: sqlite3.Connection) -> None:
    """Set up a connection to SQLite as the dashboard needs each of them."""
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}")
    connection.create_function("fold", 1, _fold, deterministic=True)


class HintingCompiler(SQLiteCompiler):
    """SQLAlchemy's compiler for SQLite, which by itself leaves out table hints such as INDEXED BY."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


class Sqlite:
    """One file, one writer, and readers that never wait for it."""

    name = "sqlite"
    label = "SQLite"
    scan_rows = 10_000  # index entries that take a bounded scan about 50 ms
    partitions = False
    row_triggers = True  # a bulk load adds its sums set by set instead
    lateral = False

    def engine(self, settings: Settings, read_only: bool) -> Engine:
        engine = create_engine(
            settings.database_url,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_seconds,
            pool_use_lifo=True,  # the warmest connection first: its statements are prepared, its pages are cached
            connect_args={"timeout": settings.lock_seconds, "isolation_level": None, "check_same_thread": False},
        )

        engine.dialect.statement_compiler = HintingCompiler

        @event.listens_for(engine, "connect")
        def connected(connection: sqlite3.Connection, _: object) -> None:
            prepare(connection)
            connection.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")

        if not read_only:  # a deferred transaction that turns into a writer is refused at once, whatever the timeout
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def limit_reads(self, connection: Connection, seconds: float) -> None:
        raw: Any = connection.connection.dbapi_connection
        deadline = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)

    def begin_snapshot(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")  # it begins with the first page that is read

    def later(self, seconds: float) -> ColumnElement[datetime]:
        """The database's own clock, so many seconds on: what the leases of several processes are compared by."""
        now = (func.julianday("now") - 2440587.5) * 86_400_000_000
        return type_coerce(now.cast(BigInteger) + int(seconds * 1_000_000), Moment)

    def micros_of(self, moment: ColumnElement[Any]) -> ColumnElement[int]:
        return type_coerce(moment, BigInteger)

    def limit_waits(self, connection: Connection, seconds: float) -> None:
        """Each connection of its pool waits for no longer than the settings say."""

    def hour_of(self, moment: ColumnElement[Any]) -> ColumnElement[int]:
        return type_coerce(moment, BigInteger).op("/", return_type=BigInteger())(3_600_000_000)

    def day_of(self, hour: ColumnElement[Any]) -> ColumnElement[int]:
        return hour.op("/", return_type=BigInteger())(24)

    def month_of(self, hour: ColumnElement[Any]) -> ColumnElement[int]:
        year, month = (func.strftime(part, hour * 3600, "unixepoch").cast(BigInteger) for part in ("%Y", "%m"))
        return (year - 1970) * 12 + month - 1

    def merchant_ids(self, words: str) -> AnySelect:
        """The ids of the merchants whose text holds these words, three letters or more, in any order."""
        return self._ids("merchants_text", words)

    def user_ids(self, words: str) -> AnySelect:
        """The same of users."""
        return self._ids("users_text", words)

    def _ids(self, index: str, words: str) -> AnySelect:
        """Read from the text index alone, so that a limit stops it: inside an IN (...) it would be read to its end."""
        phrases = ('"' + piece.replace('"', '""') + '"' for piece in pieces_of(words))
        holding = text(f"{index} MATCH :{index}").bindparams(**{index: " AND ".join(phrases)})
        rowid = literal_column("rowid", BigInteger)
        return select(rowid.label("id")).select_from(table(index)).where(holding)

    def holds(self, words: str, *columns: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether one of these columns holds each of the words: of a row at hand, for no index serves it."""
        written = columns[0]
        for column in columns[1:]:
            written = written + LINE_END + column
        return and_(*(func.instr(func.fold(written), _fold(piece)) > 0 for piece in pieces_of(words)))

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        first = (connection.scalar(text(f"SELECT max(id) FROM {table.name}")) or 0) + 1
        return range(first, first + count)

    def add_months(self, connection: Connection, moments: Iterable[datetime]) -> list[str]:
        return []  # one table holds every month

    def bulk_insert(self, connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple]) -> int:
        raw: Any = connection.connection.dbapi_connection
        into = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        return raw.executemany(f"{into} ON CONFLICT DO NOTHING", rows).rowcount

    def append(
        self, connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Add rows that are new for certain; moments are in microseconds."""
        raw: Any = connection.connection.dbapi_connection
        raw.executemany(
            f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows
        )

    def just_added(self, table: Table, ids: Sequence[int]) -> ColumnElement[bool]:
        """The rows that bulk_insert put in; nobody else writes meanwhile."""
        return table.c.id.between(ids[0], ids[-1])

    def explain(self, connection: Connection, statement: str, parameters: Any) -> str:
        rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
        return "\n".join(row[3] for row in rows)

    def run_script(self, connection: Connection, script: str) -> None:
        """Run a file of statements inside the open transaction."""
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.exec_driver_sql(statement)
                statement = ""
        if statement.strip() and not all(line.startswith("--") for line in statement.strip().splitlines()):
            raise KamioiError(f"The script ends inside a statement: {statement.strip()[:80]}")

    def insert(self, table: Table) -> sqlite.Insert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table)

    def lock(self, connection: Connection, name: str) -> None:
        """A write transaction is alone here already."""

    def lock_shared(self, connection: Connection, name: str) -> None:
        """A write transaction is alone here already."""

    def stop_writes(self, connection: Connection, table: str) -> None:
        """A write transaction is alone here already."""

    def fold(self, connection: Connection) -> int:
        return 0  # the triggers add to the totals directly

    def add_sums(self, connection: Connection, table: Table, rows: Sequence[tuple]) -> None:
        """Add rows of sums to those under the same key."""
        keys = ", ".join(column.name for column in table.primary_key)
        sums = ", ".join(
            f"{name} = max({name}, excluded.{name})" if name == "last_at" else f"{name} = {name} + excluded.{name}"
            for name in (column.name for column in table.c if not column.primary_key)
        )
        into = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.c))})"
        raw: Any = connection.connection.dbapi_connection
        raw.executemany(f"{into} ON CONFLICT ({keys}) DO UPDATE SET {sums}", rows)

    def restart_ids(self, connection: Connection, table: str) -> None:
        """The next id is one more than the largest here already."""

    def after_load(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA optimize")


def _fold(text: str | None) -> str | None:
    """Small letters of every alphabet, as SQLite's text index compares them; its own lower() knows A to Z."""
    return text.lower() if text else text
