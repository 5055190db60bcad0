"""The users page, its fragments, its JSON twin and the page of one user."""

import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from helpers import (
    ACCOUNT_TYPES,
    DAY,
    HOUR,
    START,
    add_directory,
    get,
    random_rows,
    sentinel,
    statements_of,
    stored,
    total_in,
    url,
)
from sqlalchemy import insert, select, update

from kamioi_web.db import Database
from kamioi_web.money import money
from kamioi_web.queries import user_detail
from kamioi_web.schema import USER_STATUSES, audit_events, from_micros, users

PEOPLE = 260
NAMES = ("Ann Lee", "Zoë Müller", "O'Brien & Sons", "100% _Real_", "<b>Bold</b>", "Ann-Marie Stone")
FILTERS = (
    "",
    "account_type=family",
    "account_type=family&account_type=business",
    "status=closed",
    "status=inactive&account_type=individual",
    "since=2024-02-01&until=2024-03-15",
    "since=2024-03-01&status=active",
    "search=stone",
    "search=m%C3%BCller",
    "search=%25%20_real_",
    "search=o'brien",
    "search=person9",
    "search=person17%40example.com",
    "search=I17",
    "search=17",
    "search=I1000017",
    "search=ann&account_type=business",
    "search=example.com",
    "search=nobody-has-this",
)


@pytest.fixture
def people(database: Database) -> list[Any]:
    """Users of every kind, many at the same moment; newest first."""
    chance = random.Random(3)
    rows = [
        {
            "id": id, "account_number": f"I{id}", "email": f"person{id}@example.com" if id % 5 else None,
            "name": f"{chance.choice(NAMES)} {id % 7}", "account_type": chance.choice(ACCOUNT_TYPES),
            "status": chance.choices(USER_STATUSES, (8, 2, 1))[0], "round_up_cents": 100,
            "created_at": from_micros(START + chance.randrange(70) * DAY + chance.choice((0, HOUR))),
        }
        for id in range(1, PEOPLE + 1)
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(users), rows)
        found = connection.execute(select(users)).fetchall()
    return sorted(found, key=lambda row: (row.created_at, row.id), reverse=True)


def ids_in(answer: str) -> list[int]:
    return [int(id) for id in re.findall(r'<tr id="user-(\d+)"', answer)]


def picked(people: list[Any], query: str) -> list[int]:
    """The ids that a filter should show, picked here and not by the project."""
    wanted: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        wanted.setdefault(name, []).append(value)
    kept = people
    for name in ("account_type", "status"):
        kept = [row for row in kept if name not in wanted or getattr(row, name) in wanted[name]]
    if "since" in wanted:
        kept = [row for row in kept if row.created_at.date().isoformat() >= wanted["since"][0]]
    if "until" in wanted:
        kept = [row for row in kept if row.created_at.date().isoformat() <= wanted["until"][0]]
    return [row.id for row in kept if "search" not in wanted or found_by(row, wanted["search"][0], people)]


def found_by(row: Any, text: str, people: list[Any]) -> bool:
    def exactly(one: Any) -> bool:
        return text in (one.account_number, one.email, str(one.id), f"I{1_000_000 + one.id}")

    if any(exactly(one) for one in people):
        return exactly(row)
    return any(text.lower() in (part or "").lower() for part in (row.name, row.email, row.account_number))


def test_each_filter_shows_its_users_newest_first(client: FlaskClient, people: list[Any]) -> None:
    for query in FILTERS:
        there = picked(people, query)
        page = get(client, url("/users", query)).text
        assert ids_in(page) == there[:100], query
        name, total = total_in(page)
        if "search" not in query or len(there) <= 50:
            assert (name, total) == ("data-total", len(there)), query
        else:
            assert total <= len(there), query
        answer = get(client, url("/users.json", query, limit=100)).get_json()
        assert [user["id"] for user in answer["users"]] == there[:100], query


def test_pages_places_and_the_scroll_show_everyone_once(
    make_client: Callable[..., FlaskClient], people: list[Any]
) -> None:
    client = make_client(chunk_rows=30)
    for query in ("", "account_type=family", "search=example.com"):
        there = picked(people, query)
        seen: list[int] = []
        address: str | None = url("/users", query)
        while address:
            answer = get(client, address).text
            seen += ids_in(answer)
            address = sentinel(answer, "older")
        assert seen == there, query
    there = picked(people, "")
    for page in (1, 2, 5, 9):
        assert ids_in(get(client, f"/users?page={page}").text) == there[(page - 1) * 30 : page * 30]
    assert "the list has 260 rows on 9 pages" in get(client, "/users?page=10", 404).text
    before = picked(people, "until=2024-02-29")
    assert ids_in(get(client, "/users?date=2024-02-29").text) == before[:30]


