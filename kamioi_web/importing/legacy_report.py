"""What an import of a legacy database says: its progress, its counts and the rows that it refused."""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_WARNINGS = 100
MOST_KINDS = 200  # of changes that are told apart for one table


@dataclass(frozen=True)
class LegacyProgress:
    """How far one table is: rows done of a total."""

    table: str
    done: int
    total: int


@dataclass
class Counts:
    """The rows of one legacy table: read = added + known + rejected."""

    read: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    normalised: int = 0
    changes: Counter[str] = field(default_factory=Counter)  # what was normalised, and in how many rows
    cents: Counter[str] = field(default_factory=Counter)  # sums of the rows that were not rejected

    def note(self, changes: list[str]) -> None:
        """Count a row in which these were normalised."""
        self.normalised += bool(changes)
        for change in changes:
            full = len(self.changes) >= MOST_KINDS and change not in self.changes
            self.changes["other changes" if full else change] += 1


class Rejects:
    """A CSV file of refused rows: table, legacy id, reason and the raw fields as JSON. Made when the first comes.

    Its size goes into the checkpoint, so that an import that resumes cuts off what the checkpoint does not know.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._lines: list[tuple[str, str, str, str]] = []
        self.size = min(size, path.stat().st_size) if path.exists() else 0
        if path.exists():
            with path.open("r+b") as file:
                file.truncate(self.size)

    def add(self, table: str, id: Any, reason: str, row: dict[str, Any]) -> None:
        """Name a refused row."""
        self._lines.append((table, _cell(id), _cell(reason), as_json(row)))

    def flush(self) -> int:
        """Write what was added and return the file's size; call it before the commit that counts those rows."""
        if not self._lines:
            return self.size
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self.size:
            writer.writerow(("table", "legacy_id", "reason", "raw"))
        writer.writerows(self._lines)
        with self.path.open("ab") as file:
            self.size += file.write(text.getvalue().encode())
        self._lines.clear()
        return self.size


@dataclass
class LegacyReport:
    """What an import did, table by table in the legacy database's words, and what a person should know of it."""

    tables: dict[str, Counts] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    rejects: Path | None = None
    import_id: int = 0
    resumed: bool = False

    def warn(self, text: str) -> None:
        """Add a warning once; beyond a hundred they are only counted by the last line."""
        if text not in self.warnings and len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(text)
        elif text not in self.warnings and len(self.warnings) == MOST_WARNINGS:
            self.warnings.append("There are more warnings than are shown here.")

    def total(self, name: str) -> int:
        """The sum of one count, such as added, over the tables."""
        return sum(getattr(counts, name) for counts in self.tables.values())

    def lines(self) -> list[str]:
        """The report for a person to read."""
        lines = [line for table, counts in self.tables.items() for line in _describe(table, counts)]
        lines += [f"Note: {warning}" for warning in self.warnings]
        if self.rejects:
            lines.append(f"The refused rows and their reasons: {self.rejects}")
        return lines

    def to_state(self) -> dict[str, Any]:
        """Counts and warnings as plain values, for the checkpoint."""
        return {"tables": {table: vars(counts) for table, counts in self.tables.items()}, "warnings": self.warnings}

    def from_state(self, state: dict[str, Any]) -> None:
        """Take up the counts and warnings of a checkpoint."""
        self.warnings = list(state.get("warnings", []))
        for table, counts in state.get("tables", {}).items():
            kept = Counts(**counts)
            kept.changes, kept.cents = Counter(kept.changes), Counter(kept.cents)
            self.tables[table] = kept


def as_json(fields: dict[str, Any]) -> str:
    """Raw fields as JSON text."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)


def _describe(table: str, counts: Counts) -> list[str]:
    parts = [f"{getattr(counts, name):,} {name}" for name in ("read", "added", "known", "rejected", "normalised")]
    lines = [f"{table}: " + ", ".join(parts)]
    if counts.cents:
        sums = (f"{name} {Decimal(cents).scaleb(-2):,}" for name, cents in counts.cents.items())
        lines.append("  sums: " + ", ".join(sums))
    lines += [f"  {change}: {n:,}" for change, n in counts.changes.most_common(30)]
    return lines


def _cell(value: Any) -> str:
    text = str(value)
    return "'" + text if text.startswith(FORMULA) else text
