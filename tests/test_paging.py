"""Places in a list: cursors, scrolling while others write, and row numbers against plain counting."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import micros
from flask import Flask
from flask.testing import FlaskClient
from flask_caching import Cache
from helpers import FILTERS, HOUR, add_directory, cursor_of, get, ids_in, random_rows, scroll, stored, url
from hypothesis import given, settings, strategies
from sqlalchemy import delete, insert

from kamioi_web.cache import Aged, Aggregates
from kamioi_web.db import Database
from kamioi_web.errors import BadRequest
from kamioi_web.figures import Figures
from kamioi_web.filters import parse_filters
from kamioi_web.paging import scan
from kamioi_web.paging.cursor import MAX_ID, Cursor
from kamioi_web.paging.positions import Positions, Spans
from kamioi_web.queries import transactions as subject
from kamioi_web.schema import from_micros, transactions

MOMENTS = strategies.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999))
INDEXED = [query for query in FILTERS if not any(name in query for name in ("amount", "source"))]

MALFORMED = (
    "x",
    "~",
    "12.50~7",
    "7",
    "Groceries~7",
    "I1000042~3",
    "2024-03-14",
    "2024-03-14T09:49:13Z",
    "2024-03-14T09:49:13~5",
    "2024-03-14 09:49:13Z~5",
    "2024-03-14T09:49:13+00:00~5",
    "2024-03-14T09:49:13Z~",
    "2024-03-14T09:49:13Z~-5",
    "2024-03-14T09:49:13Z~+5",
    "2024-03-14T09:49:13Z~5.0",
    "2024-03-14T09:49:13Z~1e3",
    "2024-03-14T09:49:13Z~0x10",
    "2024-03-14T09:49:13Z~9223372036854775808",
    "2024-03-14T09:49:13Z~99999999999999999999",
    "2024-03-14T09:49:13.1234567Z~5",
    "2024-03-14T09:49:13.Z~5",
    "2024-03-14T24:00:00Z~5",
    "2024-03-14T09:49:60Z~5",
    "2024-02-31T00:00:00Z~5",
    "2024-13-01T00:00:00Z~5",
    "0000-01-01T00:00:00Z~5",
    "10000-01-01T00:00:00Z~5",
    "1969-12-31T23:59:59Z~5",
    "-2024-03-14T09:49:13Z~5",
    "2024-03-14T09:49:13Z~5\x00",
    "2024-03-14T09:49:13Z~\x005",
    "٢٠٢٤-03-14T09:49:13Z~5",
    "2024-03-14T09:49:13Z~５",
    "2024-03-14T09:49:13Z~5\n",
    "2024-03-14T09:49:13Z~5;--",
    "2024-03-14T09:49:13Z~5~6",
    "2024-3-14T9:49:13Z~5",
    "2024-W11-4T09:49:13Z~5",
    "'; DROP TABLE transactions; --",
    "<script>alert(1)</script>",
    "2024-03-14T09:49:13z~5",
    "Z~5",
    "🂡" * 300,
)


@given(at=MOMENTS, id=strategies.integers(0, MAX_ID))
def test_a_cursor_reads_back_as_it_was_written(at: datetime, id: int) -> None:
    cursor = Cursor(at.replace(tzinfo=UTC), id)
    assert Cursor.parse(str(cursor), "at") == cursor


@given(strategies.text(max_size=60))
def test_text_that_is_no_cursor_is_a_bad_request(text: str) -> None:
    try:
        cursor = Cursor.parse(text, "at")
    except BadRequest as error:
        assert error.parameter == "at"
    else:
        assert Cursor.parse(str(cursor), "at") == cursor


@pytest.mark.parametrize("text", ["", *MALFORMED])
def test_a_malformed_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not a place in this list"):
        Cursor.parse(text, "at")


def test_malformed_cursors_answer_with_the_reason_and_a_way_back(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    make_transactions(random_rows(20))
    for text in MALFORMED:
        if text.endswith("\n"):
            continue  # blanks around a pasted place are no harm
        for page in (
            url("/transactions", at=text),
            url("/transactions/rows", after=text),
            url("/transactions/1", at=text),
        ):
            answer = get(client, page, 400)
            assert "is not a place in this list" in answer.text
            assert 'href="/transactions"' in answer.text
            assert not ids_in(answer.text)
        row = get(client, url("/transactions/rows", before=text), 400, htmx=True)
        assert row.text.lstrip().startswith("<tbody")
        assert "Retry" in row.text
        assert 'href="/transactions"' in row.text
        assert row.headers["X-Fragment"] == "1"
        for address in (url("/api/admin/transactions", cursor=text), url("/transactions.json", cursor=text)):
            assert get(client, address, 400).json["success"] is False
        get(client, url("/transactions/newer", since=text), 400, htmx=True)


def test_rows_are_asked_for_on_one_side(client: FlaskClient) -> None:
    place = "2024-03-14T09:49:13Z~5"
    get(client, "/transactions/rows", 400, htmx=True)
    get(client, url("/transactions/rows", after=""), 400, htmx=True)
    get(client, url("/transactions/rows", after=place, before=place), 400, htmx=True)
    get(client, url("/transactions/rows", f"after={place}", after=place), 400, htmx=True)
    get(client, "/transactions/newer", 400, htmx=True)


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> list[dict[str, Any]]:
    """900 random rows that are in the database."""
    add_directory(database)
    rows = random_rows(900)
    make_transactions(rows)
    return rows


class Meddler:
    """Another connection that adds rows newer than, older than and at the same times as what is there."""

    def __init__(self, database: Database, rows: list[dict[str, Any]]) -> None:
        self.database, self.chance, self.number = database, random.Random(5), itertools.count()
        times = sorted(row["posted_at"] for row in rows)
        self.times, self.ends, self.patterns = times, (times[0] - HOUR, times[-1] + HOUR), rows

    def write(self) -> None:
        """Add four rows in a transaction of their own."""
        here = [self.chance.choice(self.times) for _ in range(2)]
        with self.database.writing() as connection:
            for at in (*self.ends, *here):
                row = self.chance.choice(self.patterns)
                values = row | {"posted_at": from_micros(at), "source_ref": f"later-{next(self.number)}"}
                values["created_at"] = from_micros(at)
                connection.execute(insert(transactions).values(**values))


@pytest.fixture
def meddler(database: Database, filled: list[dict[str, Any]]) -> Meddler:
    return Meddler(database, filled)


@pytest.fixture
def short(make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser with chunks of 40 rows, whose bounded scans give up after one window of 60 entries."""
    monkeypatch.setattr(scan, "FIRST_WINDOW", 60)
    return make_client(chunk_rows=40, scan_ms=1)


