"""Work in the background: a change of every row and its undo, pages read meanwhile, and many small jobs."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from kamioi_web.db import Database
from kamioi_web.jobs import selection, store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.tables import jobs
from kamioi_web.paging.keyset import Plan, Stream
from kamioi_web.schema import audit_events, transactions
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored, settings_for
from tests.benchmarks.target import Target

ROOT = Path(__file__).parents[2]
PAGE = "/transactions"
READS = 200
SMALL, PICKED_UP = 10_000, 50
CHANGE = {"do": "status", "to": "needs_review"}
CHANGED = ("database", "rows", "change rows/s", "undo rows/s", "bare UPDATE rows/s", "times the UPDATE")
READ = ("database", "p50 ms alone", "p95 alone", "p50 meanwhile", "p95 meanwhile", "p95 times")
QUEUED = ("database", "jobs", "done", "lost", "twice", "jobs/s", "pick-up ms, median", "p95")


def measure(report: Report, stored: Sequence[Stored]) -> None:
    """Every database is left as it was, but for the jobs and what they told."""
    changed, read, queued = [], [], []
    for one in stored:
        report.say(f"jobs of {one.name}")
        with closing(Database(settings_for(one.url))) as database, closing(Target(one)) as target:
            bare = _bare_update(database)
            alone = _reads(target, lambda at: at < READS)
            with _worker(one.url):
                id = _order_change(database)
                meanwhile = _reads(target, lambda at, id=id: _find(database, id).finished_at is None)
                change, undo = _rate(database, id), _rate(database, _undo(database, id))
                queued.append((one.name, *_many(database), *_pick_up(database)))
        changed.append((one.name, one.rows, change, undo, bare, bare / change))
        times = _share(meanwhile, 95) / _share(alone, 95)
        read.append(
            (one.name, _share(alone, 50), _share(alone, 95), _share(meanwhile, 50), _share(meanwhile, 95), times)
        )
        report.goal(f"{one.name}: p95 of a page while a job runs, times", times, most=2)
        report.goal(f"{one.name}: pick-up of a job, median ms", queued[-1][6], most=500)
    report.table("A change of every row by a job, and by one bare UPDATE", CHANGED, changed)
    report.table("The first page, alone and while the job runs", READ, read)
    report.table("Small jobs", QUEUED, queued)


@contextmanager
def _worker(url: str) -> Generator[None]:
    env = {"KAMIOI_DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    words = [sys.executable, "-m", "kamioi_web.cli", "worker", "--queue", "default"]
    process = subprocess.Popen(words, cwd=ROOT, env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _bare_update(database: Database) -> float:
    """Rows a second of one UPDATE of every row with the triggers of the totals, taken back afterwards."""
    statement = update(transactions).where(transactions.c.status != CHANGE["to"]).values(status=CHANGE["to"])
    with database.writer.connect() as connection:
        began = time.perf_counter()
        rows = connection.execute(statement).rowcount
        seconds = time.perf_counter() - began
        connection.rollback()
    return rows / seconds


def _order_change(database: Database) -> int:
    with database.reading(60) as connection:
        rows = selection.of_filter(connection, [], Plan((Stream("transactions_posted"),)))
    return _add(database, Order("bulk", "default", "a change", {"selection": rows, "change": CHANGE}))


def _undo(database: Database, id: int) -> int:
    new = _add(database, Order("undo", "default", "an undo", {"job_id": id}, undo_of=id))
    while _find(database, new).finished_at is None:
        time.sleep(0.2)
    return new


def _add(database: Database, order: Order) -> int:
    with database.writing() as connection:
        id = store.add(connection, order)
    Bell(database.settings).ring(order.queue)
    return id


def _find(database: Database, id: int) -> Any:
    with database.reading() as connection:
        return store.find(connection, id)


def _rate(database: Database, id: int) -> float:
    job = _find(database, id)
    assert job.state == "done", job.error
    return job.rows_done / (job.finished_at - job.started_at).total_seconds()


def _reads(target: Target, go_on: Any) -> list[float]:
    """How long the first page takes, in ms, with nothing kept from the one before."""
    found: list[float] = []
    while go_on(len(found)):
        target.forget()
        began = time.perf_counter()
        answer = target.ask(PAGE)
        found.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200
        time.sleep(0.05)
    return found


def _share(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] if len(times) > 1 else times[0]


def _many(database: Database) -> tuple[int, int, int, int, float]:
    """Jobs that have nothing to do, ordered as fast as it goes: each must end once."""
    before = _highest(database)
    began = time.perf_counter()
    bell = Bell(database.settings)
    for _ in range(SMALL):
        with database.writing() as connection:
            store.add(connection, Order("undo", "default", "nothing", {"job_id": 0}))
        bell.ring("default")
    while _open(database):
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    with database.reading(60) as connection:
        done = connection.scalar(select(func.count()).where(jobs.c.id > before, jobs.c.state == "done")) or 0
        e = audit_events.c
        told = connection.execute(select(e.subject_id).where(e.action == "job.done", e.subject_id > before)).fetchall()
    ids = [row[0] for row in told]
    return SMALL, done, SMALL - len(set(ids)), len(ids) - len(set(ids)), done / seconds


def _highest(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.max(jobs.c.id))) or 0


def _open(database: Database) -> int:
    with database.reading() as connection:
        return store.open_jobs(connection, 1)


def _pick_up(database: Database) -> tuple[float, float]:
    """From the order to the moment at which a worker has it, in ms, one job at a time."""
    times = []
    for _ in range(PICKED_UP):
        id = _add(database, Order("undo", "default", "nothing", {"job_id": 0}))
        while (job := _find(database, id)).finished_at is None:
            threading.Event().wait(0.02)
        times.append((job.started_at - job.created_at).total_seconds() * 1000)
        threading.Event().wait(0.3)
    return statistics.median(times), _share(times, 95)
