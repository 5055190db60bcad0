"""Totals are exact at every instant: after any change, while many write, and found out when something bypassed them."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import micros
from helpers import CATEGORIES, DAY, HOUR, START, STATUS_CHANCES, TICKERS, add_directory, random_rows, stored
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import Connection, case, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from kamioi_web import grains, loading, totals
from kamioi_web.db import Database
from kamioi_web.grains import GRAINS
from kamioi_web.schema import (
    ACCOUNT_TYPES,
    audit_events,
    from_micros,
    llm_mappings,
    merchants,
    totals_now,
    transactions,
    users,
)
from kamioi_web.totals import Slice

# Times at the edges of hours, days and months, where a bucket is easily missed by one.
EDGES = [
    micros(day) + shift
    for day in ("2023-12-31T23:00:00", "2024-01-31T12:00:00", "2024-03-01T00:00:00")
    for shift in (0, -1, 1, HOUR - 1, HOUR, DAY)
]
VALUES: dict[str, Any] = {
    "user_id": strategies.integers(1, 3),
    "merchant_id": strategies.sampled_from([1, 2, 2**62]),
    "posted_at": strategies.sampled_from(EDGES).map(from_micros),
    "amount_cents": strategies.integers(-(10**12), 10**12),
    "currency": strategies.sampled_from(["USD", "CAD"]),
    "round_up_cents": strategies.integers(0, 10**6),
    "fee_cents": strategies.integers(-100, 100),
    "category": strategies.sampled_from(CATEGORIES),
    "status": strategies.sampled_from(list(STATUS_CHANCES)),
    "ticker": strategies.sampled_from(TICKERS),
    "account_type": strategies.sampled_from(ACCOUNT_TYPES),
}
ROW = strategies.fixed_dictionaries(
    VALUES
    | {
        "source": strategies.sampled_from(["bank", "import"]),
        "source_ref": strategies.integers(1, 6).map(str),
        "created_at": strategies.just(from_micros(EDGES[-1])),
    }
)
CHANGE = strategies.sampled_from(list(VALUES)).flatmap(lambda name: strategies.fixed_dictionaries({name: VALUES[name]}))
PICK = strategies.integers(0, 10**6)
STEPS = strategies.lists(
    strategies.one_of(
        strategies.tuples(strategies.just("insert"), ROW),
        strategies.tuples(strategies.just("ignore"), ROW),
        strategies.tuples(strategies.just("replace"), ROW),
        strategies.tuples(strategies.just("update"), PICK, CHANGE),
        strategies.tuples(strategies.just("update some"), PICK, CHANGE),
        strategies.tuples(strategies.just("delete"), PICK),
        strategies.tuples(strategies.just("load"), strategies.lists(ROW, min_size=1, max_size=6)),
        strategies.tuples(strategies.just("undone"), ROW),
        strategies.tuples(strategies.just("fold")),
    ),
    min_size=1,
    max_size=12,
)
RANDOM = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
KEY = ["user_id", "source", "source_ref", "posted_at"]


@given(steps=STEPS)
@RANDOM
def test_totals_equal_a_recount_after_any_changes(database: Database, steps: list[tuple[Any, ...]]) -> None:
    for name, *given_values in steps:
        apply(database, name, *given_values)
    assert list(totals.check(database)) == []
    assert_recounted(database)


def apply(database: Database, name: str, *values: Any) -> None:
    """One step of a random sequence, in a transaction of its own."""
    try:
        with database.writing() as connection:
            STEP[name](connection, *values)
            if name == "undone":
                raise Undone
    except Undone:
        pass
    except DBAPIError as error:
        assert "unique" in str(error).lower(), error


class Undone(Exception):
    """Ends a transaction without its changes."""


def put(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(transactions).values(**row))


def put_unless_there(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(upsert(connection, row).on_conflict_do_nothing(index_elements=KEY))


def replace(connection: Connection, row: dict[str, Any]) -> None:
    """INSERT OR REPLACE on SQLite, ON CONFLICT DO UPDATE on PostgreSQL."""
    if connection.dialect.name == "sqlite":
        connection.execute(insert(transactions).prefix_with("OR REPLACE").values(**row))
        return
    statement = upsert(connection, row)
    changes = {name: statement.excluded[name] for name in VALUES if name not in KEY}
    connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=changes))


def upsert(connection: Connection, row: dict[str, Any]) -> Any:
    make = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    return make(transactions).values(**row)


def change(connection: Connection, pick: int, values: dict[str, Any]) -> None:
    connection.execute(update(transactions).where(transactions.c.id == picked(connection, pick)).values(**values))


def change_some(connection: Connection, pick: int, values: dict[str, Any]) -> None:
    if "posted_at" not in values and "user_id" not in values:  # those may collide
        connection.execute(update(transactions).where(transactions.c.id % 3 == pick % 3).values(**values))


def remove(connection: Connection, pick: int) -> None:
    connection.execute(delete(transactions).where(transactions.c.id == picked(connection, pick)))


def picked(connection: Connection, pick: int) -> int:
    ids = connection.scalars(select(transactions.c.id).order_by(transactions.c.id)).all()
    return ids[pick % len(ids)] if ids else -1


def load(connection: Connection, rows: list[dict[str, Any]]) -> None:
    tuples = []
    for row in rows:
        at = {name: micros(row[name].isoformat()) for name in ("posted_at", "created_at")}
        tuples.append(tuple((row | at)[name] for name in loading.TRANSACTION_COLUMNS))
    loading.load_transactions(connection, tuples, allocate=False)


STEP: dict[str, Callable[..., Any]] = {
    "insert": put,
    "ignore": put_unless_there,
    "replace": replace,
    "update": change,
    "update some": change_some,
    "delete": remove,
    "load": load,
    "undone": put,
    "fold": totals.fold,
}


def assert_recounted(database: Database) -> None:
    """The same as check(), counted in Python from the rows, so that a mistake in both is seen."""
    with database.reading(60) as connection:
        rows = connection.execute(select(transactions)).fetchall()
        kept = {tuple(row[:9]): tuple(row[9:]) for row in kept_totals(connection)}
    wanted: dict[tuple, list[int]] = {}
    for row in rows:
        for key in keys_of(row):
            sums = wanted.setdefault(key, [0, 0, 0, 0])
            for at, value in enumerate((1, row.amount_cents, row.round_up_cents, row.fee_cents)):
                sums[at] += value
    assert kept == {key: tuple(sums) for key, sums in wanted.items()}


OF_TRANSACTIONS = [name for name, grain in GRAINS.items() if grain.source.money]


def kept_totals(connection: Connection) -> list[Any]:
    c = totals_now.c
    keys = [c[name] for name in ("grain", "subject", "ticker", "bucket", *grains.CUBE, "currency")]
    sums = [func.sum(c[name]) for name in grains.MEASURES]
    query = select(*keys, *sums).where(c.grain.in_(OF_TRANSACTIONS)).group_by(*keys)
    return [row for row in connection.execute(query) if any(row[9:])]


def keys_of(row: Any) -> Iterator[tuple]:
    """The keys of one row in every grain, as the table in sql/0003_totals says."""
    at = micros(row.posted_at.isoformat())
    month = (row.posted_at.year - 1970) * 12 + row.posted_at.month - 1
    kind = "refund" if row.amount_cents < 0 else "purchase"
    cube = (row.status, row.category, row.account_type, kind, row.currency)
    thin = (row.status, "", "", "", row.currency)
    yield ("ever", 0, "", 0, *cube)
    yield ("month", 0, "", month, *cube)
    yield ("day", 0, "", at // DAY, *thin)
    yield ("cube", 0, "", at // DAY, *cube)
    yield ("hour", 0, "", at // HOUR, *thin)
    yield ("user", row.user_id, "", 0, *thin)
    yield ("merchant", row.merchant_id, "", 0, *thin)
    yield ("merchant_month", row.merchant_id, "", month, "", "", "", "", row.currency)
    if row.ticker is not None:
        yield ("ticker", 0, row.ticker, month, "", "", "", "", row.currency)
        yield ("ticker_day", 0, row.ticker, at // DAY, "", "", "", "", row.currency)


def test_a_change_of_any_column_moves_the_totals(database: Database, make_transactions: Callable[..., None]) -> None:
    make_transactions(random_rows(30))
    others = {
        "user_id": 77,
        "merchant_id": 78,
        "posted_at": from_micros(EDGES[7]),
        "currency": "EUR",
        "ticker": "NEW",
        "category": "Other",
        "status": "rejected",
        "account_type": "business",
    }
    for column in VALUES:
        with database.writing() as connection:
            changed = update(transactions).where(transactions.c.id <= 10).values({column: others.get(column, 4242)})
            assert connection.execute(changed).rowcount == 10
        assert_recounted(database)
    assert list(totals.check(database)) == []


def test_loading_the_same_rows_twice_changes_nothing(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    rows = random_rows(300)
    make_transactions(rows)
    before = stored_totals(database)
    make_transactions(rows)
    make_transactions([*rows[:50], rows[0]])
    assert stored_totals(database) == before
    assert list(totals.check(database)) == []


def stored_totals(database: Database) -> list[Any]:
    with database.reading() as connection:
        return sorted(tuple(row) for row in kept_totals(connection))


def test_a_load_that_fails_leaves_no_trace(database: Database, make_transactions: Callable[..., None]) -> None:
    make_transactions(random_rows(50))
    with pytest.raises(Exception, match=r"(?i)check|constraint"):
        make_transactions([{"source_ref": "fine"}, {"source_ref": "bad", "status": "nonsense"}])
    assert list(totals.check(database)) == []
    make_transactions([{"source_ref": "after"}])  # and the triggers work on
    with database.writing() as connection:
        connection.execute(update(transactions).values(status="failed"))
    assert list(totals.check(database)) == []


def test_reading_a_slice_adds_up_what_it_names(database: Database, make_transactions: Callable[..., None]) -> None:
    add_directory(database)
    make_transactions(random_rows(400))
    rows = stored(database)
    with database.reading() as connection:
        by_status = {row[0]: row[1:] for row in totals.read(connection, Slice("ever"), ("status",))}
        march = (micros("2024-03-01T00:00:00") // DAY, micros("2024-03-31T00:00:00") // DAY)
        failed = totals.read(
            connection, Slice("day", buckets=march, status=("failed", "mapped"), currency=("USD",)), ()
        )
        user = totals.read(connection, Slice("user", subjects=(1, 2)), ("subject", "currency"))
    counted = Counter(row.status for row in rows)
    assert {status: values[0] for status, values in by_status.items()} == counted
    assert sum(values[1] for values in by_status.values()) == sum(row.amount_cents for row in rows)
    some = [row for row in rows if row.posted_at.month == 3 and row.posted_at.year == 2024 and row.currency == "USD"]
    some = [row for row in some if row.status in ("failed", "mapped")]
    assert some, "the rows of the test miss this slice"
    assert tuple(failed[0]) == (len(some), *(sum(getattr(r, name) for r in some) for name in grains.MEASURES[1:]))
    ours = Counter((row.user_id, row.currency) for row in rows if row.user_id in (1, 2))
    assert {(row[0], row[1]): row[2] for row in user} == ours


def test_check_finds_a_planted_difference_and_rebuild_mends_it(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    make_transactions([row for row in random_rows(60) if row["posted_at"] < START + 40 * DAY])
    for grain in OF_TRANSACTIONS:
        plant(database, grain)
        found = list(totals.check(database))
        assert found
        assert all(line.startswith(grain) for line in found)
        assert "amount_cents by -3" in found[0]
        totals.rebuild(database)
        assert list(totals.check(database)) == []
    assert_recounted(database)


def plant(database: Database, grain: str) -> None:
    """Make one row of that grain wrong."""
    with database.writing() as connection:
        totals.fold(connection)
        one = text("SELECT bucket, subject, currency, ticker, status FROM totals WHERE grain = :g LIMIT 1")
        row = connection.execute(one, {"g": grain}).one()
        same = "bucket = :b AND subject = :s AND currency = :c AND ticker = :t AND status = :st"
        planted = text(f"UPDATE totals SET amount_cents = amount_cents + 3 WHERE grain = :g AND {same}")
        connection.execute(planted, {"g": grain, "b": row[0], "s": row[1], "c": row[2], "t": row[3], "st": row[4]})


def test_check_finds_rows_that_came_and_went_behind_the_triggers(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    make_transactions(random_rows(60))
    off, on = TRIGGERS_OFF[database.dialect.name]
    with database.writing() as connection:
        connection.execute(text(off))
        connection.execute(delete(transactions).where(transactions.c.id <= 5))
        connection.execute(update(transactions).where(transactions.c.id == 6).values(status="rejected"))
        put(connection, plain_row("2026-05-05T05:05:05"))  # a month of its own
        connection.execute(text(on))
    found = " ".join(totals.check(database))
    assert {grain for grain in GRAINS if f"{grain} " in found} >= set(OF_TRANSACTIONS) - {"ticker", "ticker_day"}
    totals.rebuild(database)
    assert list(totals.check(database)) == []
    assert_recounted(database)


TRIGGERS_OFF = {
    "sqlite": ("UPDATE totals_mode SET bulk = 1", "UPDATE totals_mode SET bulk = 0"),
    "postgresql": ("ALTER TABLE transactions DISABLE TRIGGER USER", "ALTER TABLE transactions ENABLE TRIGGER USER"),
}


def plain_row(at: str) -> dict[str, Any]:
    moment = from_micros(micros(at))
    return {
        "user_id": 1,
        "merchant_id": 1,
        "posted_at": moment,
        "amount_cents": 5,
        "currency": "USD",
        "round_up_cents": 0,
        "fee_cents": 0,
        "category": "Dining",
        "status": "failed",
        "account_type": "family",
        "source": "manual",
        "source_ref": at,
        "created_at": moment,
    }


def list_counts(connection: Connection, name: str) -> dict[tuple, int]:
    """{(grain, ticker, bucket, status, account type, kind): n} of a list that is counted."""
    c = totals_now.c
    keys = [c[key] for key in ("grain", "ticker", "bucket", "status", "account_type", "kind")]
    grains = [name, f"{name}_day", f"{name}_hour", f"{name}_ticker"]
    rows = connection.execute(select(*keys, func.sum(c.n)).where(c.grain.in_(grains)).group_by(*keys))
    return {tuple(row[:6]): int(row[6]) for row in rows if row[6]}


def expected_counts(name: str, rows: list[tuple]) -> dict[tuple, int]:
    """The same from rows of (time, status, account type, kind, ticker)."""
    wanted: Counter[tuple] = Counter()
    for at, status, account_type, kind, ticker in rows:
        wanted[name, "", 0, status, account_type, kind] += 1
        wanted[f"{name}_day", "", at // DAY, status, account_type, kind] += 1
        wanted[f"{name}_hour", "", at // HOUR, status, account_type, kind] += 1
        if ticker:
            wanted[f"{name}_ticker", ticker, 0, status, "", ""] += 1
    return dict(wanted)


def test_the_other_lists_are_counted_through_every_change(database: Database) -> None:
    chance = random.Random(5)
    made = [START + chance.randrange(90) * DAY + chance.randrange(24) * HOUR for _ in range(40)]
    with database.writing() as connection:
        for id, at in enumerate(made, 1):
            moment = from_micros(at)
            person = {"id": id, "account_number": f"I{id}", "name": "One", "round_up_cents": 100, "created_at": moment}
            kind = chance.choice(ACCOUNT_TYPES)
            connection.execute(insert(users).values(**person, account_type=kind, status="active"))
            shop = {"id": id, "descriptor": f"SHOP {id}", "name": "Shop", "first_seen": moment, "last_seen": moment}
            connection.execute(insert(merchants).values(**shop, ticker=chance.choice((None, "SBUX"))))
            mapping = {"id": id, "merchant_id": id, "confidence": 0.5, "version": 1, "created_at": moment}
            connection.execute(
                insert(llm_mappings).values(
                    **mapping, status="pending", source="llm", ticker=chance.choice((None, "T"))
                )
            )
            connection.execute(
                insert(audit_events).values(at=moment, action=chance.choice(("login", "logout")), detail={})
            )
        connection.execute(update(users).where(users.c.id % 3 == 0).values(status="closed"))
        connection.execute(delete(users).where(users.c.id % 7 == 0))
        connection.execute(update(merchants).where(merchants.c.id % 4 == 0).values(ticker=None, mapping_id=9))
        connection.execute(update(merchants).values(last_seen=from_micros(START)))  # changes nothing that is counted
        connection.execute(
            update(llm_mappings).where(llm_mappings.c.id % 5 == 0).values(status="approved", ticker="AAPL")
        )
        connection.execute(delete(llm_mappings).where(llm_mappings.c.id % 11 == 0))
    for folded in (False, True):
        with database.writing() as connection:
            if folded:
                totals.fold(connection)
            assert_lists_recounted(connection)
        assert list(totals.check(database)) == []
    with database.writing() as connection:
        connection.execute(text("UPDATE totals SET n = n + 1 WHERE grain = 'mappings_day'"))
    assert any("mappings_day" in line for line in totals.check(database))
    totals.rebuild(database)
    assert list(totals.check(database)) == []


def assert_lists_recounted(connection: Connection) -> None:
    def read(table: Any, at: str) -> list[tuple[int, Any]]:
        return [(micros(getattr(row, at).isoformat()), row) for row in connection.execute(select(table))]

    people = [(at, row.status, row.account_type, "", None) for at, row in read(users, "created_at")]
    mappings = [(at, row.status, "", row.source, row.ticker) for at, row in read(llm_mappings, "created_at")]
    shops = [
        (at, "mapped" if row.ticker else "nobody" if row.mapping_id else "unmapped", "", "", None)
        for at, row in read(merchants, "first_seen")
    ]
    events = [(at, "", "", row.action, None) for at, row in read(audit_events, "at")]
    for name, rows in {"users": people, "mappings": mappings, "merchants": shops, "audit": events}.items():
        assert len(rows) > 20, name
        assert list_counts(connection, name) == expected_counts(name, rows), name


def test_the_newest_time_of_a_user_is_kept(database: Database, make_transactions: Callable[..., None]) -> None:
    rows = random_rows(200)
    make_transactions(rows)
    with database.writing() as connection:
        put(connection, plain_row("2026-05-05T05:05:05.000001"))
        connection.execute(update(transactions).values(status="failed"))
    newest: dict[int, int] = {1: micros("2026-05-05T05:05:05.000001")}
    for row in rows:
        newest[row["user_id"]] = max(newest.get(row["user_id"], 0), row["posted_at"])
    c = totals_now.c
    query = select(c.subject, func.max(c.last_at)).where(c.grain == "user").group_by(c.subject)
    with database.writing() as connection:
        assert dict(connection.execute(query).all()) == newest
        totals.fold(connection)
    totals.rebuild(database)
    with database.reading() as connection:
        assert dict(connection.execute(query).all()) == newest


def test_truncate_is_refused(database: Database, make_transactions: Callable[..., None]) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE; its DELETE fires the triggers")
    make_transactions(random_rows(10))
    with pytest.raises(DBAPIError, match="would bypass the totals"), database.writing() as connection:
        connection.execute(text("TRUNCATE transactions"))
    assert list(totals.check(database)) == []


def test_deleting_everything_leaves_nothing(database: Database, make_transactions: Callable[..., None]) -> None:
    make_transactions(random_rows(200))
    with database.writing() as connection:
        connection.execute(delete(transactions))
    assert stored_totals(database) == []


def test_every_read_is_exact_while_others_write(database: Database, make_transactions: Callable[..., None]) -> None:
    """Writers and a folder at work; each read of the totals is compared with a count in the same snapshot."""
    make_transactions(random_rows(200))
    stop, problems = threading.Event(), []

    def keep_on(work: Callable[[int], None]) -> threading.Thread:
        def run() -> None:
            turn = 0
            try:
                while not stop.is_set():
                    turn += 1
                    work(turn)
            except Exception as error:
                problems.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    writers = [Writer(database, seed) for seed in range(1 if database.dialect.name == "sqlite" else 4)]
    threads = [keep_on(work) for work in (*writers, lambda _: fold(database))]
    try:
        reads: list[tuple[tuple, tuple]] = []
        deadline = time.monotonic() + 10
        while not problems and (len(reads) < 60 or len(set(reads)) < 20) and time.monotonic() < deadline:
            reads.append(compare(database))
            time.sleep(0.005)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert problems == []
    assert [read for read in reads if read[0] != read[1]] == []
    assert len(set(reads)) >= 20, "nothing was written meanwhile"
    assert list(totals.check(database)) == []


def fold(database: Database) -> None:
    with database.writing() as connection:
        totals.fold(connection)
    time.sleep(0.003)


class Writer:
    """Changes rows of its own, a transaction each time it is called."""

    def __init__(self, database: Database, number: int) -> None:
        self.database, self.number, self.chance = database, number, random.Random(number)

    def __call__(self, turn: int) -> None:
        meddle(self.database, self.chance, f"{self.number}-{turn}")


def meddle(database: Database, chance: random.Random, reference: str) -> None:
    """Insert, change and delete a few rows in one transaction."""
    t = transactions.c
    with database.writing() as connection:
        for number in range(chance.randrange(1, 4)):
            row = plain_row("2024-03-14T09:00:00") | {"source_ref": f"{reference}-{number}"}
            put(
                connection,
                row | {"posted_at": from_micros(chance.choice(EDGES)), "status": chance.choice(["failed", "mapped"])},
            )
        if reference.endswith("5"):
            connection.execute(delete(transactions).where(t.source_ref.like(f"{reference[:1]}-%-0")))
        mine = t.source_ref.like(f"{reference[:1]}-%-1")
        connection.execute(update(transactions).where(mine).values(amount_cents=chance.randrange(10**6)))


def compare(database: Database) -> tuple[tuple, tuple]:
    """(what the totals say, what the rows say) of one snapshot."""
    c, t = totals_now.c, transactions.c
    failed = func.coalesce(func.sum(case((c.status == "failed", c.n), else_=0)), 0)
    with database.reader.connect() as connection:
        begin = "BEGIN" if database.dialect.name == "sqlite" else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        connection.exec_driver_sql(begin)
        kept = select(func.coalesce(func.sum(c.n), 0), func.sum(c.amount_cents), failed).where(c.grain == "hour")
        rows = select(func.count(), func.sum(t.amount_cents), func.sum(case((t.status == "failed", 1), else_=0)))
        told, counted = (tuple(map(int, connection.execute(query).one())) for query in (kept, rows))
        connection.exec_driver_sql("ROLLBACK")
    return told, counted


def test_one_statement_is_exact_without_a_snapshot_of_its_own(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    """The read that pages make: no transaction around it, only the statement."""
    make_transactions(random_rows(50))
    stop, problems = threading.Event(), []

    def move() -> None:
        try:
            for turn in range(2_000):
                if stop.is_set():
                    return
                status = ("failed", "mapped")[turn % 2]
                with database.writing() as connection:
                    connection.execute(update(transactions).values(status=status))  # the number stays
                fold(database)
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        with database.reading(60) as connection:
            counts = [sum(row.n for row in totals.read(connection, Slice("ever"), ("status",))) for _ in range(300)]
    finally:
        stop.set()
        thread.join(30)
    assert problems == []
    assert set(counts) == {50}


def test_folding_empties_the_tail_and_takes_turns(database: Database, make_transactions: Callable[..., None]) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no tail")
    make_transactions(random_rows(50))
    before = stored_totals(database)
    with database.writing() as first:
        assert totals.fold(first) > 0
        with database.writing() as second:
            assert totals.fold(second) == -1
    with database.writing() as connection:
        assert connection.scalar(text("SELECT count(*) FROM totals_delta")) == 0
        assert totals.fold(connection) == 0
    assert stored_totals(database) == before


def test_buckets_count_in_utc_wherever_the_server_is(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no time zone")
    with database.writing() as connection:
        connection.execute(text("SET LOCAL timezone = 'Pacific/Kiritimati'"))  # 14 hours ahead
        for at in EDGES:
            put(connection, plain_row("2024-03-14T09:00:00") | {"posted_at": from_micros(at), "source_ref": str(at)})
    assert list(totals.check(database)) == []
    assert_recounted(database)


def test_month_start_is_where_the_month_begins() -> None:
    assert [totals.month_start(month) for month in (0, 11, 12, 650)] == [
        micros(day)
        for day in ("1970-01-01T00:00:00", "1970-12-01T00:00:00", "1971-01-01T00:00:00", "2024-03-01T00:00:00")
    ]
    assert from_micros(totals.month_start(650)) == datetime(2024, 3, 1, tzinfo=UTC)
