"""Merchants and users by any part of their text: what is typed is data, and an index answers."""

from typing import Any

import pytest
from conftest import micros
from sqlalchemy import Table, func, select

from kamioi_web.db import Database
from kamioi_web.schema import merchants, users

MADE = micros("2024-01-01T00:00:00")
SHOPS = {
    1: ("STARBUCKS #0412 SEATTLE WA", "Starbucks"),
    2: ("SQ *100%_OFF", "100% Off \\ Sons"),
    3: ('MOM "AND" POP', 'Mom "and" Pop'),
    4: ("CAFE Ünïcode 東京カフェ", "Ünïcode"),
    5: ("FOO:BAR* (NEAR)", "Foo:Bar"),
}
PEOPLE = {
    1: ("I1000042", "ada@example.com", "Ada O'Hara"),
    2: ("B2000042", None, "100% Organic_Ltd"),
    3: ("F3000001", "zoe+card@example.org", 'Zoe "Z" Smith'),
}
# What is typed, and who has it; nobody has what looks like a pattern or an operator of the index.
OF_MERCHANTS: dict[str, set[int]] = {
    "starbucks": {1}, "seattle  starbucks": {1}, "se starbucks": set(), "seattle wa": {1},
    "#0412": {1}, "100%_off": {2}, "% off \\": {2}, '"and"': {3}, "東京カフェ": {4}, "Ünï": {4},
    "foo:bar": {5}, "bar*": {5}, "(near)": {5}, "%%%": set(), "___": set(), "sta*": set(),
    "starbucks AND seattle": set(), "descriptor:star": set(), "NEAR(star, 2)": set(),
}  # fmt: skip
FOLDED = ("STARbucks", "ünïcode", "caFE ÜNÏ", "カフェ")  # capitals of other alphabets depend on the database's locale
OF_USERS: dict[str, set[int]] = {
    "o'hara": {1}, "ohara ada": set(), "o'hara ada": {1}, "ADA@EX": {1}, "000042": {1, 2}, "c_l": {2}, "zoe+card": {3},
    '"z"': {3}, "%%%": set(), "___": set(), "name:ada": set(), "ada OR zoe": set(),
}  # fmt: skip


@pytest.fixture
def named(database: Database) -> Database:
    """A database with these merchants and users."""
    add(
        database,
        merchants,
        ["id", "descriptor", "name", "first_seen", "last_seen"],
        [(id, *texts, MADE, MADE) for id, texts in SHOPS.items()],
    )
    add(
        database,
        users,
        ["id", "account_number", "email", "name", "account_type", "status", "round_up_cents", "created_at"],
        [(id, *texts, "individual", "active", 100, MADE) for id, texts in PEOPLE.items()],
    )
    return database


def add(database: Database, table: Table, columns: list[str], rows: list[tuple]) -> None:
    with database.writing() as connection:
        database.dialect.bulk_insert(connection, table, columns, rows)


def test_any_part_is_found_and_nothing_is_a_pattern(named: Database) -> None:
    for ids, expected in (
        (named.dialect.merchant_ids, OF_MERCHANTS),
        (named.dialect.user_ids, OF_USERS),
    ):
        with named.reading() as connection:
            found = {words: set(connection.scalars(ids(words))) for words in expected}
        assert found == expected


def test_one_by_one_the_same_are_found(named: Database) -> None:
    of_users = (users.c.name, func.coalesce(users.c.email, ""), users.c.account_number)
    of_merchants = (merchants.c.descriptor, merchants.c.name)
    for table, columns, ids, searches in (
        (merchants, of_merchants, named.dialect.merchant_ids, (*OF_MERCHANTS, *FOLDED)),
        (users, of_users, named.dialect.user_ids, OF_USERS),
    ):
        with named.reading() as connection:
            for words in searches:
                by_index = connection.scalars(ids(words)).all()
                one_by_one = connection.scalars(select(table.c.id).where(named.dialect.holds(words, *columns))).all()
                assert sorted(by_index) == sorted(one_by_one), words


def test_an_index_answers(named: Database) -> None:
    for table, ids in ((merchants, named.dialect.merchant_ids), (users, named.dialect.user_ids)):
        plan = plan_of(named, ids("starbucks").limit(51))
        assert f"{table.name}_text" in plan, plan
        assert "Seq Scan" not in plan, plan


def plan_of(database: Database, query: Any) -> str:
    """The plan of a query, on PostgreSQL as for a large table."""
    with database.reading() as connection:
        if database.dialect.partitions:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        compiled = query.compile(connection)
        parameters = compiled.construct_params()
        positional = tuple(parameters[name] for name in compiled.positiontup) if compiled.positional else parameters
        return database.dialect.explain(connection, str(compiled), positional)
