"""Carrying out one claimed job to its end: waiting out what passes, and saying what does not."""

import logging
import random
import threading
import time
from collections.abc import Callable
from functools import partial

from kamioi_web.db import Database
from kamioi_web.jobs import failures, store
from kamioi_web.jobs.kinds import KINDS, Kind
from kamioi_web.jobs.running import Ended, Job, LostLease, quietly
from kamioi_web.sql_types import AnyRow

log = logging.getLogger(__name__)
PATIENCE = 60.0  # seconds that a worker waits for a database that is away before it gives the job back
LONGEST_PAUSE = 5.0
MOST_FAILURES = 5
MISTAKE = "Something went wrong that is not your mistake. The log of the worker says what, under job {id}."


def work(database: Database, queue: str, owner: str, stop: threading.Event) -> int:
    """Carry out the jobs of a queue that are due, one after the other, until there is none; how many there were."""
    count = 0
    while not stop.is_set():
        with database.reading() as connection:
            if not store.due(connection, queue, tuple(KINDS)):
                break
        with database.writing() as connection:
            row = store.claim(connection, queue, tuple(KINDS), owner)
        if row is None:
            break
        carry_out(database, row, stop)
        count += 1
    return count


def carry_out(database: Database, row: AnyRow, stop: threading.Event) -> None:
    """Do a claimed job; whatever happens, it is then over, given back, or left to its lease."""
    job = Job(database, row, stop)
    try:
        if row.fence > 1 and row.owner:
            quietly(job, f"Resumed after {job.rows_done:,} rows.")
        with job.heartbeat():
            _run(job, KINDS[row.kind], row.failures)
    except LostLease:
        log.warning("job %s: another worker has it", job.id)
    except Exception:
        log.exception("job %s is left to its lease", job.id)


def _run(job: Job, kind: Kind, failed: int) -> None:
    try:
        result = _patiently(job, lambda: kind.run(job))
    except Ended as end:
        cancelled = end.state == "cancelled"
        _patiently(job, partial(job.end, end.state) if cancelled else partial(job.release, end.state, end.seconds))
    except LostLease:
        raise
    except Exception as error:
        log.exception("job %s failed", job.id)
        _patiently(job, partial(_fail, job, error, failed))
    else:
        _patiently(job, lambda: job.end("done", result=result, error=None))


def _fail(job: Job, error: Exception, failed: int) -> None:
    """What a person can mend ends the job; a mistake of ours is tried again a few times, later each time."""
    words = failures.in_words(error)
    if words is None and not failures.passes(error) and failed + 1 < MOST_FAILURES:
        job.release("waiting", _pause(failed + 1, 60), failures=failed + 1, error=MISTAKE.format(id=job.id))
        return
    if failures.passes(error):
        job.release("waiting", LONGEST_PAUSE, error="The database was out of reach; it is tried again.")
        return
    job.end("failed", error=words or MISTAKE.format(id=job.id))


def _patiently(job: Job, do: Callable[[], object]) -> object:
    """Do it, again and again while what is wrong passes by itself, from the last checkpoint each time."""
    until, tries = time.monotonic() + PATIENCE, 0
    while True:
        try:
            if tries:
                job.reload()
            return do()
        except Exception as error:
            if not failures.passes(error) or time.monotonic() > until or job.stop.wait(_pause(tries, LONGEST_PAUSE)):
                raise
            log.warning("job %s waits: %s", job.id, error)
            tries += 1


def _pause(tries: int, most: float) -> float:
    """Seconds to wait, twice as long each time, with a part of chance so that many do not come back at once."""
    return min(most, 0.2 * 2**tries) * random.uniform(0.5, 1)  # noqa: S311 - nothing secret
