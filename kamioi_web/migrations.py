"""Bring a database up to date from sql/: numbered files in order, each once, then every index that is missing."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from kamioi_web import catalogue, totals
from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.errors import KamioiError
from kamioi_web.schema import instruments

FOLDER = (
    Path(__file__).parent / "sql" if (Path(__file__).parent / "sql").is_dir() else Path(__file__).parents[1] / "sql"
)
LEDGER = "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at text NOT NULL)"


def steps(dialect: str) -> list[Path]:
    """The migrations of one dialect in order: NNNN_name.sql for both, NNNN_name.<dialect>.sql for one."""
    files = FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql")
    return sorted(file for file in files if file.name.count(".") == 1 or file.name.endswith(f".{dialect}.sql"))


def migrate(database: Database) -> list[str]:
    """Apply what is missing and return its names. Each file is one transaction; two that migrate at once take turns.

    The newest file on totals makes them empty, so they are filled by a recount before it commits.
    """
    done = [path.name for path in steps(database.dialect.name) if _apply(database, path)]
    with database.writing() as connection:
        database.dialect.lock(connection, "migrate")
        database.dialect.run_script(connection, (FOLDER / "database_indexes.sql").read_text())
        _add_instruments(connection)
    return done


def _add_instruments(connection: Connection) -> None:
    """The listed companies that the project knows, where they are missing."""
    columns = ("ticker", "company", "exchange")
    rows = [(one.ticker, one.company, one.exchange) for one in catalogue.instruments()]
    dialect_of(connection).bulk_insert(connection, instruments, columns, rows)


def add_months_ahead(database: Database, now: datetime, months: int) -> list[str]:
    """Make the partitions of this month and the next ones, where the database has partitions."""
    numbers = [now.year * 12 + now.month - 1 + ahead for ahead in range(months + 1)]
    starts = [datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) for number in numbers]
    with database.writing() as connection:
        return database.dialect.add_months(connection, starts)


def index_names() -> dict[str, str]:
    """{index: table} of every index in sql/database_indexes.sql."""
    script = (FOLDER / "database_indexes.sql").read_text()
    return dict(re.findall(r"INDEX IF NOT EXISTS (\w+) ON (\w+)", script))


def totals_triggers() -> list[str]:
    """The triggers on SQLite that keep the totals."""
    return re.findall(r"CREATE TRIGGER (totals_\w+)", _totals_step("sqlite").read_text())


def drop_indexes(connection: Connection, table: str) -> None:
    """Drop a table's indexes before a bulk load; migrate() makes them again."""
    for name, of in index_names().items():
        if of == table:
            connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def pending(connection: Connection, dialect: str) -> list[str]:
    """The names of the migrations that this database still lacks."""
    known = _known(connection)
    return [path.name for path in steps(dialect) if path.name not in known]


def _apply(database: Database, path: Path) -> bool:
    script = path.read_text()
    digest = hashlib.sha256(script.encode()).hexdigest()
    with database.writing() as connection:
        database.dialect.lock(connection, "migrate")
        connection.execute(text(LEDGER))
        applied = connection.scalar(text("SELECT sha256 FROM migrations WHERE name = :name"), {"name": path.name})
        if applied not in (None, digest):
            raise KamioiError(
                f"{path.name} was changed after it was applied. Restore it and add a new migration instead."
            )
        if applied:
            return False
        database.dialect.run_script(connection, script)
        if path == _totals_step(database.dialect.name):
            totals.refill(connection)
        insert = text("INSERT INTO migrations VALUES (:name, :sha256, CAST(CURRENT_TIMESTAMP AS text))")
        connection.execute(insert, {"name": path.name, "sha256": digest})
        return True


def _totals_step(dialect: str) -> Path:
    """The newest file on totals, which makes them anew."""
    return [path for path in steps(dialect) if "_totals." in path.name][-1]


def _known(connection: Connection) -> set[str]:
    connection_tables = connection.dialect.get_table_names(connection)
    return set(connection.scalars(text("SELECT name FROM migrations"))) if "migrations" in connection_tables else set()
