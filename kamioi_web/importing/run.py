"""One import from its first record to its last: batches, checkpoints, going on after a stop."""

import copy
import gc
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing import ledger
from kamioi_web.importing.detect import Layout
from kamioi_web.importing.model import ImportOptions, ImportReport, Progress
from kamioi_web.importing.reading import Source
from kamioi_web.importing.records import Block, read_records
from kamioi_web.importing.rejects import Rejects
from kamioi_web.importing.rows import RowReader, after, start_of_chain
from kamioi_web.importing.tally import Tally

QUIET_RECORDS = 100_000  # after so many without a batch, as in a file of rejects only, the checkpoint moves on
FINGERPRINT_RECORDS = 20
SAMPLE_ROWS = 10


class Store(Protocol):
    """What becomes of the items of a batch."""

    def save(self, connection: Connection, items: list[Any]) -> int:
        """Store them and return how many were new."""

    def sums(self, items: list[Any]) -> Counter[str]:
        """Their sums by currency."""

    def show(self, item: Any) -> dict[str, Any]:
        """One of them as it would be stored."""


@dataclass(frozen=True)
class Job:
    """What is to be imported and how it is read; `settings` is what sets this import apart from others.

    `chained`: rows are known again by the chain, which a change in the middle of the file breaks for all after it.
    """

    kind: str
    path: Path
    layout: Layout
    reader: RowReader
    store: Store
    settings: dict[str, Any]
    decided: list[str]
    chained: bool = True


def run(database: Database, job: Job, options: ImportOptions, progress: Callable[[Progress], None]) -> ImportReport:
    """Import the file, or go on where an earlier run of it stopped, and say what was done."""
    if options.dry_run:
        return Run(database, job, options, None, None, progress).finish()
    path = _rejects_path(job.path, options)
    entry = ledger.begin(database, job.kind, fingerprint(job), options.name or job.path.name, job.settings)
    try:
        return Run(database, job, options, entry, path, progress).finish()
    except _Changed as change:
        if job.chained and not options.allow_changed:
            name = options.name or job.path.name
            raise KamioiError(_changed_words(name, entry, change.records)) from None
    return Run(database, job, options, entry, path, progress, anew=True).finish()


def fingerprint(job: Job, most: int | None = None) -> str:
    """What the ledger knows this file by, read in this way; found in its first `most` bytes."""
    return ledger.fingerprint_of(_first_chain(job, most), job.settings)


class _Changed(Exception):
    """The file no longer begins with the records that were imported."""

    def __init__(self, records: int) -> None:
        super().__init__(records)
        self.records = records


