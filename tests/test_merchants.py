"""The list of merchants: its filters and totals, its JSON twin, and the pages of single merchants."""

import html
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import DAY, START, get, ids_in, random_rows, scroll, statements_of, stored, total_in, url
from mapping_rows import add_mappings, picked
from sqlalchemy import insert, select, update

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.money import money
from kamioi_web.queries import merchants as merchant_queries
from kamioi_web.schema import from_micros, merchants

EXACT = (
    "",
    "status=mapped",
    "status=nobody&status=unmapped",
    "since=2024-02-01&until=2024-02-20",
    "since=2024-02-01&status=unmapped",
    "ticker=SBUX",
    "ticker=SBUX&ticker=AAPL",
    "search=alpha",
    "search=shop%20beta&status=mapped",
    "search=sh&ticker=SBUX",
    "search=nobody-has-this",
)
OTHERS = ("category=Dining", "category=Dining&category=Travel&status=mapped", "ticker=AAPL&category=Travel")
MORE = 120


def seen_at(id: int) -> datetime:
    return from_micros(START + id % 40 * DAY)


@pytest.fixture
def filled(database: Database) -> Database:
    """150 merchants, several first seen at the same moment, 30 of them with mappings."""
    with database.writing() as connection:
        connection.execute(insert(merchants), [
            {"id": id, "descriptor": f"SHOP NO {id}", "name": f"Shop {'Alpha' if id % 3 else 'Beta'} {id}",
             "ticker": "SBUX" if id % 4 == 0 else None, "company": "Starbucks" if id % 4 == 0 else None,
             "category": ("Dining", "Travel", None)[id % 3], "first_seen": seen_at(id), "last_seen": seen_at(id)}
            for id in range(31, 31 + MORE)
        ])  # fmt: skip
    add_mappings(database)
    with database.writing() as connection:
        for id in range(1, 31):
            connection.execute(update(merchants).where(merchants.c.id == id).values(first_seen=seen_at(id)))
    return database


def status(row: Any) -> str:
    return "mapped" if row.ticker else "nobody" if row.mapping_id else "unmapped"


MATCH: dict[str, Callable[[Any, list[str]], bool]] = {
    "status": lambda row, values: status(row) in values,
    "ticker": lambda row, values: row.ticker in values,
    "category": lambda row, values: row.category in values,
    "search": lambda row, values: found_by(row, values[0]),
    "since": lambda row, values: row.first_seen.date().isoformat() >= values[0],
    "until": lambda row, values: row.first_seen.date().isoformat() <= values[0],
}


def found_by(row: Any, text: str) -> bool:
    if len(text) < 3:
        return row.descriptor.lower().startswith(text.lower())
    return all(word in f"{row.descriptor} {row.name}".lower() for word in text.lower().split())


def stored_merchants(database: Database, query: str = "") -> list[Any]:
    """The merchants that a filter should show, newest first, picked here and not by the project."""
    with database.reading(60) as connection:
        rows = connection.execute(select(merchants)).fetchall()
    return picked(rows, query, MATCH, lambda row: (row.first_seen, row.id))


