"""The figures of Analytics equal a recount of the rows, on both databases: sums, steps, tickers, merchants, ages."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from conftest import micros
from helpers import DAY, START, add_directory, random_rows, statements_of, stored
from sqlalchemy import delete, insert, select, text

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.periods import Period
from kamioi_web.queries import analytics, flows, top_merchants
from kamioi_web.queries.analytics import figures
from kamioi_web.queries.analytics_scope import Scope, extent, scope_of
from kamioi_web.schema import from_micros, merchants, transactions

TODAY = date(2025, 10, 1)
PERIODS = {
    "whole months": ("2024-02-01", "2024-04-30"),
    "a year of whole months": ("2024-09-01", "2025-08-31"),
    "edges": ("2024-02-11", "2024-09-05"),
    "inside a month": ("2024-08-18", "2024-08-25"),
    "over the end of a month, without a whole one": ("2024-02-20", "2024-03-10"),
    "one day": ("2024-02-20", "2024-02-20"),
    "the leap day": ("2024-02-29", "2024-02-29"),
    "before the data": ("2019-01-01", "2019-12-31"),
    "after the data": ("2031-05-05", "2031-06-06"),
    "all that an address can hold": ("1970-01-01", "2199-12-31"),
}
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"category": ("Travel", "Fuel & Co")},
    {"account_type": ("family",), "category": ("Dining",)},
)


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    """900 random rows in two currencies; on PostgreSQL the last hundred are in the unfolded tail."""
    add_directory(database)
    make_transactions(random_rows(800))
    with database.writing() as connection:
        totals.fold(connection)
    make_transactions(random_rows(100, seed=2))
    return database


def look(database: Database, since: str, until: str, **given: Any) -> tuple[Scope, Any]:
    """The scope and the figures of an address."""
    dates = {"since": date.fromisoformat(since), "until": date.fromisoformat(until)}
    with database.reading(60) as connection:
        there = extent(connection, TODAY)
        scope = scope_of({**dates, "currency": "USD", **given}, there, TODAY)
        return scope, figures(connection, scope, there, TODAY)


def within(rows: Iterable[Any], period: Period | None, **wanted: Any) -> list[Any]:
    """The rows of a period with the wanted values, picked one by one."""
    if period is None:
        return []
    return [
        row
        for row in rows
        if period.since <= row.posted_at.date() <= period.until
        and all(getattr(row, name) in values for name, values in wanted.items() if values)
    ]


def measures(rows: Iterable[Any]) -> dict[str, int]:
    found = list(rows)
    return {
        "transactions": len(found),
        "volume_cents": sum(row.amount_cents for row in found),
        "round_up_cents": sum(row.round_up_cents for row in found),
        "fee_cents": sum(row.fee_cents for row in found),
    }


def totals_of(rows: list[Any]) -> dict[str, Any]:
    failed, refunds = (
        [row for row in rows if row.status == "failed"],
        [row for row in rows if row.amount_cents < 0],
    )
    return measures(rows) | {
        "invested_cents": sum(row.round_up_cents for row in rows if row.status == "completed"),
        "refunds": len(refunds),
        "refund_cents": sum(row.amount_cents for row in refunds),
        "failed": len(failed),
        "failure_rate_percent": round(100 * len(failed) / len(rows), 4) if rows else 0,
    }


def parts_of(now: list[Any], before: list[Any], name: str) -> list[dict[str, Any]]:
    found = [
        {
            name: value,
            **measures(row for row in now if getattr(row, name) == value),
            "before": measures(row for row in before if getattr(row, name) == value),
        }
        for value in {getattr(row, name) for row in now}
        if value is not None
    ]
    return sorted(found, key=lambda part: (-part["volume_cents"], part[name]))


def test_figures_equal_a_recount_of_the_rows(filled: Database) -> None:
    rows = stored(filled)
    for dates, given in product(PERIODS.values(), FILTERS):
        scope, found = look(filled, *dates, **given)
        wanted = {"currency": ("USD",), **given}
        now, before = within(rows, scope.period, **wanted), within(rows, scope.before, **wanted)
        assert found["totals"] == totals_of(now) | {"before": totals_of(before) if scope.before else None}
        assert found["categories"] == parts_of(now, before, "category")
        assert found["account_types"] == parts_of(now, before, "account_type")
        purchases = Counter(row.status for row in now if row.amount_cents >= 0)
        assert found["funnel"]["purchases"] == purchases.total()
        assert found["funnel"]["reached"] == purchases["mapped"] + purchases["completed"]
        assert {status: n for status, n in found["funnel"].items() if status in purchases} == purchases
        if given:
            assert found["tickers"] is None and found["merchants"] is None
        else:
            assert found["tickers"]["rows"] == parts_of(now, before, "ticker")


def test_steps_equal_a_recount_and_add_up_to_the_period(filled: Database) -> None:
    rows = stored(filled, "currency=USD")
    for dates, by, given in product(PERIODS.values(), ("day", "week", "month"), FILTERS[1:]):
        scope, found = look(filled, *dates, by=by, **given)
        check_steps(found, "now", within(rows, scope.period, **given))
        check_steps(found, "before", within(rows, scope.before, **given))
    for dates in PERIODS.values():
        scope, found = look(filled, *dates)
        check_steps(found, "now", within(rows, scope.period))


def check_steps(found: dict[str, Any], side: str, rows: list[Any]) -> None:
    """The steps hold these rows, each in its own, without a gap."""
    points = [point[side] for point in found["series"] if point[side]]
    days = [tuple(date.fromisoformat(point[end]) for end in ("since", "until")) for point in points]
    assert all(a[1] + timedelta(days=1) == b[0] for a, b in pairwise(days)) and len(points) <= 400
    steps: dict[int, list[Any]] = {}
    for row in rows:
        steps.setdefault(bisect_right([first for first, _ in days], row.posted_at.date()) - 1, []).append(row)
    for number, point in enumerate(points):
        there = steps.get(number, [])
        assert point["transactions"] == len(there)
        assert point["volume_cents"] == sum(row.amount_cents for row in there)
        assert point["failed"] == sum(row.status == "failed" for row in there)


def test_the_other_currency_is_never_mixed_in(filled: Database) -> None:
    scope, found = look(filled, *PERIODS["edges"], currency="CAD")
    assert found["totals"]["transactions"] == len(within(stored(filled, "currency=CAD"), scope.period)) > 0
    _, none = look(filled, *PERIODS["edges"], currency="XXX")
    assert none["totals"]["transactions"] == 0 and none["merchants"]["rows"] == [] and none["merchants"]["proven"]


def test_the_currency_with_most_rows_is_looked_at_first(filled: Database) -> None:
    with filled.reading(60) as connection:
        there = extent(connection, TODAY)
    assert scope_of({}, there, TODAY).currency == "USD"
    assert dict(there.currencies) == Counter(row.currency for row in stored(filled))


def test_few_tickers_and_the_rest_make_the_whole(filled: Database) -> None:
    with filled.reading(60) as connection:
        period = Period(date(2024, 2, 11), date(2024, 9, 5))
        few = analytics.top_tickers(connection, period, None, "USD", 2)
        every = analytics.top_tickers(connection, period, None, "USD", None)
    assert few.rows == every.rows[:2] and few.others == len(every.rows) - 2
    assert few.rest == flows.Sums(*(sum(column) for column in zip(*(row.now for row in every.rows[2:]), strict=True)))


def test_ages_of_what_waits(filled: Database) -> None:
    rows = stored(filled, "currency=USD")
    for dates, status in product(PERIODS.values(), ("pending", "mapped")):
        scope, found = look(filled, *dates)
        days = sorted(row.posted_at.date() for row in within(rows, scope.period, status=(status,)))
        if not days:
            assert status not in found["waiting"]
            continue
        assert found["waiting"][status] == {
            "transactions": len(days),
            "oldest": days[0].isoformat(),
            "oldest_transactions": days.count(days[0]),
            "oldest_days": max(0, (TODAY - days[0]).days),
            "median_days": max(0, (TODAY - days[(len(days) - 1) // 2]).days),
        }


def top_of(rows: list[Any], shown: int = 10) -> list[tuple[int, int, int]]:
    """(merchant, n, cents) of the merchants with the most money, by summing all of them."""
    n: Counter[int] = Counter()
    cents: Counter[int] = Counter()
    for row in rows:
        n[row.merchant_id] += 1
        cents[row.merchant_id] += row.amount_cents
    ranked = sorted(((id, n[id], sum) for id, sum in cents.items() if sum > 0), key=lambda one: (-one[2], one[0]))
    return ranked[:shown]


def test_top_merchants_equal_a_recount(filled: Database) -> None:
    rows = stored(filled, "currency=USD")
    names = {row.merchant_id: row.merchant for row in rows}
    for dates in PERIODS.values():
        scope, found = look(filled, *dates)
        top = found["merchants"]
        period, before = (Period(*map(date.fromisoformat, top[side].values())) if top[side] else None
                          for side in ("months", "before"))  # fmt: skip
        assert period == scope.period.touched_months() and period.whole_months
        assert top["proven"]
        shown = [(row["merchant_id"], row["transactions"], row["volume_cents"]) for row in top["rows"]]
        assert shown == top_of(within(rows, period))
        assert all(row["merchant"] == names[row["merchant_id"]] for row in top["rows"])
        for row in top["rows"]:
            earlier = within(rows, before, merchant_id=(row["merchant_id"],))
            assert row["before"]["volume_cents"] == sum(one.amount_cents for one in earlier)


def rival_rows(chance: random.Random, merchants_there: int) -> list[dict[str, Any]]:
    """Months in which other merchants are first each time, so that few candidates do not tell."""
    rows = []
    for number in range(1_500):
        month, merchant = chance.randrange(6), chance.randrange(1, merchants_there)
        favoured = merchant % 6 == month
        amount = chance.randrange(5_000, 9_000) if favoured else chance.randrange(-400, 4_000)
        at = START + month * 31 * DAY + chance.randrange(20) * DAY
        rows.append({"merchant_id": merchant, "posted_at": at, "amount_cents": amount, "source_ref": f"r{number}"})
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_that_says_it_is_proven_is_right(
    database: Database, make_transactions: Callable[..., None], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    rows = rival_rows(chance, 200)
    make_transactions(rows[:1_000])
    with database.writing() as connection:
        totals.fold(connection)
    make_transactions(rows[1_000:])
    with database.writing() as connection:  # some of what was folded goes again, in the tail
        ids = connection.scalars(select(transactions.c.id).where(transactions.c.id % 17 == seed)).all()
        connection.execute(delete(transactions).where(transactions.c.id.in_(ids)))
    add_directory(database)
    period = Period(date(2024, 1, 1), date(2024, 7, 31))
    there = stored_bare(database)
    verdicts = []
    for tries in (
        ((1, 1), (2, 2)),
        ((2, 40), (4, 40)),
        ((40, 2), (40, 4)),
        ((5, 5),),
        ((20, 6),),
        ((60, 20), (200, 400)),
    ):
        monkeypatch.setattr(top_merchants, "TRIES", tries)
        with database.reading(60) as connection:
            found = top_merchants.top_merchants(connection, period, "USD", shown=5)
        shown = [(row.id, row.n, row.amount_cents) for row in found.rows]
        verdicts.append(found.proven)
        if found.proven:
            assert shown == top_of(there, 5)
    assert verdicts[-1] and not verdicts[0]


def stored_bare(database: Database) -> list[Any]:
    with database.reading(60) as connection:
        return list(connection.execute(select(transactions)).fetchall())


def test_a_merchant_that_only_the_tail_knows_is_found(
    database: Database, make_transactions: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_merchants, "TRIES", ((2, 4), (4, 8)))
    plain = [
        {"merchant_id": id, "amount_cents": 10_000 - id, "posted_at": START + DAY, "source_ref": f"a{id}"}
        for id in range(1, 30)
    ]
    make_transactions(plain)
    with database.writing() as connection:
        totals.fold(connection)
    late = [{"merchant_id": 77, "amount_cents": 50_000, "posted_at": START + 2 * DAY, "source_ref": "late"}]
    raised = [{"merchant_id": 20, "amount_cents": 20_000, "posted_at": START + 2 * DAY, "source_ref": "raised"}]
    make_transactions(late + raised)
    with database.writing() as connection:
        made = {"id": 77, "descriptor": "LATE 77", "name": "", "first_seen": None}
        seen = micros("2024-01-01T00:00:00")
        connection.execute(insert(merchants).values(made | {"first_seen": _at(seen), "last_seen": _at(seen)}))
    with database.reading(60) as connection:
        found = top_merchants.top_merchants(connection, Period(date(2024, 1, 17), date(2024, 1, 18)), "USD", shown=2)
    assert [(row.id, row.amount_cents) for row in found.rows] == [(77, 50_000), (20, 29_980)]
    assert [row.name for row in found.rows] == ["LATE 77", "merchant 20"]
    assert found.proven and found.months == Period(date(2024, 1, 1), date(2024, 1, 31))


def _at(moment: int) -> Any:
    return from_micros(moment)


def test_an_empty_database_has_a_period_and_no_figures(database: Database) -> None:
    with database.reading(60) as connection:
        there = extent(connection, TODAY)
        scope = scope_of({}, there, TODAY)
        found = figures(connection, scope, there, TODAY)
    assert (there.oldest, there.newest, there.last) == (None, None, None)
    assert found["totals"]["transactions"] == 0 and found["totals"]["failure_rate_percent"] == 0
    assert found["currency"] == "USD" and found["categories"] == [] and found["waiting"] == {}
    assert found["merchants"] == {**(found["merchants"] or {})} | {"rows": [], "proven": True}
    assert found["tickers"] and not found["tickers"]["rows"]


def test_a_row_from_the_future_does_not_move_the_usual_period(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    make_transactions([{"posted_at": micros(f"{day}T00:00:00"), "source_ref": day}
                       for day in ("2024-03-31", "2023-01-05", "2101-01-01")])  # fmt: skip
    with database.reading(60) as connection:
        there = extent(connection, TODAY)
    assert (there.oldest, there.newest, there.last) == (date(2023, 1, 5), date(2024, 3, 31), date(2101, 1, 1))
    assert scope_of({}, there, TODAY).period == Period(date(2023, 4, 1), date(2024, 3, 31))


def test_figures_read_no_row_of_the_list_and_as_many_statements_for_any_period(filled: Database) -> None:
    counts = set()
    for since, until in (PERIODS["whole months"], PERIODS["a year of whole months"], ("2000-01-01", "2029-12-31")):
        with statements_of(filled.reader) as seen:
            look(filled, since, until)
        reads = [statement for statement, _ in seen if statement.lstrip().startswith(("SELECT", "WITH"))]
        assert not [statement for statement in reads if "FROM transactions" in statement]
        assert not [statement for statement in reads if "COUNT(" in statement.upper()]
        counts.add(len(reads))
    assert len(counts) == 1


def test_the_recount_would_notice_a_wrong_total(filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(text("UPDATE totals SET amount_cents = amount_cents + 1 WHERE grain = 'month'"))
    scope, found = look(filled, *PERIODS["whole months"])
    there = within(stored(filled, "currency=USD"), scope.period)
    assert found["totals"]["volume_cents"] != sum(row.amount_cents for row in there)