class Run:
    """The state of one run over one file."""

    def __init__(
        self,
        database: Database,
        job: Job,
        options: ImportOptions,
        entry: ledger.Entry | None,
        rejects: Path | None,
        progress: Callable[[Progress], None],
        anew: bool = False,
    ) -> None:
        self.database, self.job, self.entry, self.progress = database, job, entry, progress
        self.options = options
        self.source = Source(job.path, job.layout.encoding, options.most_bytes)
        self.bytes_total = job.path.stat().st_size
        self.started = time.monotonic()
        self.tally = Tally(start_of_chain(job.layout.header))
        self.kept: Tally | None = None  # frozen when the file ends inside a record: a later run begins before it
        self.items: list[Any] = []
        self.sample: list[dict[str, Any]] = []
        self.added = 0
        self.saved_records = 0
        self.before = entry.finished_at if entry else None
        self.earlier = self._earlier(rejects) if entry and entry.checkpoint and not anew else None
        self.rejects = Rejects(rejects, self.earlier.rejects_size if self.earlier else 0)
        self.ours = bool(entry and entry.state == "running" and entry.checkpoint)

    def finish(self) -> ImportReport:
        """Read the file to its end and report."""
        try:
            with without_cycle_search():
                self._read()
        finally:
            self.rejects.close(self.ours)
        return self._report()

    def _read(self) -> None:
        for block in self._new_blocks():
            if block.final and self.source.cut:  # a record that goes on where nobody looked
                break
            if block.final and self.kept is None:
                self._save()
                self.kept = copy.deepcopy(self.tally)
            self.job.reader.take(block, self.tally, self.items, self.rejects)
            if self.options.look and self.tally.records >= self.options.look:
                self.source.cut = True
                break
            if len(self.items) >= self.options.batch_rows or self._unsaved() >= QUIET_RECORDS:
                self._save()
                gc.collect(1)
        self._save(last=True)

    def _earlier(self, rejects: Path | None) -> Tally | None:
        """Where to go on; None when what was rejected must be written again."""
        assert self.entry is not None
        earlier = Tally.load(self.entry.checkpoint)
        if Rejects(rejects, earlier.rejects_size).complete():
            return earlier
        if self.entry.state == "running":
            return None
        earlier.rejects_size = 0  # that file was taken away after it was complete; a new one holds what is new
        return earlier

    def _new_blocks(self) -> Iterator[Block]:
        """The blocks of records that no earlier run has done."""
        blocks = self._blocks()
        if self.earlier is None:
            yield from blocks
            return
        until = self.earlier.records
        while self.tally.records < until:
            block = next(blocks, None)
            if block is None:
                raise _Changed(self.tally.records)
            count = self.job.reader.pass_over(block, self.tally, until)
            if self.tally.records == until and self.tally.chain == self.earlier.chain:
                blocks = chain((after(block, count),), blocks)
        if self.tally.chain != self.earlier.chain:
            raise _Changed(until)
        self.earlier.blank = self.tally.blank
        self.tally = self.earlier
        self.saved_records = until
        yield from blocks

    def _blocks(self) -> Iterator[Block]:
        layout = self.job.layout
        for block in read_records(self.source.parts(), layout.delimiter, len(layout.header)):
            if self.options.check:
                self.options.check()
            yield _below(block, layout.header_line)

    def _unsaved(self) -> int:
        return self.tally.records - self.saved_records

    def _save(self, last: bool = False) -> None:
        """Store the batch and the checkpoint in one transaction."""
        self.tally.sums.update(self.job.store.sums(self.items))
        if not self.sample:
            self.sample = [self.job.store.show(item) for item in self.items[:SAMPLE_ROWS]]
        if self.entry is None:
            self.added += len(self.items)
        elif self.items or self._unsaved() or (last and self.entry.state == "running"):
            self._commit(self.entry, last)
        self.items.clear()
        self.saved_records = self.tally.records
        self._tell()

    def _commit(self, entry: ledger.Entry, last: bool) -> None:
        self.rejects.sync()
        self.tally.rejects_size = self.rejects.size
        done = last and not self.source.damage
        with self.database.writing() as connection:
            if self.options.guard:
                self.database.dialect.limit_waits(connection, self.database.settings.lock_seconds)
            added = self.job.store.save(connection, self.items) if self.items else 0
            if added or entry.state == "running" or self.kept is None:
                ledger.write(connection, entry, self.kept or self.tally, self.tally, added, done)
            if self.options.guard:
                self.options.guard(connection, self.added + added)
        self.added += added

    def _tell(self) -> None:
        seconds = time.monotonic() - self.started
        self.progress(Progress(self.tally.records, self.added, self.source.bytes_read, self.bytes_total, seconds))

    def _report(self) -> ImportReport:
        tally = self.tally
        report = ImportReport(
            decided=self.job.decided,
            rows_read=tally.records,
            rows_added=self.added,
            rows_known=tally.taken - self.added,
            rows_rejected=tally.rejected,
            rows_blank=tally.blank,
            reasons=dict(tally.reasons.most_common()),
            rejects_path=self.rejects.path if tally.rejected and self.rejects.size else None,
            sample=self.sample,
            sums=dict(tally.sums),
            imported_before=self.before,
            seconds=time.monotonic() - self.started,
            import_id=self.entry.id if self.entry else None,
            first_rejects=self.rejects.first,
            whole=not self.source.cut,
        )
        report.warnings = list(self._warnings())
        return report

    def _warnings(self) -> Iterable[str]:
        if self.source.damage:
            yield self.source.damage
        if self.source.rescued:
            yield (
                f"{self.source.rescued:,} bytes are not {self.job.layout.encoding.upper()} and were read as "
                "Windows-1252; say --encoding if names look wrong."
            )
        if self.kept is not None:
            yield "The last line has no line end; if the file was cut off there, its last row may be incomplete."


@contextmanager
def without_cycle_search() -> Generator[None, None, None]:
    """No garbage collection of cycles meanwhile: batches make many tuples and no cycles, and it takes a quarter."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _below(block: Block, header_line: int) -> Block:
    """The records of the block that come after the header."""
    lines = block.lines
    if isinstance(lines, range) and lines and lines[0] > header_line:
        return block
    above = sum(line <= header_line for line in lines)
    return after(block, above) if above else block


def _first_chain(job: Job, most: int | None) -> str:
    """The chain after the first records, for the fingerprint."""
    layout = job.layout
    tally = Tally(start_of_chain(layout.header))
    parts = Source(job.path, layout.encoding, most).parts()
    for block in read_records(parts, layout.delimiter, len(layout.header)):
        job.reader.pass_over(_below(block, layout.header_line), tally, FINGERPRINT_RECORDS)
        if tally.records >= FINGERPRINT_RECORDS:
            break
    return tally.chain


def _rejects_path(path: Path, options: ImportOptions) -> Path:
    rejects = options.rejects or Path.cwd() / f"{path.name}.rejects.csv"
    if rejects.resolve() == path.resolve():
        raise KamioiError("The file of rejected rows cannot be the file that is imported.")
    if not rejects.parent.is_dir():
        raise KamioiError(f"There is no folder {rejects.parent} for the file of rejected rows.")
    return rejects


def _changed_words(name: str, entry: ledger.Entry, records: int) -> str:
    when = f" on {entry.finished_at:%Y-%m-%d}" if entry.finished_at else ""
    return (
        f"{name} was imported{when}, and has changed since, somewhere in its first {records:,} records. Nothing "
        "was stored. Its rows from the change on would be stored a second time; if that is right, say --allow-changed."
    )
