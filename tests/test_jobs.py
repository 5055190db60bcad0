"""Jobs on both databases: each effect once, whatever happens to the worker; pause, cancel, retry, undo; schedules."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpers import add_directory, random_rows, stored
from job_helpers import (
    assert_told_once,
    carry_out,
    everything,
    job_of,
    order,
    order_change,
    order_undo,
    statuses,
)
from sqlalchemy import insert, select, update

from kamioi_web.db import Database
from kamioi_web.errors import Busy
from kamioi_web.jobs import bulk, changing, schedule, store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.kinds import KINDS, Kind
from kamioi_web.jobs.running import Job, LostLease, Pace
from kamioi_web.jobs.selection import of_places
from kamioi_web.jobs.tables import LABELS, job_changes, jobs
from kamioi_web.schema import allocations, merchants, transactions

ROWS = 900
TO_REVIEW = {"do": "status", "to": "needs_review"}
CHANGES: dict[str, dict[str, str]] = {
    "": TO_REVIEW,
    "status=failed": {"do": "status", "to": "pending"},
    "status=pending": {"do": "status", "to": "mapped"},
    "status=completed": {"do": "status", "to": "rejected"},
    "category=Dining": {"do": "category", "to": "Travel & <b>more</b>"},
    "merchant=shop beta": {"do": "status", "to": "completed"},
    "amount_min=10": {"do": "category", "to": "Large"},
    "ticker=SBUX": {"do": "status", "to": "failed"},
    "user=I2": {"do": "status", "to": "rejected"},
}


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    add_directory(database)
    make_transactions(random_rows(ROWS))
    return database


@pytest.mark.parametrize("query", CHANGES)
def test_a_change_reaches_every_row_of_its_filter_once_and_no_other(filled: Database, query: str) -> None:
    change = CHANGES[query]
    meant = [row for row in stored(filled, query.replace(" ", "%20")) if getattr(row, change["do"]) != change["to"]]
    others, _ = everything(filled)
    id = order_change(filled, dict(part.split("=") for part in query.split("&") if part), change)
    assert carry_out(filled) == 1
    job = job_of(filled, id)
    assert (job.state, job.result, job.error) == ("done", {"changed": len(meant)}, None)
    rows, _ = everything(filled)
    place = list(transactions.c.keys()).index(change["do"])
    ids = {row.id for row in meant}
    assert [row[place] for row in rows if row[0] in ids] == [change["to"]] * len(ids)
    assert [row for row in rows if row[0] not in ids] == [row for row in others if row[0] not in ids]
    assert_told_once(filled, id, len(meant))


def test_allocations_follow_the_status_and_undo_puts_back_every_cent(filled: Database) -> None:
    before = everything(filled)
    id = order_change(filled, {}, {"do": "status", "to": "completed"})
    carry_out(filled)
    rows, shares = everything(filled)
    place = {name: at for at, name in enumerate(transactions.c.keys())}
    due = [(row[0], row[1], row[place["ticker"]], row[place["round_up_cents"]]) for row in rows
           if row[place["ticker"]] and row[place["round_up_cents"]]]  # fmt: skip
    assert shares == sorted(due)
    undo = order_undo(filled, id)
    carry_out(filled)
    assert job_of(filled, undo).result["left"] == 0
    assert everything(filled) == before
    assert_told_once(filled, undo, job_of(filled, undo).result["changed"])


def test_a_round_up_that_was_split_over_tickers_comes_back_split(filled: Database) -> None:
    row = next(row for row in stored(filled, "status=completed") if row.ticker and row.round_up_cents > 1)
    with filled.writing() as connection:
        here = (allocations.c.user_id == row.user_id, allocations.c.transaction_id == row.id)
        connection.execute(update(allocations).where(*here).values(amount_cents=1))
        share = {"user_id": row.user_id, "transaction_id": row.id, "created_at": row.created_at}
        rest = {"ticker": "ZZZ", "amount_cents": row.round_up_cents - 1}
        connection.execute(allocations.insert().values(**share, **rest))
    before = everything(filled)
    id = order_change(filled, {}, {"do": "status", "to": "failed"})
    carry_out(filled)
    assert everything(filled)[1] == []
    order_undo(filled, id)
    carry_out(filled)
    assert everything(filled) == before


def test_mappings_are_applied_to_what_may_still_change(filled: Database) -> None:
    with filled.writing() as connection:
        some = update(merchants).where(merchants.c.id <= 15)
        connection.execute(some.values(ticker="NFLX", category="Media", mapping_id=1))
        none = update(merchants).where(merchants.c.id.between(16, 20))
        connection.execute(none.values(ticker=None, mapping_id=2))
    before = {row.id: row for row in stored(filled)}
    order_change(filled, {}, {"do": "mapping"})
    carry_out(filled)
    for row in stored(filled):
        then = before[row.id]
        if then.status not in ("pending", "needs_review", "mapped") or row.merchant_id > 20:
            assert row == then
        elif row.merchant_id <= 15:
            assert (row.ticker, row.category, row.status) == ("NFLX", "Media", "mapped")
        else:
            assert (row.ticker, row.category) == (None, then.category) and row.status != "mapped"


def test_what_comes_in_after_the_order_is_not_meant(filled: Database, make_transactions: Callable[..., None]) -> None:
    id = order_change(filled, {"status": "failed"}, TO_REVIEW)
    meant = {row.id for row in stored(filled, "status=failed")}
    make_transactions([{**row, "status": "failed"} for row in random_rows(200, seed=2)])
    carry_out(filled)
    assert job_of(filled, id).result == {"changed": len(meant)}
    assert len(stored(filled, "status=failed")) == 200


def test_undo_leaves_what_somebody_has_changed_since_and_names_it(filled: Database) -> None:
    id = order_change(filled, {"status": "failed"}, TO_REVIEW)
    rows = stored(filled, "status=failed")
    carry_out(filled)
    there_and_back, elsewhere = rows[0], rows[1]
    for places, status in (([there_and_back], "pending"), ([there_and_back], "needs_review"), ([elsewhere], "mapped")):
        kept = selection_of(places)
        order(filled, "bulk", {"selection": kept, "change": {"do": "status", "to": status}})
        carry_out(filled)
    undo = order_undo(filled, id)
    carry_out(filled)
    assert job_of(filled, undo).result == {"changed": len(rows) - 2, "left": 2}
    with filled.reading() as connection:
        left = list(changing.left_by(connection, undo, 10))
    assert {(one.subject_id, one.note) for one in left} == {
        (there_and_back.id, "it was changed since"), (elsewhere.id, "it was changed since")
    }  # fmt: skip
    now = {row.id: row.status for row in stored(filled)}
    assert now[there_and_back.id] == "needs_review" and now[elsewhere.id] == "mapped"
    assert all(now[row.id] == "failed" for row in rows[2:])


def selection_of(rows: list[Any]) -> dict[str, Any]:
    return of_places([(row.id, row.posted_at) for row in rows])


def test_a_worker_that_lost_its_lease_writes_nothing_and_the_next_one_goes_on(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ends in the middle of the third chunk; another worker takes the job before that chunk commits."""
    id = order_change(filled, {}, TO_REVIEW)
    meant = sum(row.status != "needs_review" for row in stored(filled))
    whole, seen = changing.write, []

    def write(connection: Any, job_id: int, admin_id: Any, changes: Any) -> int:
        done = whole(connection, job_id, admin_id, changes)
        seen.append(job_of(filled, id).fence)
        if len(seen) == 3:
            steal(filled, id)
        return done

    if filled.dialect.name == "postgresql":  # on SQLite nobody writes while a chunk is open, so it is stolen before it
        monkeypatch.setattr(changing, "write", write)
    else:
        steal_before_chunk(filled, id, monkeypatch)
    small_chunks(monkeypatch)
    carry_out(filled, "the first")
    job = job_of(filled, id)
    assert (job.state, job.owner) == ("running", "the thief") and 0 < job.rows_done < ROWS
    monkeypatch.setattr(changing, "write", whole)
    expire(filled, id)
    carry_out(filled, "the second")
    job = job_of(filled, id)
    assert job.state == "done" and job.result == {"changed": meant} and job.rows_done == ROWS
    assert statuses(filled) == {"needs_review": ROWS}
    assert_told_once(filled, id, meant)


