"""The list of imports: which files were read, how far, and how; on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import get, ids_in, scroll, total_in, url
from sqlalchemy import insert, select

from kamioi_web.db import Database
from kamioi_web.schema import IMPORT_KINDS, imports

BEGIN = datetime(2024, 2, 20, tzinfo=UTC)
HOSTILE = ['<script>alert("1")</script>.csv', "\"' onmouseover='x", "\u202eevil\u2066", "100%_real.csv"]
FILTERS: dict[str, Callable[[Any], bool]] = {
    "": lambda row: True,
    "kind=legacy": lambda row: row.kind == "legacy",
    "kind=legacy&kind=mappings": lambda row: row.kind != "transactions",
    "state=running": lambda row: row.state == "running",
    "state=running&kind=transactions": lambda row: row.state == "running" and row.kind == "transactions",
    "file=ONE": lambda row: "one" in row.file_name,
    "file=%25_": lambda row: "%_" in row.file_name,
    "since=2024-02-23&until=2024-02-25": lambda row: 23 <= row.started_at.day <= 25 and row.started_at.month == 2,
    "file=nowhere": lambda row: False,
}


@pytest.fixture
def filled(database: Database) -> list[Any]:
    """120 imports, several at the same moment; newest first, as they are stored."""
    rows = [
        {
            "kind": IMPORT_KINDS[number % 3], "file_name": [*HOSTILE, "one.csv", "two.csv"][number % 6],
            "fingerprint": str(number), "settings": {"currency": "USD", "<b>": "<i>"},
            "state": "done" if number % 5 else "running", "checkpoint": "", "rows_added": 1_000 * number,
            "rows_known": number, "rows_rejected": 0, "started_at": BEGIN + timedelta(days=number // 8),
            "finished_at": BEGIN + timedelta(days=number // 8, hours=1) if number % 5 else None,
        }
        for number in range(120)
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(imports), rows)
    with database.reading() as connection:
        found = connection.execute(select(imports)).fetchall()
    return sorted(found, key=lambda row: (row.started_at, row.id))[::-1]


def soup(answer: str) -> Any:
    return BeautifulSoup(answer.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr "), "html.parser")


@pytest.mark.parametrize("query", FILTERS)
def test_each_filter_shows_every_import_of_it_once(
    filled: list[Any], make_client: Callable[..., FlaskClient], query: str
) -> None:
    client = make_client("viewer", chunk_rows=40)
    there = [row.id for row in filled if FILTERS[query](row)]
    page = get(client, url("/imports", query)).text
    assert ids_in(page) + scroll(client, page, "older") == there
    assert total_in(page)[1] <= len(there) and (query or total_in(page) == ("data-total", len(there)))
    listed = get(client, url("/imports.json", query, limit=100)).json["imports"]
    assert [one["id"] for one in listed] == there[:100]


def test_an_import_has_a_page_and_names_are_only_text(filled: list[Any], client: FlaskClient) -> None:
    for row in filled[:6]:
        list_page = soup(get(client, "/imports").text)
        link = list_page.select_one(f"#import-{row.id} a")
        assert link.text == row.file_name
        page = soup(get(client, link["href"]).text)
        assert page.h1.text == row.file_name and not page.select("main script, main [onmouseover], main i")
        told = page.select_one("main").text
        assert f"{row.rows_added:,}" in told and row.fingerprint in told and "<i>" in told
        assert ("not finished" in told) == (row.state == "running")
        answer = get(client, f"/imports/{row.id}.json").json["import"]
        assert (answer["file_name"], answer["rows_known"]) == (row.file_name, row.rows_known)
    get(client, "/imports/12345678", 404)
    get(client, "/imports/99999999999999999999", 404)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("kind=parquet", "“parquet” is not a kind"),
        ("state=stopped", "“stopped” is not a state"),
        ("since=2024-02-31", "is not a date"),
        ("name=x", "There is no parameter “name” here"),
    ],
)
def test_bad_input_is_named(client: FlaskClient, query: str, words: str) -> None:
    assert words in BeautifulSoup(get(client, f"/imports?{query}", 400).text, "html.parser").text