def test_figures_beside_a_user_are_those_of_their_transactions(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    make_transactions(random_rows(600))
    rows = stored(database)
    for user in get(client, "/users.json?limit=100").get_json()["users"]:
        ours = [row for row in rows if row.user_id == user["id"] and row.currency == user["currency"]]
        everything = [row for row in rows if row.user_id == user["id"]]
        assert user["transaction_count"] == len(everything)
        assert user["total_spent_cents"] == sum(row.amount_cents for row in ours)
        invested = sum(row.round_up_cents for row in ours if row.status == "completed")
        assert user["total_invested_cents"] == invested
        newest = max((row.posted_at for row in everything), default=None)
        assert user["last_activity"] == (newest.isoformat().replace("+00:00", "Z") if newest else None)
        page = get(client, f"/users/{user['id']}").text
        assert money(user["total_spent_cents"], user["currency"]) in page
        assert f"All {len(everything)} transactions" in page or not everything


def test_one_user_holds_what_was_invested_by_ticker_and_month(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_directory(database)
    make_transactions(random_rows(600))
    rows = [row for row in stored(database) if row.user_id == 1]
    answer = get(client, "/users/1.json").get_json()["user"]
    held: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.ticker and row.status == "completed":
            held[row.ticker, row.currency] = held.get((row.ticker, row.currency), 0) + row.round_up_cents
    assert {(one["ticker"], one["currency"]): one["invested_cents"] for one in answer["portfolio"]} == held
    assert answer["portfolio_since"] is None
    by_status = {(one["status"], one["currency"]): one["n"] for one in answer["totals"]}
    assert sum(by_status.values()) == len(rows)
    page = get(client, "/users/1").text
    march = [row for row in rows if (row.posted_at.year, row.posted_at.month) == (2024, 3)]
    usd = sum(row.amount_cents for row in march if row.currency == "USD")
    link = "/transactions?user=I1&amp;since=2024-03-01&amp;until=2024-03-31"
    assert re.search(rf'href="{re.escape(link)}[^"]*">{re.escape(money(usd, "USD"))}<', page)
    monkeypatch.setattr(user_detail, "MOST", 40)
    stopped = get(client, "/users/1.json").get_json()["user"]
    newest = rows[:40]
    assert sum(one["n"] for one in stopped["portfolio"]) == len(
        [r for r in newest if r.ticker and r.status == "completed"]
    )
    assert stopped["portfolio_since"] == newest[-1].posted_at.isoformat().replace("+00:00", "Z")
    assert "read back to" in get(client, "/users/1").text


def test_neighbours_history_and_who_is_not_there(client: FlaskClient, database: Database, people: list[Any]) -> None:
    third = people[2]
    with database.writing() as connection:
        detail = {"from": "active", "to": "<i>closed</i>"}
        values = {"action": "user.status", "subject": "user", "subject_id": third.id, "detail": detail}
        connection.execute(insert(audit_events).values(at=third.created_at, **values))
        connection.execute(update(users).where(users.c.id == third.id).values(name="<script>alert(1)</script>"))
    page = get(client, f"/users/{third.id}").text
    assert f'href="/users/{people[3].id}?at=' in page
    assert f'href="/users/{people[1].id}?at=' in page
    assert "user status" in page
    assert "&lt;i&gt;closed&lt;/i&gt;" in page
    assert "<script>alert" not in page + get(client, "/users").text
    for id in (PEOPLE + 1, 2**63 - 1, 2**63, 10**30):
        assert "There is no user" in get(client, f"/users/{id}", 404).text
    assert get(client, "/users/999.json", 404).get_json()["success"] is False


def test_bad_parameters_are_named(client: FlaskClient) -> None:
    for query, word in (
        ("account_type=admin", "account type"),
        ("status=asleep", "status"),
        ("since=2024-02-30", "since"),
        ("merchant=x", "merchant"),
        ("search=a&search=b", "search"),
        ("page=0", "page"),
        ("at=yesterday", "place"),
        (f"search={'x' * 201}", "search"),
    ):
        assert word in get(client, f"/users?{query}", 400).text, query
        if "at=" not in query:
            assert word in get(client, f"/users.json?{query}", 400).get_json()["detail"], query


def test_an_empty_list_and_no_match_say_so(client: FlaskClient, database: Database) -> None:
    assert "There are no users yet." in get(client, "/users").text
    add_directory(database)
    page = get(client, "/users?search=zzz&status=closed").text
    assert "No users match." in page
    assert 'href="/users?status=closed"' in page


@pytest.mark.parametrize("size", [30, 300])
def test_a_page_of_users_takes_the_same_statements(
    database: Database, client: FlaskClient, make_transactions: Callable[..., None], size: int
) -> None:
    add_directory(database)
    make_transactions(random_rows(size))
    with statements_of(client.application.extensions["database"].reader) as seen:
        get(client, "/users")
    statements = [statement for statement, _ in seen]
    assert not [one for one in statements if " FROM transactions" in one or "count(" in one.lower()]
    assert len(statements) <= 13
