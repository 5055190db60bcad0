"""The row of the imports table that a run writes with each batch, so that a later run can take it up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.errors import Busy
from kamioi_web.importing.rows import digest
from kamioi_web.importing.tally import Tally
from kamioi_web.schema import imports


@dataclass
class Entry:
    """One import as the table knows it; `checkpoint` is a Tally, or empty before the first batch."""

    id: int
    state: str
    checkpoint: str
    rows_added: int
    finished_at: datetime | None


def fingerprint_of(chain: str, settings: Mapping[str, Any]) -> str:
    """What makes two runs the same import: the header and the first records, and how they are read.

    The name of the file, its encoding, delimiter, line ends and compression are not in it, nor is its end, so
    that a file that was packed or has grown is known again.
    """
    return digest(chain + json.dumps(settings, sort_keys=True))


def begin(database: Database, kind: str, fingerprint: str, file_name: str, settings: Mapping[str, Any]) -> Entry:
    """The import with this fingerprint, begun now when there has been none."""
    with database.writing() as connection:
        dialect_of(connection).lock(connection, "imports")
        found = find(connection, kind, fingerprint)
        if found:
            return found
        values = {
            "kind": kind,
            "file_name": file_name,
            "fingerprint": fingerprint,
            "settings": dict(settings),
            "state": "running",
            "checkpoint": "",
            "rows_added": 0,
            "rows_known": 0,
            "rows_rejected": 0,
            "started_at": datetime.now(UTC),
        }
        connection.execute(insert(imports).values(values))
        found = find(connection, kind, fingerprint)
        assert found is not None
        return found


def write(connection: Connection, entry: Entry, kept: Tally, tally: Tally, added: int, done: bool) -> None:
    """Put down how far the import is: `kept` is where a later run begins. Busy when another run has moved it."""
    checkpoint, rows_added = kept.dump(), entry.rows_added + added
    values = {
        "checkpoint": checkpoint,
        "state": "done" if done else "running",
        "rows_added": rows_added,
        "rows_known": max(0, tally.taken - rows_added),
        "rows_rejected": tally.rejected,
        "finished_at": datetime.now(UTC) if done else None,
    }
    ours = (imports.c.id == entry.id) & (imports.c.checkpoint == entry.checkpoint)
    if connection.execute(update(imports).where(ours).values(values)).rowcount != 1:
        raise Busy("This file is being imported by another process. What that one has stored stays; try again later.")
    entry.checkpoint, entry.rows_added, entry.state = checkpoint, rows_added, values["state"]


def find(connection: Connection, kind: str, fingerprint: str) -> Entry | None:
    """The import with this fingerprint, if there has been one."""
    columns = (imports.c.id, imports.c.state, imports.c.checkpoint, imports.c.rows_added, imports.c.finished_at)
    query = select(*columns).where(imports.c.kind == kind, imports.c.fingerprint == fingerprint)
    row = connection.execute(query).first()
    return Entry(*row) if row else None
