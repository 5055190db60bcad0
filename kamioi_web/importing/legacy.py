"""Importing a legacy Kamioi database: users, transactions, mappings and allocations, each row once or refused by name.

Whatever the dialect, what is read is decided by the columns that are there. Each batch is one transaction that also
holds the checkpoint, so an import that was killed goes on where it was, and one that was done can be run again: it
looks through the whole source and adds what is new. How values are understood stands in legacy_values and legacy_rows.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.legacy_allocations import write_allocations
from kamioi_web.importing.legacy_mappings import put_in_force, write_mappings
from kamioi_web.importing.legacy_report import LegacyProgress, LegacyReport
from kamioi_web.importing.legacy_run import KEYS, Run, begin
from kamioi_web.importing.legacy_source import COLUMNS, LegacySource, Row, count_rows, open_source, read_rows
from kamioi_web.importing.legacy_write import write_transactions, write_users
from kamioi_web.review import weights

BATCH = 5_000
IN_FORCE = "mappings in force"
Writer = Callable[[Run, Connection, list[Row]], None]
Show = Callable[[LegacyProgress], None]
WRITERS: dict[str, Writer | None] = {
    "users": write_users,
    "transactions": write_transactions,
    "llm_mappings": write_mappings,
    IN_FORCE: None,
    "round_up_allocations": write_allocations,
}
REQUIRED = {"users": ("id",), "transactions": ("id", "user_id", "amount"), "llm_mappings": ("id", "merchant_name")}
# Columns that stand for one another; one of each group is enough.
ALTERNATIVES = (
    {"ticker", "ticker_symbol"},
    {"account_type", "role"},
    {"stock_symbol", "user_id"},
    {"allocation_amount", "amount"},
    {"created_at", "allocated_at"},
    {"notes", "ai_reasoning"},
)
SILENT = {"goal_id", "is_active", "description", "ai_model_version", "processed_at", "id"}


def import_legacy(database: Database, source: str, progress: Show, rejects: Path | None = None) -> LegacyReport:
    """Import a SQLite file (plain or .gz) or a postgresql:// database; running it again adds only what is new.

    Refused rows go to `rejects`, by default legacy-rejects.csv in the working folder. KamioiError when the source
    cannot be read or is no legacy database.
    """
    with open_source(source) as legacy:
        _check(legacy)
        run = begin(database, legacy, rejects or Path("legacy-rejects.csv"))
        _warn_of_gaps(run)
        stages = list(WRITERS)
        for stage in stages[stages.index(run.stage) if run.stage else 0 :]:
            _import_stage(database, run, stage, progress)
        with database.writing() as connection:
            run.save(connection, stages[-1], run.after, state="done")
            weights.weigh_all(connection)
            totals.fold(connection)
    run.report.rejects = run.rejects.path if run.rejects.size else None
    return run.report


def _import_stage(database: Database, run: Run, stage: str, progress: Show) -> None:
    after = run.after if stage == run.stage else None
    writer = WRITERS[stage]
    if writer is None:
        _settle_mappings(database, run, after or 0)
        return
    key = KEYS[stage]
    if key not in run.source.columns(stage):
        return
    total = count_rows(run.source, stage)
    for batch in batches(read_rows(run.source, stage, key, after), key, BATCH):
        with database.writing() as connection:
            writer(run, connection, batch)
            run.save(connection, stage, batch[-1][key])
        progress(LegacyProgress(stage, run.counts(stage).read, total))


def _settle_mappings(database: Database, run: Run, after: int | None) -> None:
    while after is not None:
        with database.writing() as connection:
            after = put_in_force(connection, after)
            if after is not None:
                run.save(connection, IN_FORCE, after)


def batches(rows: Iterable[Row], key: str, size: int) -> Iterator[list[Row]]:
    """Rows in lists of at least `size`, but the last; rows of one key are never parted."""
    batch: list[Row] = []
    for row in rows:
        if len(batch) >= size and row[key] != batch[-1][key]:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _check(source: LegacySource) -> None:
    if not any(source.columns(table) for table in COLUMNS):
        raise KamioiError(
            f"{source.name} is no legacy Kamioi database: it has none of the tables {', '.join(COLUMNS)}."
        )
    for table, names in REQUIRED.items():
        columns = source.columns(table)
        missing = [name for name in names if columns and name not in columns]
        if missing:
            raise KamioiError(f"{source.name} cannot be imported: its {table} has no column {', '.join(missing)}.")


def _warn_of_gaps(run: Run) -> None:
    for table, names in COLUMNS.items():
        columns = run.source.columns(table)
        if not columns:
            run.report.warn(f"There is no table {table}, so nothing is imported of it.")
            continue
        covered = set(columns).union(*(group for group in ALTERNATIVES if group & set(columns)))
        missing = [name for name in names.split() if name not in covered | SILENT]
        if missing:
            run.report.warn(f"{table} has no column {', '.join(missing)}: the default is taken.")
    amount = run.source.columns("transactions").get("amount")
    if amount == "float4":
        run.report.warn("Amounts are four-byte floats there: beyond 131,072 dollars their cents may have been lost.")