GROUPS = [FILTERS[start::4] for start in range(4)]  # a database for each filter would take most of the time


@pytest.mark.parametrize("queries", GROUPS, ids=range(4))
def test_scrolling_down_sees_every_row_once_while_others_write(
    short: FlaskClient, database: Database, meddler: Meddler, queries: tuple[str, ...]
) -> None:
    for query in queries:
        check_down(short, database, meddler, query)


def check_down(short: FlaskClient, database: Database, meddler: Meddler, query: str) -> None:
    wanted = [row.id for row in stored(database, query)]
    first = get(short, url("/transactions", query)).text
    seen = ids_in(first) + scroll(short, first, "older", meddler.write)
    assert len(seen) == len(set(seen)), "a row came twice"
    assert [id for id in seen if id in set(wanted)] == wanted
    assert_ordered(database, query, seen)


@pytest.mark.parametrize("queries", GROUPS, ids=range(4))
def test_scrolling_up_sees_every_row_once_while_others_write(
    short: FlaskClient, database: Database, meddler: Meddler, queries: tuple[str, ...]
) -> None:
    for query in queries:
        check_up(short, database, meddler, query)


def check_up(short: FlaskClient, database: Database, meddler: Meddler, query: str) -> None:
    there = stored(database, query)
    last = cursor_of(there[-1])
    page = get(short, url("/transactions", query, at=last)).text
    assert ids_in(page) == [there[-1].id]
    seen = ids_in(page) + scroll(short, page, "newer", meddler.write)
    assert len(seen) == len(set(seen)), "a row came twice"
    wanted = {row.id for row in there}
    assert [id for id in seen if id in wanted] == [row.id for row in there[::-1]]
    assert_ordered(database, query, seen[::-1])


def assert_ordered(database: Database, query: str, seen: list[int]) -> None:
    """All that was seen belongs to the filter and came newest first."""
    order = {row.id: number for number, row in enumerate(stored(database, query))}
    assert [order[id] for id in seen] == sorted(order[id] for id in seen)


def test_a_page_opens_at_a_row_with_rows_on_both_sides(
    short: FlaskClient, database: Database, filled: list[dict[str, Any]]
) -> None:
    for query in ("", "status=failed", "merchant=shop%20beta", "amount_min=10&amount_max=20"):
        check_both_sides(short, database, query)