def steal(database: Database, id: int) -> None:
    """Another worker has claimed the job by now."""
    with database.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == id).values(fence=jobs.c.fence + 1, owner="the thief"))


def steal_before_chunk(database: Database, id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk, seen = Job.chunk, []

    def stolen(job: Job) -> Any:
        seen.append(job.id)
        if len(seen) == 3:
            steal(database, id)
        return chunk(job)

    monkeypatch.setattr(Job, "chunk", stolen)


def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "Pace", lambda: Pace(rows=100, least=100, most=100))


def expire(database: Database, id: int) -> None:
    """The lease of a job has run out."""
    with database.writing() as connection:
        ended = datetime.now(UTC) - timedelta(hours=1)
        connection.execute(update(jobs).where(jobs.c.id == id).values(lease_until=ended))


@pytest.mark.parametrize("wish", ["pause", "cancel", "stop"])
def test_a_wish_is_met_after_the_chunk_and_what_is_left_can_be_done_later(
    filled: Database, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    id = order_change(filled, {}, TO_REVIEW)
    meant = sum(row.status != "needs_review" for row in stored(filled))
    small_chunks(monkeypatch)
    stop, chunk, seen = threading.Event(), Job.chunk, []

    def wished(job: Job) -> Any:
        seen.append(job.id)
        if len(seen) == 3 and wish == "stop":
            stop.set()
        elif len(seen) == 3:
            with filled.writing() as connection:
                getattr(store, wish)(connection, id)
        return chunk(job)

    monkeypatch.setattr(Job, "chunk", wished)
    carry_out(filled, stop=stop)
    job = job_of(filled, id)
    assert job.state == {"pause": "paused", "cancel": "cancelled", "stop": "waiting"}[wish]
    assert job.rows_done == 300 and job.owner is None and job.wish == ""
    if wish != "stop":
        with filled.writing() as connection:
            (store.resume if wish == "pause" else store.retry)(connection, id)
    carry_out(filled)
    assert job_of(filled, id).state == "done"
    assert_told_once(filled, id, meant)


def test_a_job_of_a_newer_release_waits(filled: Database) -> None:
    newer = order(filled, "polish", {})
    known = order_change(filled, {}, TO_REVIEW)
    assert carry_out(filled) == 1
    assert job_of(filled, newer).state == "waiting" and job_of(filled, known).state == "done"


def test_what_passes_by_itself_is_waited_out_and_counts_once(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    id = order_change(filled, {}, TO_REVIEW)
    meant = sum(row.status != "needs_review" for row in stored(filled))
    whole, tries = changing.write, []

    def write(*given: Any) -> int:
        done = whole(*given)
        tries.append(done)
        if len(tries) in (1, 3):
            raise Busy("The database is busy.")
        return done

    monkeypatch.setattr(changing, "write", write)
    small_chunks(monkeypatch)
    carry_out(filled)
    assert job_of(filled, id).state == "done"
    assert_told_once(filled, id, meant)


def test_a_mistake_of_ours_is_tried_again_later_and_then_said(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Job) -> dict[str, Any]:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(KINDS, "bulk", Kind("bulk", fail))
    id = order_change(filled, {}, TO_REVIEW)
    for failures in range(1, 5):
        assert carry_out(filled) == 1
        job = job_of(filled, id)
        assert (job.state, job.failures) == ("waiting", failures) and job.due_at > datetime.now(UTC) - timedelta(1)
        with filled.writing() as connection:
            connection.execute(update(jobs).values(due_at=datetime.now(UTC) - timedelta(hours=1)))
    carry_out(filled)
    job = job_of(filled, id)
    assert job.state == "failed" and "secret" not in job.error and f"job {id}" in job.error


def test_of_a_slot_there_is_one_job_however_many_schedulers_run(database: Database) -> None:
    bell, now = Bell(database.settings), datetime(2026, 3, 14, 5, tzinfo=UTC)
    made: list[list[int]] = []
    threads = [threading.Thread(target=lambda: made.append(schedule.order_due(database, bell, now))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(ids) for ids in made)[-1] >= 1 and sum(map(len, made)) == 2
    assert schedule.order_due(database, bell, now + timedelta(minutes=5)) == []
    assert len(schedule.order_due(database, bell, now + timedelta(days=1))) == 2


def test_the_upkeep_finds_wrong_totals_and_forgets_what_is_old(filled: Database) -> None:
    id = order_change(filled, {}, TO_REVIEW)
    check, clean = order(filled, "check", {}), order(filled, "clean", {})
    carry_out(filled)
    assert job_of(filled, check).result == {"differences": 0}
    with filled.writing() as connection:
        long_ago = datetime.now(UTC) - timedelta(days=90)
        connection.execute(update(jobs).where(jobs.c.id == id).values(finished_at=long_ago))
    clean = order(filled, "clean", {})
    carry_out(filled)
    assert job_of(filled, clean).result == {"changes": job_of(filled, id).result["changed"]}
    with filled.reading() as connection:
        assert connection.execute(select(job_changes)).first() is None


def test_what_undo_kept_is_forgotten_whatever_kind_of_job_it_was(database: Database) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=90)
    for name in (name for name, kind in KINDS.items() if kind.take_back):
        id = order(database, name, {})
        image = {"job_id": id, "subject": "mapping", "subject_id": 1, "at": long_ago, "changed_at": long_ago}
        with database.writing() as connection:
            connection.execute(insert(job_changes).values(**image, before={}, after={}))
            connection.execute(update(jobs).where(jobs.c.id == id).values(state="done", finished_at=long_ago))
    order(database, "clean", {})
    carry_out(database)
    with database.reading() as connection:
        assert connection.execute(select(job_changes)).first() is None


def test_two_workers_never_have_the_same_job(filled: Database) -> None:
    ids = [order(filled, "check", {}) for _ in range(20)]
    claimed: list[int] = []

    def take() -> None:
        while True:
            with filled.writing() as connection:
                row = store.claim(connection, "default", ("check",), "me")
            if row is None:
                return
            claimed.append(row.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == ids


def test_a_lost_lease_is_noticed_by_the_work_itself(filled: Database) -> None:
    id = order(filled, "check", {})
    with filled.writing() as connection:
        row = store.claim(connection, "default", ("check",), "me")
    assert row is not None
    job = Job(filled, row, threading.Event())
    job.note(5, 10)
    assert (job_of(filled, id).rows_done, job_of(filled, id).rows_total) == (5, 10)
    steal(filled, id)
    with pytest.raises(LostLease):
        job.note(6)
    with pytest.raises(LostLease):
        job.end("done")
    assert job_of(filled, id).rows_done == 5


def test_every_kind_has_a_name_that_pages_show() -> None:
    assert set(KINDS) <= set(LABELS)
