"""How the statements are carried out: along the named index, without a count, and as many for any number of rows."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from conftest import micros
from flask.testing import FlaskClient
from helpers import DAY, FILTERS, add_directory, cursor_of, get, random_rows, stored, url
from plans import assert_frugal, bounded, index_columns, look, nodes, on_rows, plan_of, postgres_plan, sqlite_plan
from sqlalchemy import text

from kamioi_web import migrations, totals
from kamioi_web.db import Database
from kamioi_web.paging import scan
from kamioi_web.queries import transaction_cells
from kamioi_web.queries import transactions as subject

MOST_STATEMENTS = 18  # with nothing kept: what two parts of a page show is read twice


@pytest.fixture
def full(database: Database, make_transactions: Callable[..., None]) -> Database:
    """3,000 rows; on PostgreSQL in partitions that reach from 2023 to 2025."""
    add_directory(database)
    make_transactions(random_rows(3_000))
    return database


def places(database: Database, query: str) -> list[str]:
    """The first page, a page in the middle and the last of a filter, and the rows in both directions."""
    there = stored(database, query)
    middle = cursor_of(there[len(there) // 2])
    return [
        url("/transactions", query),
        url("/transactions", query, at=middle),
        url("/transactions/rows", query, after=middle),
        url("/transactions/rows", query, before=middle),
    ]


@pytest.mark.parametrize("statistics", ["none", "analyzed", "wrong"])
def test_sqlite_reads_along_the_named_index_whatever_its_statistics(
    full: Database, make_client: Callable[..., FlaskClient], statistics: str
) -> None:
    if full.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has a test of its own")
    with full.writing() as connection:
        connection.execute(text("ANALYZE" if statistics != "none" else "SELECT 1"))
        if statistics == "wrong":  # as after a load that nobody analyzed
            connection.execute(text("UPDATE sqlite_stat1 SET stat = '3 3 3 3' WHERE tbl = 'transactions'"))
    client = make_client()
    for query in FILTERS:
        wanted = {stream.index for stream in plan_of(full, subject, parse_qs(query)).streams}
        for address in places(full, query):
            rows = on_rows(look(client, address))
            assert rows, address
            for statement, values in rows:
                assert_frugal(statement, values)
                for siblings in sqlite_plan(full, statement, values):
                    reads = [line for line in siblings if re.match(r"(SCAN|SEARCH) transactions\b", line)]
                    for line in reads:
                        assert wanted & set(re.findall(r"USING (?:COVERING )?INDEX (\w+)", line)), (address, line)
                        assert "TEMP B-TREE FOR ORDER BY" not in " ".join(siblings), (address, siblings)
                        assert line.startswith("SEARCH") or not bounded(statement), (address, line)


@pytest.mark.parametrize("statistics", ["none", "analyzed"])
def test_postgresql_reads_along_the_named_index(
    full: Database, make_client: Callable[..., FlaskClient], statistics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At sizes where a whole partition is a few pages it may rightly read one; so reading them whole is made dear."""
    if full.dialect.name != "postgresql":
        pytest.skip("SQLite has a test of its own")
    with full.writing() as connection:
        connection.execute(text("ANALYZE" if statistics == "analyzed" else "SELECT 1"))
    monkeypatch.setattr(subject, "FEW", 0)  # as where merchants have many rows
    client, columns = make_client(), index_columns()
    for query in FILTERS:
        wanted = {columns[stream.index] for stream in plan_of(full, subject, parse_qs(query)).streams}
        for address in places(full, query):
            for statement, values in on_rows(look(client, address)):
                assert_frugal(statement, values)
                for node, chunk in nodes(postgres_plan(full, statement, values)):
                    if "transactions" in node.get("Relation Name", ""):
                        assert node["Node Type"] in ("Index Scan", "Index Only Scan"), (address, node)
                        # It has no hints: where few rows lie within the bounds, it may go along the order instead.
                        ends = tuple(f"_{name}_idx" for name in (*wanted, "posted_at_id"))
                        assert node["Index Name"].endswith(ends), (address, node)
                    if node["Node Type"] == "Sort":
                        assert chunk, (address, node)