def check_both_sides(short: FlaskClient, database: Database, query: str) -> None:
    there = [row.id for row in stored(database, query)]
    place = stored(database, query)[len(there) // 2]
    page = get(short, url("/transactions", query, at=cursor_of(place))).text
    above = scroll(short, page, "newer")
    below = scroll(short, page, "older")
    assert ids_in(page)[:1] in ([place.id], [])
    assert above[::-1] + ids_in(page) + below == there


def test_scrolling_goes_on_when_the_row_at_the_end_has_gone(
    short: FlaskClient, database: Database, filled: list[dict[str, Any]]
) -> None:
    page = get(short, "/transactions").text
    gone = ids_in(page)[-1]
    rest = [row.id for row in stored(database)[40:]]
    with database.writing() as connection:
        connection.execute(delete(transactions).where(transactions.c.id == gone))
    assert scroll(short, page, "older") == rest


def figures_of(database: Database, connection: Any, query: str) -> Figures:
    values: dict[str, list[str]] = {}
    for part in filter(None, query.replace("%20", " ").replace("%26", "\0").split("&")):
        name, _, value = part.partition("=")
        values.setdefault(name, []).append(value.replace("\0", "&"))
    filters = subject.resolve(connection, parse_filters(subject.PARAMETERS, values))
    return Figures(connection, Forgetful(), subject, filters, 1000)


class Forgetful(Aggregates):
    """Keeps nothing."""

    def __init__(self) -> None:
        pass

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        return Aged(compute(), 0)


def test_positions_equal_plain_counting(database: Database, filled: list[dict[str, Any]]) -> None:
    for query in INDEXED:
        check_positions(database, query)


def check_positions(database: Database, query: str) -> None:
    there = [Cursor(row.posted_at, row.id) for row in stored(database, query)]
    with database.reading(60) as connection:
        figures = figures_of(database, connection, query)
        plan, spans = subject.plan(connection, figures.filters), figures.spans()
        if spans is None and plan.residual:
            return  # no totals and no index: the page does not offer row numbers
        span = spans.value if spans else Spans([(0, micros("2200-01-01T00:00:00"), len(there))])
        positions = Positions(connection, subject.LISTING, plan, span, figures.refine())
        assert span.total == len(there)
        assert [positions.place_of(row) for row in (-1, len(there), 2**63)] == [None] * 3
        chosen = {0, 1, len(there) - 1, *random.Random(query).sample(range(len(there)), min(60, len(there)))}
        for row in sorted(chosen & set(range(len(there)))):
            assert positions.place_of(row) == there[row]
            assert positions.row_of(there[row]) == row
            # Places between rows, where a bookmark of another filter may point.
            at = there[row].at
            assert positions.row_of(Cursor(at, MAX_ID)) == sum(other > Cursor(at, MAX_ID) for other in there)
            gap = Cursor(at + timedelta(days=45), 7)
            assert positions.row_of(gap) == sum(other > gap for other in there)


def test_row_numbers_are_not_told_where_telling_would_read_too_much(
    database: Database, filled: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamioi_web.paging.positions.INSIDE", 30)
    with database.reading(60) as connection:
        figures = figures_of(database, connection, "user=I1")
        plan, count = subject.plan(connection, figures.filters), figures.sums().value.n
        positions = Positions(connection, subject.LISTING, plan, Spans([(0, micros("2200-01-01T00:00:00"), count)]))
        assert positions.place_of(30) is not None
        assert positions.place_of(31) is None
        oldest = stored(database, "user=I1")[-1]
        assert positions.row_of(Cursor(oldest.posted_at, oldest.id)) is None


@given(
    spans=strategies.lists(
        strategies.tuples(strategies.integers(0, 400), strategies.integers(0, 9)), unique_by=lambda s: s[0]
    ),
    rows=strategies.integers(1, 12),
    at=strategies.integers(-5, 410),
)
@settings(max_examples=300)
def test_the_lower_bound_leaves_enough_rows(spans: list[tuple[int, int]], rows: int, at: int) -> None:
    """Brute force over spans of one microsecond: from the cursor down to the bound lie at least so many rows."""
    told = Spans([(start, start + 1, n) for start, n in spans])
    low = told.low_bound(Cursor(from_micros(at), 0) if at >= 0 else None, rows)
    above = sum(n for start, n in spans if at < 0 or start <= at)
    if low is not None:
        floor = micros(low.isoformat())
        strictly = sum(n for start, n in spans if floor <= start and (at < 0 or start < at))
        assert strictly >= rows
    else:
        assert above - rows <= max((n for start, n in spans if start <= (at if at >= 0 else 400)), default=0)


def test_a_scan_does_not_read_the_stretches_that_the_totals_know_to_be_empty(
    database: Database, make_transactions: Callable[..., None]
) -> None:
    days = {"completed": ("2024-03-10", "2024-01-05"), "pending": ("2024-03-20", "2024-02-01")}
    make_transactions(
        [{"status": status, "posted_at": micros(f"{day}T09:00:00")} for status in days for day in days[status]]
    )
    aggregates = Aggregates(Cache(Flask("none"), config={"CACHE_TYPE": "SimpleCache"}), 60)
    with database.reading() as connection:
        figures = Figures(connection, aggregates, subject, subject.Filters(status=("completed",)), 40)

        def begin(day: str) -> str:
            return str(figures.past_gap(Cursor(from_micros(micros(f"{day}T12:00:00")), 7)))

        assert str(figures.past_gap(None)) == "2024-03-11T00:00:00Z~0"
        assert begin("2024-03-10") == "2024-03-10T12:00:00Z~7"
        assert begin("2024-02-20") == "2024-01-06T00:00:00Z~0"
        assert begin("2023-12-01") == "2023-12-01T12:00:00Z~7"