def tree_of(answer: str) -> Any:
    return BeautifulSoup(answer.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr "), "html.parser")


def test_each_filter_shows_its_merchants_newest_first(client: FlaskClient, filled: Database) -> None:
    for query in (*EXACT, *OTHERS):
        there = [row.id for row in stored_merchants(filled, query)]
        page = get(client, url("/merchants", query)).text
        assert ids_in(page) == there[:100], query
        name, total = total_in(page)
        if query in EXACT or len(there) <= 100:
            assert (name, total) == ("data-total", len(there)), query
        else:
            assert total <= len(there), query
        answer = get(client, url("/merchants.json", query, limit=100)).get_json()
        assert [one["id"] for one in answer["merchants"]] == there[:100], query


def test_pages_places_and_the_scroll_show_every_merchant_once(
    make_client: Callable[..., FlaskClient], filled: Database
) -> None:
    client = make_client(chunk_rows=20)
    for query in ("", "status=mapped", "ticker=SBUX", "search=alpha", "category=Dining"):
        there = [row.id for row in stored_merchants(filled, query)]
        first = get(client, url("/merchants", query)).text
        assert ids_in(first) + scroll(client, first, "older") == there, query
        oldest = html.unescape(re.findall(r'href="([^"]+)" rel="last"', first)[0])
        end = get(client, oldest).text
        assert ids_in(end)[::-1] + scroll(client, end, "newer") == there[::-1], query
        if "category" in query:
            continue
        for page in (2, -(-len(there) // 20)):
            wanted = there[(page - 1) * 20 : page * 20]
            assert ids_in(get(client, url("/merchants", query, page=page)).text) == wanted, (query, page)


def test_a_word_of_many_merchants_finds_the_same_whichever_way(
    make_client: Callable[..., FlaskClient], filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(chunk_rows=40)
    for named in (2_000, 0):
        monkeypatch.setattr(merchant_queries, "NAMED", named)
        for query in ("search=alpha", "search=shop", "search=beta&status=mapped&since=2024-01-20", "search=s"):
            there = [row.id for row in stored_merchants(filled, query)]
            page = get(client, url("/merchants", query)).text
            assert ids_in(page) + scroll(client, page, "older") == there, (query, named)


def test_the_tiles_count_exactly_and_lead_to_their_rows(client: FlaskClient, filled: Database) -> None:
    for query in ("", "since=2024-02-01"):
        counts = Counter(status(row) for row in stored_merchants(filled, query))
        page = tree_of(get(client, url("/merchants", query)).text)
        tiles = {tile.select_one(".tile-label").text.strip(): tile for tile in page.select(".tile")}
        assert tiles["Merchants"].strong.text.strip() == f"{counts.total():,}"
        for label, name in (("Mapped", "mapped"), ("No company", "nobody"), ("Unmapped", "unmapped")):
            assert tiles[label].strong.text.strip() == f"{counts[name]:,}"
            assert total_in(get(client, tiles[label].a["href"]).text) == ("data-total", counts[name])
    with filled.writing() as connection:
        chosen = stored_merchants(filled, "status=mapped")[0].id
        connection.execute(update(merchants).where(merchants.c.id == chosen).values(ticker=None, mapping_id=None))
    counts = Counter(status(row) for row in stored_merchants(filled))
    assert total_in(get(client, "/merchants?status=unmapped").text) == ("data-total", counts["unmapped"])
    assert list(totals.check(filled)) == []


def test_the_money_behind_a_merchant_is_that_of_its_transactions(
    client: FlaskClient, filled: Database, make_transactions: Callable[..., None]
) -> None:
    make_transactions(random_rows(600))
    rows = stored(filled)
    for id in (1, 2, 17):
        page = tree_of(get(client, url("/merchants", search=f"SHOP NO {id:02d}")).text)
        one = get(client, url("/merchants.json", search=f"SHOP NO {id:02d}")).get_json()["merchants"][0]
        behind = [row for row in rows if row.merchant_id == id]
        cents = sum(row.amount_cents for row in behind if row.currency == one["currency"])
        assert (one["id"], one["transaction_count"], one["amount_cents"]) == (id, len(behind), cents)
        row = page.select_one(f"#merchant-{id}")
        assert row.select_one(".c-money").text.split(" +")[0].strip() == money(cents, one["currency"])
        link = row.select_one(".c-n a")
        assert total_in(get(client, link["href"]).text) == ("data-total", len(behind))


def test_hostile_text_is_only_text(client: FlaskClient, database: Database) -> None:
    evil = "<script>alert('1')</script>"
    at = datetime(2024, 3, 1, tzinfo=UTC)
    values = dict.fromkeys(("descriptor", "name", "ticker", "company", "category"), evil)
    with database.writing() as connection:
        connection.execute(insert(merchants).values(id=1, first_seen=at, last_seen=at, **values))
    page = get(client, "/merchants").text
    assert "<script>alert" not in page
    row = tree_of(page).select_one("#merchant-1")
    for name in ("company", "category", "ticker"):
        assert row.select_one(f".c-{name}").text.strip() == evil
    assert row.select_one(".c-name a").text == evil
    searched = get(client, url("/merchants", search=evil)).text
    assert ids_in(searched) == [1]
    assert "<script>alert" not in searched


def test_bad_parameters_are_named(client: FlaskClient) -> None:
    for query, words in (
        ("status=lost", "mapped, nobody, unmapped"),
        ("ticker=%3C", "A ticker looks like"),
        ("since=2024-02-30", "since"),
        ("merchant_id=1", "This page takes"),
        ("search=a&search=b", "search"),
        ("page=0", "page"),
        ("at=2024", "place"),
        (f"search={'x' * 201}", "search"),
    ):
        assert words in get(client, f"/merchants?{query}", 400).text, query
        if "at=" not in query:
            assert words in get(client, f"/api/admin/merchants?{query}", 400).get_json()["detail"], query


def test_an_empty_list_and_no_match_say_so(client: FlaskClient, filled: Database) -> None:
    page = get(client, "/merchants?search=zzz&status=mapped").text
    assert "No merchants match." in page
    assert 'href="/merchants?status=mapped"' in page


@pytest.mark.parametrize("query", ["", "status=unmapped", "ticker=SBUX", "search=alpha", "category=Dining", "page=3"])
def test_a_page_of_merchants_takes_few_statements(
    make_client: Callable[..., FlaskClient], filled: Database, query: str
) -> None:
    client = make_client(chunk_rows=20)
    with statements_of(client.application.extensions["database"].reader) as seen:
        get(client, url("/merchants", query))
    assert len(seen) <= 20
    for statement, _ in seen:
        assert "count(" not in statement.lower(), statement
        assert " FROM transactions" not in statement, statement