@pytest.mark.parametrize("query", ["", "status=failed", "ticker=SBUX", "category=Dining"])
def test_a_page_touches_few_partitions(
    database: Database,
    make_transactions: Callable[..., None],
    make_client: Callable[..., FlaskClient],
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not database.dialect.partitions:
        pytest.skip("SQLite keeps every month in one table")
    monkeypatch.setattr(scan, "FIRST_WINDOW", 100)  # as small beside 24 months as 2,000 rows are beside ten million
    add_directory(database)
    rows = random_rows(4_800)
    first = micros("2024-01-03T00:00:00")
    make_transactions([row | {"posted_at": first + number * DAY * 30 // 200} for number, row in enumerate(rows)])
    with database.writing() as connection:
        totals.fold(connection)
        connection.execute(text("ANALYZE"))
    client = make_client(chunk_rows=10)
    there = stored(database, query)
    middle = cursor_of(there[len(there) // 2])
    for address in (
        url("/transactions", query),
        url("/transactions", query, at=middle),
        url("/transactions", query, page=len(there) // 20),
        url("/transactions/rows", query, after=middle),
    ):
        for statement, values in on_rows(look(client, address)):
            plan = postgres_plan(database, statement, values, dear=())
            read = {node["Relation Name"] for node, _ in nodes(plan) if "transactions" in node.get("Relation Name", "")}
            assert len(read - {"transactions_default"}) <= 3, (address, statement, sorted(read))
    detail = url(f"/transactions/{there[50].id}.json", at=cursor_of(there[50]))
    for statement, values in on_rows(look(client, detail)):
        plan = postgres_plan(database, statement, values, dear=())
        read = {node["Relation Name"] for node, _ in nodes(plan) if "transactions" in node.get("Relation Name", "")}
        assert len(read) == 1, (statement, read)


def test_the_number_of_statements_does_not_grow(
    database: Database, make_transactions: Callable[..., None], make_client: Callable[..., FlaskClient]
) -> None:
    add_directory(database)
    client = make_client(chunk_rows=10)
    counts: dict[str, list[int]] = {}
    for seed, size in ((1, 300), (2, 400), (3, 1_500)):
        make_transactions(random_rows(size, seed))
        for query in ("", "status=failed", "status=failed&status=rejected", "merchant=shop", "user=I1", "ticker=SBUX"):
            for address in (
                url("/transactions", query),
                url("/transactions", query, at="2024-03-01T00:00:00Z~5"),
                url("/transactions/rows", query, after="2024-03-01T00:00:00Z~5"),
                url("/transactions", query, page=2),
            ):
                counts.setdefault(address, []).append(len(look(client, address)))
    for address, numbers in counts.items():
        assert max(numbers) <= MOST_STATEMENTS, (address, numbers)
        assert max(numbers) - min(numbers) <= 2, (address, numbers)  # a place between two days is found without a look


def test_every_column_that_a_list_reads_is_used(full: Database, make_client: Callable[..., FlaskClient]) -> None:
    client = make_client()
    statement = next(one for one, _ in on_rows(look(client, "/transactions.json")) if "merchants" in one)
    read = set(re.findall(r"rows\.(\w+)", statement.partition(" \nFROM (SELECT")[0]))
    used: set[str] = set()
    transaction_cells.as_json(Noting(stored(full)[0], used))
    assert len(read) > 10
    assert read <= used, read - used
    page = next(one for one, _ in on_rows(look(client, "/transactions")) if "merchants" in one)
    assert not {"source_ref", "fee_cents", "created_at"} & set(re.findall(r"rows\.(\w+)", page))


class Noting:
    """A row that notes which of its columns are asked for."""

    def __init__(self, row: Any, used: set[str]) -> None:
        self._row, self._used = row, used

    def __getattr__(self, name: str) -> Any:
        self._used.add(name)
        return getattr(self._row, name)


def test_a_missing_index_is_no_slow_page_but_words(full: Database, make_client: Callable[..., FlaskClient]) -> None:
    if full.dialect.name != "sqlite":
        pytest.skip("PostgreSQL takes no hints")
    with full.writing() as connection:
        migrations.drop_indexes(connection, "transactions")
    assert "Run kamioi-web migrate" in get(make_client(), "/transactions", 503).text
