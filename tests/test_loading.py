"""Loading many rows at once: each exactly once, its round-up allocated, its month there, the totals right."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from kamioi_web import loading, totals
from kamioi_web.db import Database
from kamioi_web.schema import allocations, to_micros, transactions
from kamioi_web.sums import month_of

DAY = 86_400_000_000
FIRST = 1_700_000_000_000_000


def purchase(number: int, **differs: Any) -> tuple:
    plain = {
        "user_id": 1, "merchant_id": number % 3, "posted_at": FIRST + number * DAY, "amount_cents": 1000 + number,
        "currency": "USD", "round_up_cents": 100, "fee_cents": 0, "category": "Shopping", "status": "mapped",
        "ticker": "SBUX", "account_type": "individual", "source": "bank", "source_ref": f"row {number}",
        "created_at": FIRST + number * DAY,
    }  # fmt: skip
    return tuple((plain | differs)[name] for name in loading.TRANSACTION_COLUMNS)


def load(database: Database, rows: list[tuple]) -> int:
    with database.writing() as connection:
        return loading.load_transactions(connection, rows)


def test_the_same_rows_again_change_nothing(database: Database) -> None:
    rows = [purchase(number) for number in range(40)]
    assert load(database, rows) == 40
    assert load(database, rows) == 0
    assert load(database, [*rows[30:], *(purchase(number) for number in range(40, 50))]) == 10
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(transactions)) == 50
        assert connection.scalar(select(func.sum(allocations.c.amount_cents))) == 5_000
    assert list(totals.check(database)) == []


def test_a_round_up_goes_to_the_ticker_of_mapped_purchases_alone(database: Database) -> None:
    rows = [
        purchase(1),
        purchase(2, status="completed", round_up_cents=250),
        purchase(3, status="pending", ticker=None),
        purchase(4, status="failed"),
        purchase(5, amount_cents=-500, round_up_cents=0),
    ]
    load(database, rows)
    with database.reading() as connection:
        shares = connection.execute(select(allocations.c.ticker, allocations.c.amount_cents)).all()
    assert sorted(map(tuple, shares)) == [("SBUX", 100), ("SBUX", 250)]


def test_a_load_that_fails_leaves_nothing_behind(database: Database) -> None:
    load(database, [purchase(1)])
    with pytest.raises(RuntimeError), database.writing() as connection:
        loading.load_transactions(connection, [purchase(2), purchase(3)])
        raise RuntimeError
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(transactions)) == 1
    assert list(totals.check(database)) == []
    assert load(database, [purchase(2)]) == 1  # and the row triggers, where there are any, are on again
    with database.writing() as connection:
        connection.execute(transactions.update().values(status="failed"))
    assert list(totals.check(database)) == []


def test_the_partition_of_a_month_is_made_by_need(database: Database) -> None:
    if not database.dialect.partitions:
        pytest.skip("SQLite keeps every month in one table")
    load(database, [purchase(number) for number in range(0, 120, 10)])
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM transactions_default")) == 0


def test_the_python_and_the_sql_month_are_the_same(database: Database) -> None:
    load(database, [purchase(number) for number in range(0, 800, 13)])
    with database.reading() as connection:
        moments = connection.scalars(select(transactions.c.posted_at)).all()
        hour = database.dialect.hour_of(transactions.c.posted_at)
        months = connection.scalars(select(database.dialect.month_of(hour)).order_by(transactions.c.id)).all()
    assert sorted(months) == sorted(month_of(to_micros(moment) // 3_600_000_000) for moment in moments)
