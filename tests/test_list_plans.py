"""Every list that there is, under every filter that it takes: how its statements are carried out.

A list that is new is taken in by itself; a parameter that is new needs a value in VALUES.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient
from helpers import url
from plans import DEAR, assert_frugal, bounded, index_columns, look, nodes, plan_of, postgres_plan, sqlite_plan
from sqlalchemy import insert, select, update

from kamioi_web.db import Database
from kamioi_web.jobs import store
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.tables import jobs
from kamioi_web.pages import PAGES
from kamioi_web.paging import scan
from kamioi_web.paging.cursor import Cursor
from kamioi_web.paging.keyset import Listing
from kamioi_web.schema import IMPORT_KINDS, imports
from kamioi_web.table_page import TablePage
from tests.benchmarks.lists_store import fill
from tests.benchmarks.populace import Size

SMALL, LARGE = Size(1_500), Size(15_000)
MOST_STATEMENTS = 20  # with nothing kept: what two parts of a page show is read twice
CHUNK = 10
BIG = ("transactions", "users", "merchants", "llm_mappings", "audit_events", "allocations", "totals", "search_words",
       "search_typos")  # fmt: skip
# Of each parameter that has no list of values with their counts. Dates and what else needs company brings it.
VALUES: dict[str, tuple[str, ...]] = {
    "ticker": ("SBUX",),
    "category": ("Groceries",),
    "source": ("manual",),
    "currency": ("USD", "CAD"),
    "merchant": ("pizza", "starbucks", "qxzv", "wa"),
    "merchant_id": ("1",),
    "user": ("3",),
    "search": ("pizza", "garcia", "a", "1", "nobody has this"),
    "amount_min": ("50", "99999"),
    "amount_max": ("-0.01", "20"),
    "confidence_min": ("0.95",),
    "confidence_max": ("0.31",),
    "decided_by": ("decider-3@example.com",),
    "admin": ("decider-3@example.com", "system"),
    "action": ("mapping.approved", "nothing.such"),
    "subject": ("mapping",),
    "subject_id": ("1",),
    "kind": ("legacy", "transactions"),
    "state": ("running",),
    "jobs.kind": ("bulk", "undo"),
    "title": ("7 of", "nothing.such"),
    "file": ("7.csv", "nothing.such"),
}
COMPANY = {"subject_id": "subject=mapping"}
DATES = "since=2024-06-01&until=2026-03-31"


@pytest.fixture
def full(database: Database) -> Database:
    """Every list, with some thousand rows of each."""
    fill(database.settings.database_url, LARGE, lambda line: None)
    add_imports(database, 300)
    add_jobs(database, 300)
    return database


def add_imports(database: Database, count: int) -> None:
    """That many imports, one a day."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    with database.writing() as connection:
        connection.execute(insert(imports), [
            {"kind": IMPORT_KINDS[number % 3], "file_name": f"{number}.csv", "fingerprint": str(number), "settings": {},
             "state": "done", "checkpoint": "", "rows_added": number, "rows_known": 0, "rows_rejected": 0,
             "started_at": first + timedelta(days=number)} for number in range(count)])  # fmt: skip


def add_jobs(database: Database, count: int) -> None:
    """That many jobs of nobody, a quarter of them over."""
    with database.writing() as connection:
        ids = [
            store.add(connection, Order("bulk", "default", f"{number} of many", {"selection": {}, "change": {}}))
            for number in range(count)
        ]
        connection.execute(update(jobs).where(jobs.c.id.in_(ids[::4])).values(state="done"))


def filters_of(database: Database, page: TablePage, each: int = 3) -> list[str]:
    """Queries: none, some values of each parameter alone, two of one that takes many, and one of each within dates."""
    with database.reading() as connection:
        offered = page.subject.counts(connection)
    found = [""]
    for parameter in page.subject.PARAMETERS:
        name = parameter.name
        if name in ("since", "until"):
            continue
        known = VALUES.get(f"{page.name}.{name}", VALUES.get(name, ()))
        values = [value for value, _ in offered.get(name, ())] or known
        assert values, f"{page.name} takes “{name}”: write a value of it into VALUES"
        company = COMPANY.get(name, "")
        alone = [url("", company, **{name: value})[1:] for value in values[:each]]
        found += [*alone, url("", f"{alone[0]}&{DATES}")[1:]]
        if parameter.many and len(alone) > 1:
            found.append("&".join(alone[:2]))
    return found


