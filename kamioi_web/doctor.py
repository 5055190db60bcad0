"""What a database or a set of settings lacks, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect, text

from kamioi_web import grains, migrations
from kamioi_web.db import Database
from kamioi_web.dialects.sqlite import PRAGMAS
from kamioi_web.search import vocabulary
from kamioi_web.settings import Settings

LONGEST_TAIL = 200_000
MIGRATE = "Run kamioi-web migrate."
SHORTEST_KEY = 32


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, and what to do about it."""

    what: str
    mend: str


def examine(database: Database) -> list[Finding]:
    """Everything that is missing or unsafe; an empty list when all is well."""
    findings = list(_settings(database.settings))
    with database.reading(60) as connection:
        waiting = migrations.pending(connection, database.dialect.name)
        if waiting:
            return [*findings, Finding(f"Not yet applied: {', '.join(waiting)}.", MIGRATE)]
        findings += _indexes(connection)
        if vocabulary.is_missing(connection):
            what = "The words of merchants' names are missing: misspelt ones are not put right."
            findings.append(Finding(what, MIGRATE))
        findings += _postgres(connection) if database.dialect.partitions else _sqlite(connection)
    return findings


def _settings(settings: Settings) -> Iterator[Finding]:
    if not settings.in_production:
        return
    if settings.secret_key is None or len(settings.secret_key.get_secret_value()) < SHORTEST_KEY:
        yield Finding("No safe KAMIOI_SECRET_KEY is set.", f"Set it to {SHORTEST_KEY} random characters or more.")
    if settings.database_url.startswith("sqlite"):
        yield Finding("Production runs on SQLite: one machine, one writer.", "Set KAMIOI_DATABASE_URL to PostgreSQL.")
    if settings.redis_url is None:
        yield Finding("No KAMIOI_REDIS_URL: each process keeps a cache of its own.", "Set KAMIOI_REDIS_URL.")


def _indexes(connection: Connection) -> Iterator[Finding]:
    inspector = inspect(connection)
    for name, table in migrations.index_names().items():
        if name not in {index["name"] for index in inspector.get_indexes(table)}:
            mend = f"{MIGRATE} Or run sql/database_indexes.sql alone."
            yield Finding(f"The index {name} on {table} is missing: pages that need it fail or crawl.", mend)


def _sqlite(connection: Connection) -> Iterator[Finding]:
    for name in migrations.totals_triggers():
        if not connection.scalar(text("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = :n"), {"n": name}):
            yield Finding(f"The trigger {name} is missing, so totals go wrong.", REBUILD.format(name=name))
    if connection.scalar(text("SELECT bulk FROM totals_mode")):
        yield Finding("totals_mode.bulk is set outside a bulk load.", "UPDATE totals_mode SET bulk = 0; " + RECOUNT)
    for name in ("journal_mode", "synchronous", "recursive_triggers", "foreign_keys"):
        value = str(connection.scalar(text(f"PRAGMA {name}"))).upper()
        if value not in _spellings(PRAGMAS[name]):
            yield Finding(f"PRAGMA {name} is {value}, not {PRAGMAS[name]}.", "Is the file on a disk of this machine?")


def _spellings(value: str) -> set[str]:
    return {value, {"ON": "1", "FULL": "2"}.get(value, value)}


def _postgres(connection: Connection) -> Iterator[Finding]:
    enabled = "SELECT count(*) FROM pg_trigger WHERE tgname = :n AND tgenabled <> 'D' AND NOT tgisinternal"
    wanted = "SELECT count(*) FROM pg_class WHERE relname = ANY(:tables)"
    tables = connection.scalar(text(wanted), {"tables": list(grains.TOTALLED)})
    for name in ("totals_insert", "totals_update", "totals_delete", "totals_truncate"):
        if (connection.scalar(text(enabled), {"n": name}) or 0) < tables:
            yield Finding(f"The trigger {name} is missing or disabled, so totals go wrong.", REBUILD.format(name=name))
    part = f"transactions_{datetime.now(UTC):%Y_%m}"
    if connection.scalar(text("SELECT to_regclass(:part)"), {"part": part}) is None:
        yield Finding(f"This month's partition {part} is missing.", MIGRATE + " Keep kamioi-web scheduler running.")
    if connection.scalar(text("SELECT 1 FROM transactions_default LIMIT 1")):
        yield Finding("transactions_default holds rows whose month has no partition.", STRAY)
    tail = connection.scalar(text(f"SELECT count(*) FROM (SELECT 1 FROM totals_delta LIMIT {LONGEST_TAIL}) AS t")) or 0
    if tail >= LONGEST_TAIL:
        yield Finding("Nobody folds the totals: their tail is long.", "Keep kamioi-web scheduler running.")
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if connection.scalar(text(f"SHOW {name}")) == "off":
            yield Finding(f"{name} is off: a crash can lose what was answered.", f"ALTER SYSTEM SET {name} = on.")


RECOUNT = "then kamioi-web totals check, and rebuild if it finds a difference."
REBUILD = "Restore the trigger {name} from sql/0003_totals, " + RECOUNT
STRAY = "SELECT transactions_add_month(posted_at) for them; it moves them into their partition."
