"""Workers that are killed, stand still or run twice, and databases that go away: every effect happens once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import whole_rows
from helpers import add_directory, random_rows
from job_helpers import assert_told_once, job_of, order, order_change, order_undo, statuses
from sqlalchemy import select, text

from faults.site import Browser, dying_site
from faults.workers import Forked, Nursery, Process, environment, wait_for_end, wait_for_rows, wait_until
from kamioi_web import loading, migrations
from kamioi_web.db import Database
from kamioi_web.jobs import store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.tables import jobs
from kamioi_web.settings import Settings
from tests.benchmarks import postgres

ROWS = int(os.environ.get("KAMIOI_FAULT_ROWS", "40000"))
KILLS = 20
TO_REVIEW = {"do": "status", "to": "needs_review"}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    fill(database, make_transactions)
    return database


def fill(database: Database, make_transactions: Callable[..., None]) -> None:
    add_directory(database)
    rows = random_rows(min(ROWS, 20_000))
    for part in range(-(-ROWS // len(rows))):
        make_transactions([row | {"source_ref": f"{part}-{row['source_ref']}"} for row in rows])


def assert_done_once(database: Database, id: int, before: Any) -> None:
    """Everything became what the job was to make of it, each row told once, and the totals are right."""
    job = job_of(database, id)
    meant = before.total() - before["needs_review"]
    assert (job.state, job.result["changed"], job.rows_done) == ("done", meant, before.total()), job.error
    assert statuses(database) == {"needs_review": before.total()}
    assert_told_once(database, id, meant)


def test_a_worker_is_killed_twenty_times(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    before, chance = statuses(filled), random.Random(7)
    id = order_change(filled, {}, TO_REVIEW)
    with ExitStack() as stack:
        team = [stack.enter_context(nursery.worker(filled, tmp_path / "worker.log")) for _ in range(2)]
        for _ in range(KILLS):
            one = wait_until(lambda: worker_of(filled, id, team), "a worker has the job")
            assert one, "more rows are needed: the job was over before the last kill"
            time.sleep(chance.uniform(0, 0.3))  # any moment, in the middle of a chunk as well
            one.kill()
            team.append(stack.enter_context(nursery.worker(filled, tmp_path / "worker.log")))
        wait_for_end(filled, id)
    assert job_of(filled, id).fence > KILLS
    assert_done_once(filled, id, before)


def worker_of(database: Database, id: int, team: list[Forked]) -> Forked | None:
    """The one of the team that has the job now."""
    owner = job_of(database, id).owner or ""
    return next((one for one in team if f":{one.number}:" in owner and one.runs()), None)


def test_a_worker_that_stood_still_is_not_listened_to_any_more(
    filled: Database, tmp_path: Path, nursery: Nursery
) -> None:
    """It stands still beyond its lease, in the middle of its work; the other one finishes, then the first goes on."""
    before = statuses(filled)
    id = order_change(filled, {}, TO_REVIEW)
    with nursery.worker(filled, tmp_path / "first.log") as first:
        wait_for_rows(filled, id, 0)
        first.send(signal.SIGSTOP)
        stood = job_of(filled, id)
        assert stood.state == "running"
        release_locks(filled, first)
        with nursery.worker(filled, tmp_path / "worker.log") as _:
            wait_for_end(filled, id)
            first.send(signal.SIGCONT)
            wait_until(lambda: f"job {id}: another worker has it" in first.said(), "the first one finds out")
    assert_done_once(filled, id, before)


def release_locks(database: Database, stopped: Forked) -> None:
    """A process that stands still inside of a chunk holds its locks; the machine that stops it would drop them.

    On SQLite the file stays locked until it goes on, so it may go on until it stands between two chunks.
    """
    if database.dialect.name == "postgresql":
        return
    while locked(database):
        stopped.send(signal.SIGCONT)
        time.sleep(0.01)
        stopped.send(signal.SIGSTOP)


def locked(database: Database) -> bool:
    with database.writer.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute(text("SELECT 1"))
        except Exception:
            return True
        finally:
            raw.execute("PRAGMA busy_timeout = 5000")
    return False


def test_a_worker_that_is_told_to_end_gives_its_job_back(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    before = statuses(filled)
    id = order_change(filled, {}, TO_REVIEW)
    with nursery.worker(filled, tmp_path / "worker.log") as one:
        wait_for_rows(filled, id, 0)
        one.send(signal.SIGTERM)
        wait_until(lambda: not one.runs(), "the worker has ended")
        assert "Traceback" not in one.said()
    given = job_of(filled, id)
    assert given.owner is None and given.state in ("waiting", "done")
    with nursery.worker(filled, tmp_path / "worker.log"):
        wait_for_end(filled, id)
    assert_done_once(filled, id, before)


def test_cancelled_while_it_runs_and_undone(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    before = statuses(filled)
    id = order_change(filled, {}, TO_REVIEW)
    with nursery.worker(filled, tmp_path / "worker.log"):
        wait_for_rows(filled, id, 0)
        with filled.writing() as connection:
            store.cancel(connection, id)
        job = wait_for_end(filled, id)
        assert job.state == "cancelled" and 0 < job.rows_done < before.total()
        assert_told_once(filled, id, job.result["changed"])
        assert statuses(filled)["needs_review"] == before["needs_review"] + job.result["changed"]
        undo = wait_for_end(filled, order_undo(filled, id))
    assert undo.result == {"changed": job.result["changed"], "left": 0}
    assert statuses(filled) == before


def test_two_workers_and_two_schedulers(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    ids = [order_change(filled, {"category": name}, TO_REVIEW) for name in ("Dining", "Travel", "Groceries")]
    ids += [order(filled, "check", {}) for _ in range(10)]
    words = [sys.executable, "-m", "kamioi_web.cli", "scheduler", "--every", "0.2"]
    schedulers = [Process(tmp_path / f"scheduler-{n}.log", words, environment(filled)) for n in range(2)]
    try:
        with nursery.worker(filled, tmp_path / "worker.log"), nursery.worker(filled, tmp_path / "worker.log"):
            done = [wait_for_end(filled, id) for id in ids]
    finally:
        for one in schedulers:
            one.kill()
    assert [row.state for row in done] == ["done"] * len(ids)
    for row in done[:3]:
        assert_told_once(filled, row.id, row.result["changed"])
    with filled.reading() as connection:
        slots = connection.scalars(select(jobs.c.slot).where(jobs.c.slot.is_not(None))).all()
    assert len(slots) == len(set(slots))


def test_redis_goes_away_and_comes_back(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed"
    socket, url = tmp_path / "redis.sock", f"unix://{tmp_path / 'redis.sock'}"
    words = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    bell = Bell(filled.settings.model_copy(update={"redis_url": url}))

    def ordered() -> int:
        id = order(filled, "check", {})
        bell.ring("default")
        return id

    with nursery.worker(filled, tmp_path / "worker.log", KAMIOI_REDIS_URL=url):
        redis = Process(tmp_path / "redis.log", words, dict(os.environ), tmp_path)
        wait_until(socket.exists, "Redis listens")
        first = [ordered() for _ in range(5)]
        redis.kill()
        without = [ordered() for _ in range(5)]
        for id in (*first, *without):
            wait_for_end(filled, id)
        redis = Process(tmp_path / "redis.log", words, dict(os.environ), tmp_path)
        again = [ordered() for _ in range(5)]
        states = [wait_for_end(filled, id).state for id in again]
        redis.kill()
    assert states == ["done"] * 5


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[Database, Callable[[str], None]]]:
    """A database on a PostgreSQL server that the test may restart, and the way to do so."""
    if postgres.find_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/kamioi-fault-XXXXXX"], text=True).strip())
    with postgres.running(folder) as server:
        opened = Database(Settings(database_url=server.make("faults"), secret_key="k" * 40, _env_file=None))
        migrations.migrate(opened)
        yield opened, lambda mode: postgres.restart(folder, server, mode)
        opened.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_is_restarted(own_server: Any, tmp_path: Path, nursery: Nursery, mode: str) -> None:
    database, restart = own_server
    fill_directly(database)
    before = statuses(database)
    id = order_change(database, {}, TO_REVIEW)
    with nursery.worker(database, tmp_path / "worker.log"):
        for _ in range(3):
            done = job_of(database, id).rows_done
            wait_for_rows(database, id, done)
            restart(mode)
        wait_for_end(database, id)
    assert_done_once(database, id, before)


def fill_directly(database: Database) -> None:
    add_directory(database)
    with database.writing() as connection:
        loading.load_transactions(connection, whole_rows(random_rows(20_000)))


def test_sqlite_is_locked_by_another_writer(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    """The writer stays for longer than a chunk waits; the job waits with it and goes on."""
    if filled.dialect.name != "sqlite":
        pytest.skip("PostgreSQL locks rows, not the database")
    before = statuses(filled)
    id = order_change(filled, {}, TO_REVIEW)
    with nursery.worker(filled, tmp_path / "worker.log", KAMIOI_LOCK_SECONDS="0.5") as one:
        wait_for_rows(filled, id, 0)
        with filled.writing():
            stood = job_of(filled, id).rows_done
            wait_until(lambda: one.said().count(f"job {id} waits") >= 3, "the job has waited three times")
            assert job_of(filled, id).rows_done == stood
        wait_for_end(filled, id)
    assert_done_once(filled, id, before)


def test_the_site_is_killed_between_commit_and_answer(filled: Database, tmp_path: Path, nursery: Nursery) -> None:
    """The browser sees a broken connection and sends the form again: there is one job, and its page is the answer."""
    with dying_site(filled, tmp_path) as address:
        browser = Browser(address, filled)
        form = {"status": "failed", "do": "status", "status_to": "pending", "scope": "all", "once": "a key"}
        form["typed"] = str(statuses(filled)["failed"])
        with pytest.raises(ConnectionError):
            browser.post("/transactions/bulk", form)
        location = wait_until(lambda: browser.post_or_none("/transactions/bulk", form), "the site is back")
    with filled.reading() as connection:
        ids = connection.scalars(select(jobs.c.id)).all()
    assert [f"/jobs/{id}" for id in ids] == [location]