def middle_of(database: Database, page: TablePage) -> tuple[str, int]:
    """The cursor in the middle of a list, and its rows."""
    listing = page.subject.LISTING
    with database.reading() as connection:
        rows = connection.execute(select(*listing.order).order_by(*listing.order)).fetchall()
    return str(Cursor(*rows[len(rows) // 2])), len(rows)


def places(page: TablePage, query: str, middle: str, rows: int) -> Iterator[str]:
    """The first page, the middle in all ways, the rows in both directions, the JSON and the parts of the page."""
    for under, place in (
        ("", {}), ("", {"at": middle}), ("/rows", {"after": middle}), ("/rows", {"before": middle}),
        (".json", {"limit": CHUNK}), ("/summary", {}), ("/timeline", {}),
    ):  # fmt: skip
        yield url(page.href + under, query, **place)
    if not query:
        yield url(page.href, page=rows // CHUNK - 1)
        yield url(f"{page.href}.json", limit=CHUNK, page=rows // CHUNK // 2)
        yield url(f"{page.href}/newer", **{"since": middle})


@pytest.fixture
def hurried(make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser of an app whose bounded scans take one window, as small beside these lists as real ones are."""
    monkeypatch.setattr(scan, "FIRST_WINDOW", 50)
    return make_client(chunk_rows=CHUNK, scan_ms=0, rows_seconds=60)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_filter_is_read_along_its_index_and_nothing_is_counted(
    full: Database, hurried: FlaskClient, page: TablePage
) -> None:
    check = {"sqlite": check_on_sqlite, "postgresql": check_on_postgresql}[full.dialect.name]
    listing, (middle, rows) = page.subject.LISTING, middle_of(full, page)
    known: set[str] = set()
    for query in filters_of(full, page):
        indexes = {stream.index for stream in plan_of(full, page.subject, parse_qs(query)).streams}
        for address in places(page, query, middle, rows):
            for statement in look(hurried, address):
                if statement[0] not in known:
                    known.add(statement[0])
                    assert_frugal(*statement, (listing.at, "id"))
                    check(full, listing, indexes, statement, address)


def check_on_sqlite(
    database: Database, listing: Listing, indexes: set[str | None], statement: tuple[str, Any], address: str
) -> None:
    """The list is read along its named index, whole only where it is not bounded; all else is looked up."""
    table = listing.table.name
    for siblings in sqlite_plan(database, *statement):
        for line in siblings:
            way = re.match(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
            if not way or way[2] not in BIG:
                continue
            ours = way[2] == table and way[3] in indexes
            assert way[1] == "SEARCH" or (ours and not bounded(statement[0], table)), (address, line, statement)
            if way[2] == table and is_of_list(statement[0], listing) and None not in indexes:
                assert ours, (address, line, indexes)
                assert "TEMP B-TREE FOR ORDER BY" not in " ".join(siblings), (address, siblings)


def check_on_postgresql(
    database: Database, listing: Listing, indexes: set[str | None], statement: tuple[str, Any], address: str
) -> None:
    """The same; there are no hints, so it may go along the order where few rows lie within the bounds."""
    table, searched = listing.table.name, "LIKE" in statement[0]  # the index on text gives no order
    ours = is_of_list(statement[0], listing) and not searched
    ways = ("Index Scan", "Index Only Scan", *(() if ours else ("Bitmap Heap Scan",)))
    for node, chunk in nodes(postgres_plan(database, *statement, dear=DEAR if ours else ("seqscan",)), table):
        relation = re.sub(r"_(\d{4}_\d\d|default)$", "", node.get("Relation Name", ""))
        if relation in BIG:
            assert node["Node Type"] in ways, (address, node, statement)
        if relation == table and ours:
            assert serves(node["Index Name"], listing, indexes), (address, node, statement)
        if node["Node Type"] == "Sort" and ours and None not in indexes:
            assert chunk, (address, node, statement)


def is_of_list(statement: str, listing: Listing) -> bool:
    """Whether a statement reads the list in its order."""
    return f"ORDER BY {listing.table.name}.{listing.at}" in statement


def serves(index: str, listing: Listing, indexes: set[str | None]) -> bool:
    """Whether an index, or its part of a partition, is one that the plan names or the list's own order."""
    columns = index_columns()
    wanted = {name for name in indexes if name} | {
        name for name, of in columns.items() if of == f"{listing.at}_id" and name.startswith(listing.table.name)
    }
    return None in indexes or index in wanted or index.endswith(tuple(f"_{columns[name]}_idx" for name in wanted))


def test_the_number_of_statements_is_the_same_at_ten_times_the_rows(
    database: Database, hurried: FlaskClient, make_client: Callable[..., FlaskClient]
) -> None:
    fill(database.settings.database_url, SMALL, lambda line: None)
    add_imports(database, 300)
    add_jobs(database, 300)
    asked = [
        (address, query)
        for page in PAGES
        for query in filters_of(database, page, each=1)
        for address in islice(places(page, query, middle_of(database, page)[0], SMALL.few), 3)
    ]
    before = {address: len(look(hurried, address)) for address, _ in asked}
    fill(database.settings.database_url, LARGE, lambda line: None, over=SMALL)
    wide = make_client(chunk_rows=3 * CHUNK, scan_ms=0, rows_seconds=60)
    for address, query in asked:
        now = len(look(hurried, address))
        assert now <= MOST_STATEMENTS, (address, now)
        assert now <= before[address] + 3, (address, before[address], now)  # between two days there is less to look up
        if not query:
            assert len(look(wide, address)) <= now + 1, address
