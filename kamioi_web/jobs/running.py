"""A job that a worker has claimed: its chunks, its heartbeat, and how it ends.

A kind's `run` begins at `job.checkpoint` and does its work in chunks:

    with job.chunk() as chunk:
        ...                                   # effects, on chunk.connection
        chunk.checkpoint, chunk.rows = place, 500

The effects, the checkpoint, the progress and the lease are one transaction, which the fencing number guards. So a job
that is killed anywhere goes on at its last checkpoint, and nothing of it happens twice.
"""

import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from kamioi_web import audit
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.jobs import store
from kamioi_web.sql_types import AnyRow

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = store.LEASE_SECONDS / 3


class Ended(Exception):
    """The job is to stop here; `state` is what it is then, and one that waits is not due before so many seconds."""

    def __init__(self, state: str, seconds: float = 0) -> None:
        super().__init__(state)
        self.state, self.seconds = state, seconds


class LostLease(Exception):
    """Another worker has the job by now; nothing of this one is written any more."""


@dataclass
class Chunk:
    """One transaction of a job; `rows` are those it has dealt with, `checkpoint` is where the next one begins."""

    connection: Connection
    checkpoint: Any
    rows: int = 0


class Job:
    """What a kind's `run` is given. `stop` is set when the worker is to end."""

    def __init__(self, database: Database, row: AnyRow, stop: threading.Event) -> None:
        self.database = database
        self.id: int = row.id
        self.kind: str = row.kind
        self.title: str = row.title
        self.fence: int = row.fence
        self.admin_id: int | None = row.admin_id
        self.parameters: dict[str, Any] = row.parameters
        self.stop = stop
        self.wish, self.lost = "", False
        self.events: list[tuple[str, dict[str, Any]]] = []  # what the audit log is told beside, when it is done
        self.brief: dict[str, Any] | None = None  # what it is told of a result that is too much for it
        self._take(row)

    def _take(self, row: AnyRow) -> None:
        self.checkpoint: Any = row.checkpoint
        self.rows_done: int = row.rows_done
        self.rows_total: int | None = row.rows_total
        self.result: dict[str, Any] = row.result

    @contextmanager
    def chunk(self) -> Generator[Chunk]:
        """A transaction that is committed only while the lease is ours; then the wishes of the admins are met."""
        with self.database.writing() as connection:
            self.database.dialect.limit_waits(connection, self.database.settings.lock_seconds)
            chunk = Chunk(connection, self.checkpoint)
            yield chunk
            done = self.rows_done + chunk.rows
            progress = {"checkpoint": chunk.checkpoint, "rows_done": done, "result": self.result}
            self._keep(connection, failures=0, error=None, rows_total=self.rows_total, **progress)
        self.checkpoint, self.rows_done = chunk.checkpoint, done
        self.check()

    def note(self, rows_done: int, rows_total: int | None = None) -> None:
        """Tell the progress of work that has no chunks; then the wishes of the admins are met."""
        self.rows_done = rows_done
        self.rows_total = rows_total if rows_total is not None else self.rows_total
        with self.database.writing() as connection:
            self._keep(connection, rows_done=rows_done, rows_total=self.rows_total, result=self.result)
        self.check()

    def guard(self, connection: Connection, **kept: Any) -> None:
        """Make the caller's transaction one that only the holder of the lease commits; `kept` is kept with it."""
        self._keep(connection, **kept)

    def say(self, line: str) -> None:
        """Add a line to what the job tells."""
        with self.database.writing() as connection:
            store.say(connection, self.id, line)

    def check(self) -> None:
        """Stop here when the lease is lost, an admin wants it, or the worker is to end."""
        if self.lost:
            raise LostLease
        if self.wish:
            raise Ended({"pause": "paused", "cancel": "cancelled"}[self.wish])
        if self.stop.is_set():
            raise Ended("waiting")

    def reload(self) -> None:
        """Read again how far the job has come: a commit whose answer was lost may or may not have happened."""
        with self.database.reading() as connection:
            row = store.find(connection, self.id)
        if row.fence != self.fence or row.state != "running":
            raise LostLease
        self._take(row)

    def end(self, state: str, **values: Any) -> None:
        """End the job in that state, with its event in the audit log, in one transaction."""
        told = {name: value for name, value in values.items() if value}
        if self.brief is not None and "result" in told:
            told["result"] = self.brief
        about = {"title": self.title, "rows": self.rows_done} | told
        with self.database.writing() as connection:
            if not store.finish(connection, self.id, self.fence, state, **values):
                raise LostLease
            for action, detail in self.events if state == "done" else ():
                audit.record(connection, action, self.admin_id, "job", self.id, detail)
            audit.record(connection, f"job.{state}", self.admin_id, "job", self.id, about)

    def release(self, state: str, seconds: float = 0, **values: Any) -> None:
        """Give the job back, to wait so many seconds or paused."""
        with self.database.writing() as connection:
            if not store.release(connection, self.id, self.fence, state, seconds, **values):
                raise LostLease

    def _keep(self, connection: Connection, **progress: Any) -> None:
        wish = store.extend(connection, self.id, self.fence, **progress)
        if wish is None:
            raise LostLease
        self.wish = wish

    @contextmanager
    def heartbeat(self) -> Generator[None]:
        """Keep the lease while the work inside takes its time."""
        over = threading.Event()
        beat = threading.Thread(target=self._beat, args=(over,), daemon=True, name=f"heartbeat {self.id}")
        beat.start()
        try:
            yield
        finally:
            over.set()
            beat.join()

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            try:
                with self.database.writing() as connection:
                    self._keep(connection)
            except LostLease:
                self.lost = True
                return
            except (KamioiError, DBAPIError) as error:  # the next beat may be in time yet
                log.warning("job %s: no heartbeat: %s", self.id, error)


class Pace:
    """How many rows a chunk takes, so that it holds its locks for about so many milliseconds."""

    def __init__(self, rows: int = 500, least: int = 200, most: int = 5_000, ms: float = 80) -> None:
        self.rows, self.least, self.most, self.ms = rows, least, most, ms
        self.began = time.perf_counter()

    @contextmanager
    def timed(self) -> Generator[None]:
        """Measure a chunk, and set the size of the next one by it."""
        self.began = time.perf_counter()
        yield
        spent = (time.perf_counter() - self.began) * 1000
        wanted = int(self.rows * self.ms / max(spent, 1))
        self.rows = max(self.least, min(self.most, 2 * self.rows, wanted))


def quietly(job: Job, line: str) -> None:
    """Tell something where not being able to tell it does not matter."""
    with suppress(KamioiError, DBAPIError):
        job.say(line)
