"""What an import is asked to do and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

LOOK_BYTES = 2_000_000  # of a file that is only looked at, unpacked


class Reject(Exception):
    """This row cannot be taken; the text is the reason, in words that name no value."""


@dataclass(frozen=True)
class ImportOptions:
    """What the person said about the file; None means: find out."""

    preset: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)  # column of the file -> field
    currency: str | None = None  # of rows that name none
    account: str | None = None  # of rows that name none
    account_type: str | None = None
    dry_run: bool = False
    rejects: Path | None = None
    dayfirst: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    batch_rows: int = 20_000  # stored and committed together
    allow_changed: bool = False  # go on although an earlier version of this file was imported
    name: str | None = None  # of the file, where it lies under another
    look: int | None = None  # with dry_run: look at so many records only, and at no more than LOOK_BYTES
    guard: Callable[[Connection, int], None] | None = None  # ends each transaction; told what this run has added
    admin_id: int | None = None  # who ordered it
    check: Callable[[], None] | None = None  # called now and then; what it raises stops the import

    @property
    def most_bytes(self) -> int | None:
        return LOOK_BYTES if self.look else None


@dataclass(frozen=True)
class Progress:
    """How far an import has come; bytes are those of the file as it lies on the disk."""

    rows_read: int
    rows_added: int
    bytes_read: int
    bytes_total: int
    seconds: float


@dataclass
class ImportReport:
    """What an import decided and did.

    rows_read counts records that are not blank. Those that were taken are rows_added (new in this run) plus
    rows_known (there already); a row that stands for several equal ones counts as so many. In a dry run rows_added
    is what would be stored, not compared with the database. sums are of all rows taken, in cents by currency.
    """

    decided: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_added: int = 0
    rows_known: int = 0
    rows_rejected: int = 0
    rows_blank: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejects_path: Path | None = None
    sample: list[dict[str, Any]] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)
    imported_before: datetime | None = None
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    import_id: int | None = None
    first_rejects: list[tuple[int, str, list[str]]] = field(default_factory=list)  # (line, reason, fields)
    whole: bool = True  # False where it was only looked at and there is more
