"""What PostgreSQL does its own way."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Table,
    and_,
    create_engine,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url

from kamioi_web.schema import Moment, from_micros, merchants, users
from kamioi_web.search.words import pieces_of
from kamioi_web.settings import Settings
from kamioi_web.sql_types import AnySelect

# Constants and not parameters, so that the planner sees the expression that the index is on.
BLANK: ColumnElement[str] = literal_column("' '")
NOTHING: ColumnElement[str] = literal_column("''")


class Postgres:
    """Monthly partitions; limits are set inside each transaction, so that pgbouncer may stand between."""

    name = "postgresql"
    label = "PostgreSQL"
    scan_rows = 50_000
    partitions = True
    row_triggers = False
    lateral = True

    def engine(self, settings: Settings, read_only: bool) -> Engine:
        return create_engine(
            make_url(settings.database_url).set(drivername="postgresql+psycopg"),
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_seconds,
            pool_use_lifo=True,  # the warmest connection first: its statements are prepared, its pages are cached
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
        )

    def limit_waits(self, connection: Connection, seconds: float) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(seconds * 1000))}")

    def limit_reads(self, connection: Connection, seconds: float) -> None:
        limit = f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}; SET LOCAL lock_timeout = 2000"
        connection.exec_driver_sql(f"SET TRANSACTION READ ONLY; {limit}")

    def begin_snapshot(self, connection: Connection) -> None:
        idle = "SET LOCAL idle_in_transaction_session_timeout = '10min'"  # a slow disk may keep it waiting that long
        connection.exec_driver_sql(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {idle}")

    def later(self, seconds: float) -> ColumnElement[datetime]:
        """The database's own clock, so many seconds on: what the leases of several machines are compared by."""
        return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, float(seconds))

    def micros_of(self, moment: ColumnElement[Any]) -> ColumnElement[int]:
        return (func.extract("epoch", moment) * 1_000_000).cast(BigInteger)

    def hour_of(self, moment: ColumnElement[Any]) -> ColumnElement[int]:
        return func.floor(func.extract("epoch", moment) / 3600).cast(BigInteger)

    def day_of(self, hour: ColumnElement[Any]) -> ColumnElement[int]:
        return hour.op("/", return_type=BigInteger())(24)

    def month_of(self, hour: ColumnElement[Any]) -> ColumnElement[int]:
        at = func.timezone("UTC", func.to_timestamp(hour * 3600))
        return (func.extract("year", at) * 12 + func.extract("month", at)).cast(BigInteger) - 23641

    def merchant_ids(self, words: str) -> AnySelect:
        """The ids of the merchants whose text holds these words, three letters or more, in any order."""
        return select(merchants.c.id).where(self.holds(words, merchants.c.descriptor, merchants.c.name))

    def user_ids(self, words: str) -> AnySelect:
        """The same of users."""
        written = (users.c.name, func.coalesce(users.c.email, NOTHING), users.c.account_number)
        return select(users.c.id).where(self.holds(words, *written))

    def holds(self, words: str, *columns: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether these columns, with blanks between them, hold each of the words."""
        written = columns[0]
        for column in columns[1:]:
            written = written + BLANK + column
        return and_(*(func.lower(written).like(_inside(piece)) for piece in pieces_of(words)))

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        query = text(f"SELECT nextval('{table.name}_id_seq') FROM generate_series(1, :count)")
        return connection.scalars(query, {"count": count}).all()

    def add_months(self, connection: Connection, moments: Iterable[datetime]) -> list[str]:
        made = (connection.scalar(text("SELECT transactions_add_month(:at)"), {"at": at}) for at in sorted(moments))
        return [name for name in made if name]

    def bulk_insert(self, connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple]) -> int:
        return self._insert_incoming(connection, table, columns, rows, "DO NOTHING")

    def _insert_incoming(
        self, connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple], conflict: str
    ) -> int:
        """Copy the rows into a table of this transaction and insert them from there; how many rows that changed."""
        raw: Any = connection.connection.dbapi_connection
        names = ", ".join(columns)
        moments = {name for name in columns if isinstance(table.c[name].type, Moment)}
        types = ", ".join(
            f"{name} {'bigint' if name in moments else _postgres_type(table.c[name])}" for name in columns
        )
        values = ", ".join(f"'epoch'::timestamptz + {c} * interval '1 us'" if c in moments else c for c in columns)
        with raw.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS incoming; CREATE TEMP TABLE incoming ({types}) ON COMMIT DROP")
            with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            into = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM incoming"
            cursor.execute(f"{into} ON CONFLICT {conflict}")
            return cursor.rowcount

    def append(
        self, connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Add rows that are new for certain; moments are in microseconds."""
        raw: Any = connection.connection.dbapi_connection
        moments = [isinstance(table.c[name].type, Moment) for name in columns]
        with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([from_micros(v) if at else v for v, at in zip(row, moments, strict=True)])

    def just_added(self, table: Table, ids: Sequence[int]) -> ColumnElement[bool]:
        """The rows that bulk_insert put in; other writers' ids may lie between ours."""
        return table.c.id.in_(text("SELECT id FROM incoming"))

    def explain(self, connection: Connection, statement: str, parameters: Any) -> str:
        return "\n".join(row[0] for row in connection.exec_driver_sql("EXPLAIN " + statement, parameters))

    def run_script(self, connection: Connection, script: str) -> None:
        raw: Any = connection.connection.dbapi_connection
        raw.execute(script)

    def insert(self, table: Table) -> postgresql.Insert:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table)

    def lock(self, connection: Connection, name: str) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})

    def lock_shared(self, connection: Connection, name: str) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(hashtext(:name))"), {"name": name})

    def stop_writes(self, connection: Connection, table: str) -> None:
        connection.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))

    def fold(self, connection: Connection) -> int:
        return connection.scalar(text("SELECT totals_fold()")) or 0

    def add_sums(self, connection: Connection, table: Table, rows: Sequence[tuple]) -> None:
        """Add rows of sums to those under the same key."""
        keys = ", ".join(column.name for column in table.primary_key)
        sums = ", ".join(f"{c.name} = {table.name}.{c.name} + excluded.{c.name}" for c in table.c if not c.primary_key)
        columns = [column.name for column in table.c]
        self._insert_incoming(connection, table, columns, rows, f"({keys}) DO UPDATE SET {sums}")

    def restart_ids(self, connection: Connection, table: str) -> None:
        """Let the ids that the database gives follow those that were given here."""
        last = f"greatest((SELECT max(id) FROM {table}), (SELECT last_value FROM {table}_id_seq))"
        connection.execute(text(f"SELECT setval('{table}_id_seq', {last})"))

    def after_load(self, connection: Connection) -> None:
        connection.execute(text("ANALYZE"))


def _inside(words: str) -> ColumnElement[str]:
    """A pattern of LIKE for what holds these words, small as the database makes it; nothing in them is a wildcard."""
    escaped = words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return func.lower(f"%{escaped}%")


def _postgres_type(column: Column[Any]) -> str:
    return (
        "bigint"
        if isinstance(column.type, BigInteger)
        else "double precision"
        if isinstance(column.type, Float)
        else "text"
    )
