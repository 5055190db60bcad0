"""The job that writes the rows of a list into a file: those of one moment, each once, whatever is written meanwhile.

A snapshot cannot be kept across a stop, so an export that was stopped begins anew and its checkpoint stays empty.
The names of its files carry the job's fencing number: a worker that was thought dead spoils nobody's file.
"""

import hashlib
import os
import shutil
from collections import namedtuple
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from kamioi_web.exporting.fields import Field, taken_by
from kamioi_web.exporting.formats import FORMATS, Rows, Writer
from kamioi_web.jobs.of_list import plan_of, table_of
from kamioi_web.jobs.running import Job
from kamioi_web.jobs.telling import Telling
from kamioi_web.paging.whole import STATEMENT_SECONDS, read_all
from kamioi_web.settings import Settings
from kamioi_web.sql_types import AnyRow
from kamioi_web.table_page import TablePage

ROWS = 2_000  # that are in memory at a time
BLOCK = 1 << 20


def folder_of(settings: Settings) -> Path:
    """Where the files of exports lie."""
    return settings.files_folder / "exports"


def fields_of(table: TablePage, columns: Sequence[str]) -> list[Field]:
    """The columns of the file: what belongs to several columns of the list stands there once."""
    return list(dict.fromkeys(field for key in columns for field in table.cells.EXPORT[key]))


def run(job: Job) -> dict[str, Any]:
    """Write the file; how it is called, its size, its rows and its digest are the result."""
    folder = folder_of(job.database.settings)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder, job)
    path = folder / f"{job.id}-{job.fence}-{job.parameters['name']}"
    with _part_of(path) as part:
        with job.database.snapshot(STATEMENT_SECONDS) as (connection, at):
            rows = _write(job, connection, part)
        found = {"rows": rows, "bytes": part.stat().st_size, "sha256": _digest(job, part)}
        job.note(rows, rows)  # only who still holds the lease goes on
        os.replace(part, path)
        _sync(folder)
    about = {name: job.parameters[name] for name in ("page", "filter", "columns", "format")}
    job.events = [("export.finished", about | found)]
    return {"file": path.name, **found, "at": at.isoformat()}


def _write(job: Job, connection: Connection, part: Path) -> int:
    """All rows; how many they are."""
    table, asked = table_of(job.parameters), job.parameters
    fields = fields_of(table, asked["columns"])
    tell, done = Telling(job, job.rows_total), 0
    made = datetime.fromisoformat(asked["at"])
    with _open(FORMATS[asked["format"]].open(part, fields, job.title, made), job) as writer:
        for rows in _rows(job, connection, table, fields):
            writer.write(rows)
            done += len(rows)
            tell(done)
    return done


def _rows(job: Job, connection: Connection, table: TablePage, fields: Sequence[Field]) -> Iterator[Rows]:
    subject, as_json, take = table.subject, table.cells.as_json, taken_by(fields)
    for found in read_all(connection, subject.WHOLE_LISTING, plan_of(connection, job), ROWS):
        rows = _plain(found)
        beside = subject.beside(connection, rows) if rows else None
        yield [take(as_json(row, beside)) for row in rows]


def _plain(rows: Sequence[AnyRow]) -> list[Any]:
    """The same rows as named tuples, which give their values several times as fast as SQLAlchemy's rows."""
    return [*map(namedtuple("Plain", rows[0]._fields)._make, rows)] if rows else []


@contextmanager
def _open(writer: Writer, job: Job) -> Generator[Writer]:
    """A file that is finished at the end, and let go of when that is not reached."""
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    for note in writer.notes:
        job.say(note)


@contextmanager
def _part_of(path: Path) -> Generator[Path]:
    """The name under which a file is written; whatever is left under it at the end is removed."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
    finally:
        _remove(part)
        _remove(part.with_name(f"{part.name}.d"))


def _remove_leftovers(folder: Path, job: Job) -> None:
    """What a worker left that was killed while it had this job."""
    for path in folder.glob(f"{job.id}-*"):
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _digest(job: Job, part: Path) -> str:
    """The file's sha256, after it has reached the disk."""
    digest = hashlib.sha256()
    with part.open("rb") as file:
        os.fsync(file.fileno())
        while block := file.read(BLOCK):
            digest.update(block)
            job.check()
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """The new name reaches the disk, too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
