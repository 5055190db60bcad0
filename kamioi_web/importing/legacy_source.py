"""Reading a legacy Kamioi database, of either dialect, without ever writing to it.

A SQLite file is opened with mode=ro; it is best a copy, or the legacy application stopped, because a long read of a
live file makes its writers wait. PostgreSQL is read in one read-only transaction, so that all tables are seen at the
same moment. Rows come in the order of one key, from a place on, so that an import can stop and resume anywhere.
"""

import gzip
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import make_url

from kamioi_web.errors import KamioiError

# What is read of each table, in the words of every dialect; passwords and tax numbers stay where they are.
COLUMNS = {
    "users": "id email name account_type role account_number city state created_at round_up_amount is_active",
    "transactions": "id user_id date merchant description amount category round_up fee total_debit ticker status "
    "transaction_type created_at",
    "llm_mappings": "id transaction_id merchant_name ticker ticker_symbol category confidence status admin_approved "
    "company_name user_id notes ai_reasoning ai_model_version processed_at created_at",
    "round_up_allocations": "id transaction_id stock_symbol allocation_amount user_id goal_id amount created_at "
    "allocated_at",
}
FETCH = 2_000
INTEGERS = ("int2", "int4", "int8")
TIMES = ("timestamp", "timestamptz", "date", "time")

Row = dict[str, Any]


class LegacySource(Protocol):
    """A legacy database that is open for reading."""

    name: str

    def columns(self, table: str) -> dict[str, str]:
        """The columns to read of a table and their types, empty when there is no such table."""
        ...

    def query(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple]:
        """Rows of a statement whose values stand as {}."""
        ...


class SqliteSource:
    """A SQLite file, which may be compressed with gzip."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self._connection.text_factory = _text
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def columns(self, table: str) -> dict[str, str]:
        found = self._connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        return _wanted(table, {row[1].lower(): row[2].lower() for row in found})

    def query(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple]:
        try:
            cursor = self._connection.execute(sql.replace("{}", "?"), values)
            while rows := cursor.fetchmany(FETCH):
                yield from rows
        except sqlite3.Error as error:
            raise KamioiError(f"{self.name} cannot be read: {error}") from error

    def close(self) -> None:
        self._connection.close()


class PostgresSource:
    """A PostgreSQL database, read in one transaction through cursors that the server keeps."""

    def __init__(self, url: str) -> None:
        self.name = make_url(url).render_as_string(hide_password=True)
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, connect_timeout=10, options="-c timezone=UTC -c datestyle=ISO")
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._cursors = 0

    def columns(self, table: str) -> dict[str, str]:
        found = self._connection.execute(
            "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid "
            "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            (table,),
        ).fetchall()
        return _wanted(table, {str(name): str(kind) for name, kind in found})

    def query(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple]:
        self._cursors += 1
        try:
            with self._connection.cursor(f"legacy_{self._cursors}") as cursor:
                cursor.itersize = FETCH
                cursor.execute(sql.replace("{}", "%s").encode(), values)
                yield from cursor
        except psycopg.Error as error:
            raise KamioiError(f"{self.name} cannot be read: {error}") from error

    def close(self) -> None:
        self._connection.close()


@contextmanager
def open_source(source: str) -> Generator[LegacySource]:
    """A legacy database from a path (SQLite, plain or .gz) or a postgresql:// URL, closed at the end."""
    with tempfile.TemporaryDirectory(prefix="kamioi-legacy-") as folder:
        opened = _open(source, Path(folder))
        try:
            yield opened
        finally:
            opened.close()


def read_rows(source: LegacySource, table: str, key: str, after: Any) -> Iterator[Row]:
    """Every row whose key lies after a place, in its order; from the start, first those that have no key."""
    columns = source.columns(table)
    names = ", ".join(_read_as(name, kind) for name, kind in columns.items())
    order = key if key == "id" or "id" not in columns else f"{key}, id"
    if after is None:
        where, values = f"{key} IS NULL", ()
        yield from _as_rows(columns, source.query(f"SELECT {names} FROM {table} WHERE {where}", values))
        where = f"{key} IS NOT NULL"
    else:
        where, values = f"{key} > {{}}", (after,)
    yield from _as_rows(columns, source.query(f"SELECT {names} FROM {table} WHERE {where} ORDER BY {order}", values))


def find_rows(source: LegacySource, table: str, ids: Sequence[str]) -> Iterator[Row]:
    """The rows of these ids, given as text."""
    columns = source.columns(table)
    if not columns:
        return
    numeric = columns["id"] in INTEGERS or "int" in columns["id"]
    wanted = [int(id) for id in ids if id.isdecimal()] if numeric else list(ids)
    names = ", ".join(_read_as(name, kind) for name, kind in columns.items())
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        places = ", ".join("{}" for _ in some)
        yield from _as_rows(columns, source.query(f"SELECT {names} FROM {table} WHERE id IN ({places})", some))


def count_rows(source: LegacySource, table: str) -> int:
    """How many rows a table has."""
    return next(source.query(f"SELECT count(*) FROM {table}"))[0]


def greatest_id(source: LegacySource, table: str) -> int:
    """The greatest id of a table, 0 when its ids are no numbers."""
    greatest = next(source.query(f"SELECT max(id) FROM {table}"))[0]
    return greatest if isinstance(greatest, int) else 0


def _open(source: str, folder: Path) -> SqliteSource | PostgresSource:
    try:
        if source.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            return PostgresSource(source.replace("postgres://", "postgresql://", 1))
        path = Path(source)
        return SqliteSource(_unpack(path, folder) if path.suffix == ".gz" else path, path.name)
    except (OSError, EOFError, zlib.error, sqlite3.Error, psycopg.Error) as error:
        raise KamioiError(f"The legacy database cannot be opened: {error}") from error


def _unpack(path: Path, folder: Path) -> Path:
    plain = folder / path.stem
    with gzip.open(path) as packed, plain.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
    return plain


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _wanted(table: str, found: dict[str, str]) -> dict[str, str]:
    return {name: found[name] for name in COLUMNS[table].split() if name in found}


def _read_as(name: str, kind: str) -> str:
    return f"CAST({name} AS text)" if kind in TIMES else name  # as it was written, and whatever the year


def _as_rows(columns: dict[str, str], rows: Iterator[tuple]) -> Iterator[Row]:
    names = list(columns)
    return (dict(zip(names, row, strict=True)) for row in rows)
