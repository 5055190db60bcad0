"""One import of a legacy database under way: where it is, what it counted, and whom its users became."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.importing.legacy_report import Counts, LegacyReport, Rejects, as_json
from kamioi_web.importing.legacy_rows import Normal
from kamioi_web.importing.legacy_source import LegacySource, Row, read_rows
from kamioi_web.importing.legacy_values import Unusable
from kamioi_web.schema import imports, raw_values, to_micros, users

KEYS = {"users": "id", "transactions": "id", "llm_mappings": "id", "round_up_allocations": "transaction_id"}
# What tells one legacy database from another, and stays when it grows or is copied elsewhere.
IDENTITY = {
    "users": ("id", "email", "created_at"),
    "transactions": ("id", "user_id", "date", "created_at", "amount"),
    "llm_mappings": ("id", "merchant_name", "created_at"),
}
RAW_COLUMNS = ("subject", "subject_id", "import_id", "line", "fields")


@dataclass
class Run:
    """The state of an import; everything that must survive a kill is in its row of imports."""

    source: LegacySource
    import_id: int
    started: int  # microseconds
    rejects: Rejects
    report: LegacyReport
    stage: str | None = None  # the table that the checkpoint stands in, None at the start
    after: Any = None  # the last key of it that was done
    moved: dict[int, int] = field(default_factory=dict)  # legacy users whose id here is another

    def counts(self, table: str) -> Counts:
        """The counts of one table."""
        return self.report.tables.setdefault(table, Counts())

    def normalise(self, table: str, rows: Iterable[Row], into: Callable[[Row], Normal]) -> list[Normal]:
        """The rows in the words of this database; those that cannot be are rejected."""
        kept = []
        for row in rows:
            self.counts(table).read += 1
            try:
                kept.append(into(row))
            except Unusable as reason:
                self.reject(table, row, str(reason))
        for normal in kept:
            self.counts(table).note(normal.changes)
        return kept

    def reject(self, table: str, row: Row, reason: str) -> None:
        """Refuse a row, saying why."""
        self.counts(table).rejected += 1
        self.rejects.add(table, row.get("id"), reason, row)

    def keep_raw(self, connection: Connection, subject: str, found: Iterable[tuple[int, Normal]]) -> None:
        """Store the raw values of rows, each given with its id here."""
        rows = [(subject, id, self.import_id, normal.line, as_json(normal.raw)) for id, normal in found]
        dialect_of(connection).bulk_insert(connection, raw_values, RAW_COLUMNS, rows)

    def save(self, connection: Connection, stage: str, after: Any, state: str = "running") -> None:
        """Write the checkpoint, in the transaction that holds the rows it speaks of."""
        self.stage, self.after = stage, after
        place = {"stage": stage, "after": after, "rejects": self.rejects.flush(), **self.report.to_state()}
        changes: dict[str, Any] = {f"rows_{name}": self.report.total(name) for name in ("added", "known", "rejected")}
        changes |= {"checkpoint": json.dumps(place, default=str), "state": state}
        changes["finished_at"] = datetime.now(UTC) if state == "done" else None
        connection.execute(update(imports).where(imports.c.id == self.import_id).values(**changes))


def begin(database: Database, source: LegacySource, rejects: Path) -> Run:
    """A new run, the rest of one that was cut short, or, of one that was done, a whole new look at its source."""
    now = datetime.now(UTC)
    fingerprint = _fingerprint(source)
    with database.writing() as connection:
        found = connection.execute(
            select(imports).where(imports.c.kind == "legacy", imports.c.fingerprint == fingerprint)
        ).first()
        place = json.loads(found.checkpoint) if found and found.state == "running" else {}
        id = found.id if found else _add_import(connection, source, fingerprint, now)
        moved = _moved(connection, id)
    report = LegacyReport(import_id=id, resumed=bool(place.get("stage")))
    report.from_state(place)
    kept = Rejects(rejects, place.get("rejects", 0))
    if kept.size < place.get("rejects", 0):
        report.warn(f"{rejects} does not hold the rows that were refused before the import was interrupted.")
    return Run(source, id, to_micros(now), kept, report, place.get("stage"), place.get("after"), moved)


def find_users(run: Run, connection: Connection, lines: Iterable[int]) -> dict[int, tuple[int, str]]:
    """{legacy user: (id here, account type)} for those that this import brought or recognised."""
    wanted = {run.moved.get(line, line) for line in lines}
    r = raw_values.c
    query = select(r.line, users.c.id, users.c.account_type).join(users, users.c.id == r.subject_id)
    query = query.where(r.subject == "user", r.import_id == run.import_id, r.subject_id.in_(wanted))
    return {line: (id, account_type) for line, id, account_type in connection.execute(query)}


def _add_import(connection: Connection, source: LegacySource, fingerprint: str, now: datetime) -> int:
    row = {
        "kind": "legacy",
        "file_name": source.name,
        "fingerprint": fingerprint,
        "settings": {"currency": "USD", "zone": "America/New_York"},
        "state": "running",
        "checkpoint": "{}",
        "rows_added": 0,
        "rows_known": 0,
        "rows_rejected": 0,
        "started_at": now,
    }
    return connection.execute(insert(imports).returning(imports.c.id), row).scalar_one()


def _moved(connection: Connection, import_id: int) -> dict[int, int]:
    r = raw_values.c
    query = select(r.line, r.subject_id).where(r.subject == "user", r.import_id == import_id, r.line != r.subject_id)
    return dict(connection.execute(query).all())


def _fingerprint(source: LegacySource) -> str:
    parts = []
    for table, names in IDENTITY.items():
        columns = source.columns(table)
        first = next(read_rows(source, table, KEYS[table], None), {}) if KEYS[table] in columns else {}
        parts.append({name: first.get(name) for name in names})
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
