"""The search page: straight to what is meant, lists narrowed, what was found, and what cannot be understood."""

from collections.abc import Callable
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote, unquote

import pytest
from bs4 import BeautifulSoup
from conftest import micros
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, statements_of, stored
from sqlalchemy import delete, insert, select, update

from kamioi_web import loading
from kamioi_web.db import Database
from kamioi_web.schema import admins, from_micros, instruments, merchants, saved_views, transactions, users
from kamioi_web.search import vocabulary

ROWS = 400
AT = micros("2024-03-14T09:00:00")
NAMES = {"WHOLEFDS MKT #1021": "Whole Foods Market", "TST* CAFE 9": "Café Nine", "SQ *<B>": "<b>Bold</b> \"Café\"",
         "77001 LOT": "Parking 77001"}  # fmt: skip


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    """Users and merchants with transactions, some instruments, and the words of the merchants."""
    add_directory(database)
    make_transactions(random_rows(ROWS))
    with database.writing() as connection:
        loading.find_or_add_merchants(connection, {text: (name, AT, AT) for text, name in NAMES.items()})
        shares = [("SBUX", "Starbucks"), ("AAPL", "Apple"), ("SHOP", "Shopify"), ("BRK.B", "Berkshire Hathaway")]
        rows = [{"ticker": ticker, "company": company, "exchange": "NYSE"} for ticker, company in shares]
        connection.execute(delete(instruments))
        connection.execute(insert(instruments), rows)
        vocabulary.rebuild(connection)
    return database


def soup(answer: str) -> Any:
    return BeautifulSoup(answer, "html.parser")


def search(client: FlaskClient, typed: str, more: str = "", status: int = 200) -> Any:
    return get(client, f"/search?q={quote(typed)}{more}", status)


def leads_to(client: FlaskClient, typed: str, more: str = "") -> str:
    """Where a search leads, as people read it."""
    return unquote(search(client, typed, more, 303).headers["Location"])


def found(client: FlaskClient, typed: str, more: str = "") -> dict[str, list[list[str]]]:
    """{section: [[title, code and figure of each row]]} of a page of results."""
    tree = soup(search(client, typed, more).text)
    assert tree.select_one("#search")["value"] == typed
    return {
        section.h2["id"].removeprefix("found-"): [
            [part.get_text(strip=True) for part in row.select("span > a, code, .figure, b")]
            for row in section.select("li")
        ]
        for section in tree.select(".found section")
    }


def one_id(database: Database, query: Any) -> int:
    with database.reading() as connection:
        return connection.scalar(query)


def test_what_is_one_thing_leads_straight_to_it(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(users).where(users.c.id == 2).values(account_number="I1000042"))
        connection.execute(update(transactions).where(transactions.c.id == 399).values(id=5_000_123))
    expected = {
        "I1000042": "/users/2",
        " user2@example.com ": "/users/2",
        "USER2@EXAMPLE.COM": "/users/2",
        "\u200bI1000042\u202c": "/users/2",
        "I1000005": "/users/5",  # as the old dashboard wrote ids
        "5000123": "/transactions/5000123",
        "id:5000123": "/transactions/5000123",
        "transaction:5000123": "/transactions/5000123",
    }
    assert {typed: leads_to(client, typed) for typed in expected} == expected
    assert leads_to(client, "7", "&in=users") == "/users/7"
    assert leads_to(client, "id:3", "&in=users") == "/users/3"


def test_in_a_list_of_admins_an_e_mail_is_an_admins(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(admins).values(email="user2@example.com"))
    assert leads_to(client, "user2@example.com", "&in=audit") == "/audit?admin=user2@example.com"
    assert leads_to(client, "user2@example.com", "&in=transactions") == "/users/2"


def test_a_number_that_may_be_several_things_shows_them_all(client: FlaskClient, filled: Database) -> None:
    seven = found(client, "7")
    assert seven["transaction"] == [["Transaction 7"]]
    assert seven["users"][0][:2] == ["User 7", "I7"]
    with filled.writing() as connection:
        connection.execute(update(transactions).where(transactions.c.id == 5).values(id=77_001))
        connection.execute(update(users).where(users.c.id == 3).values(account_number="I1000009"))
    mixed = found(client, "77001")
    assert mixed["transaction"] == [["Transaction 77001"]] and mixed["merchants"][0][:2] == [
        "Parking 77001",
        "77001 LOT",
    ]
    both = found(client, "I1000009")  # the number of one, the displayed id of another
    assert [row[0] for row in both["users"]] == ["User 3", "User 9"]


def test_a_list_is_narrowed_and_keeps_its_other_filters(client: FlaskClient, filled: Database) -> None:
    kept = "&in=transactions&status=failed&merchant_id=3&since=2024-01-01"
    assert leads_to(client, "shop beta", kept) == "/transactions?status=failed&merchant=shop beta&since=2024-01-01"
    assert leads_to(client, "status:pending", kept) == "/transactions?status=pending&since=2024-01-01"
    assert leads_to(client, "", kept) == "/transactions?status=failed&since=2024-01-01"
    assert leads_to(client, "ann", "&in=users&status=active") == "/users?search=ann&status=active"
    assert leads_to(client, "amount:>100 category:groceries") == "/transactions?category=Groceries&amount_min=100.01"
    assert leads_to(client, "confidence:<0.5") == "/llm-center?confidence_max=0.5"
    assert leads_to(client, "action:login") == "/audit?action=login"


def test_a_narrowed_list_has_exactly_the_rows_that_were_asked_for(client: FlaskClient, filled: Database) -> None:
    for typed, query in {
        "shop beta status:failed": "merchant=shop%20beta&status=failed",
        "amount:>10 amount:<=999": "amount_min=10.01&amount_max=999",
        "date:2024-03 kind:purchase": "since=2024-03-01&until=2024-03-31&amount_min=0",
        "user:user1@example.com ticker:sbux,brk.b": "user=I1&ticker=SBUX&ticker=BRK.B",
    }.items():
        answer = client.get(f"/search?q={quote(typed)}", follow_redirects=True)
        expected = [row.id for row in stored(filled, query)]
        assert expected, typed
        assert ids_in(answer.text) == expected[:100], typed


def test_a_user_is_meant_by_any_part_of_their_name(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(users).where(users.c.id == 4).values(name="Ada Lovelace"))
        connection.execute(update(users).where(users.c.id == 6).values(name="Ada Byron"))
    assert leads_to(client, "user:lovelace status:failed") == "/transactions?status=failed&user=I4"
    assert leads_to(client, "user:I1000004") == "/transactions?user=I4"
    tree = soup(search(client, "user:ada status:failed").text)
    assert "Which user is “ada”?" in tree.text
    links = [link["href"] for link in tree.select(".found li a")]
    assert links == ["/transactions?status=failed&user=I4", "/transactions?status=failed&user=I6"]
    nobody = search(client, "nobody@example.com", "&in=audit", 400).text
    assert "There is no admin" in nobody and soup(nobody).select_one("#search")["value"] == "nobody@example.com"
    assert "no user “nobody here”" in search(client, 'user:"nobody here"', status=400).text


def test_merchants_are_found_with_the_transactions_behind_them(client: FlaskClient, filled: Database) -> None:
    results = found(client, "shop beta")
    rows = stored(filled, "merchant=shop%20beta")
    by_merchant: dict[str, int] = {}
    for row in rows:
        by_merchant[row.merchant] = by_merchant.get(row.merchant, 0) + 1
    shown = {row[0]: row[2] if len(row) > 2 else "" for row in results["merchants"]}
    assert shown.items() >= {name: f"{n} transaction{'s' * (n != 1)}" for name, n in by_merchant.items()}.items()
    counts = [by_merchant.get(row[0], 0) for row in results["merchants"]]
    assert counts == sorted(counts, reverse=True)
    tree = soup(search(client, "shop beta").text)
    everything = tree.select_one("#found-merchants a")
    assert everything.text == f"All {len(rows)} transactions"
    assert client.get(everything["href"]).text.count('<tr id="transaction-') == min(100, len(rows))


def test_the_exact_word_comes_before_its_beginning_before_its_inside(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        names = {"A 1": "Megamart", "B 2": "Marten Supply", "C 3": "The Mart", "D 4": "Smartphone"}
        loading.find_or_add_merchants(connection, {text: (name, AT, AT) for text, name in names.items()})
        ids = {row.name: row.id for row in connection.execute(select(merchants)) if row.name in names.values()}
        busy = random_rows(30, seed=9)
        for row in busy:
            row["merchant_id"] = ids["Smartphone"]
        plain = {"fee_cents": 0, "created_at": AT}
        loading.load_transactions(
            connection, [tuple((plain | row)[name] for name in loading.TRANSACTION_COLUMNS) for row in busy]
        )
    assert [row[0] for row in found(client, "mart")["merchants"]] == [
        "The Mart", "Marten Supply", "Smartphone", "Megamart",
    ]  # fmt: skip


def test_companies_values_and_pages_are_found(client: FlaskClient, filled: Database) -> None:
    assert found(client, "apple")["companies"][0][:2] == ["Apple", "AAPL"]
    sbux = found(client, "sbux")["companies"][0]
    assert sbux[:3] == ["Starbucks", "SBUX", f"{len(stored(filled, 'ticker=SBUX'))} transactions"]
    assert found(client, "hathaway")["companies"] == [
        ["Berkshire Hathaway", "BRK.B", f"{len(stored(filled, 'ticker=BRK.B'))} transactions", ANY]
    ]
    assert found(client, "fail")["values"] == [["failed", f"{len(stored(filled, 'status=failed'))} transactions"]]
    assert found(client, "audit")["pages"] == [["Audit log"]]


def test_nobody_finds_what_is_not_for_them(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        me = connection.scalar(select(admins.c.id))
        values = {"email": "other@x.example", "password_hash": "none", "role": "viewer", "active": True}
        added = insert(admins).values(**values, preferences={}, created_at=from_micros(AT)).returning(admins.c.id)
        other = connection.scalar(added)
        for admin, page, name, shared in (
            (me, "transactions", "failed at night", False),
            (other, "transactions", "failed in Canada", True),
            (other, "users", "failed people", False),
            (other, "audit", "failed logins", True),
            (other, "gone", "failed page", True),
        ):
            row = {"admin_id": admin, "page": page, "name": name, "query": "status=failed", "shared": shared}
            connection.execute(insert(saved_views).values(**row, created_at=from_micros(AT)))
    assert found(client, "failed")["views"] == [["failed at night"], ["failed logins"], ["failed in Canada"]]
    assert [row[0] for row in found(client, "")["views"]] == ["failed at night", "failed logins", "failed in Canada"]
    with filled.writing() as connection:
        connection.execute(update(admins).where(admins.c.id == me).values(role="viewer"))
    assert found(client, "failed")["views"] == [["failed at night"], ["failed in Canada"]]
    assert ["Audit log"] not in found(client, "audit")["pages"]
    assert "There is no list “audit”" in search(client, "x", "&in=audit", 400).text
    assert "No list can be narrowed" in search(client, "action:login", status=400).text


def test_a_misspelt_word_offers_the_right_one(client: FlaskClient, filled: Database) -> None:
    tree = soup(search(client, "foodz").text)
    offered = tree.select_one(".corrections")
    assert offered.get_text(" ", strip=True) == "Did you mean foods 1 merchant ?"
    again = client.get(offered.a["href"]).text
    assert "Whole Foods Market" in again and soup(again).select_one("#search")["value"] == "foods"
    assert "whole foods" in search(client, "hole foodz").text
    assert "Did you mean" not in search(client, "zzzzzz").text
    assert "Did you mean" not in search(client, "foods").text
    empty = soup(get(client, "/transactions?status=failed&merchant=foodz").text)
    links = {link.text: link["href"] for link in empty.select(".empty a")}
    assert links["Did you mean foods?"] == "/transactions?status=failed&merchant=foods"
    assert list(links)[1:] == ["Remove Status: failed", "Remove Merchant: foodz"]
    right = get(client, "/transactions?status=failed&merchant=foods").text
    assert "No transactions match" in right and "Did you mean" not in right


HOSTILE = (
    "status:", "amount:>", 'merchant:"', '"', "'", "%", "_", "*", "%%%", "___", "100%", "\\", "a AND b", "AND", "NEAR(",
    '"a" NEAR "b"', "(", ")", "^", "-", "a*", "{a}", "Foo:Bar", "merchants_text:x", "\u202eevil\u202c", "\u200b",
    "\x00", "a\x00b", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "x" * 10_000,
    "\U0001f600", "東京カフェ", "id:0", "id:99999999999999999999", "9" * 30, "٣", "²", "user:", "date:2024-02-30",
    ":::", "::", "in:transactions", "q=1&in=users", "../../etc/passwd", "' OR 1=1 --", "status:failed status:",
    "a" * 200, "\n\t",
)  # fmt: skip


@pytest.mark.parametrize("more", ["", "&in=transactions&status=failed", "&in=users", "&in=mappings"])
def test_whatever_is_typed_is_text(client: FlaskClient, filled: Database, more: str) -> None:
    for typed in HOSTILE:
        answer = client.get(f"/search?q={quote(typed)}{more}")
        assert answer.status_code in (200, 303, 400), (typed, answer.text[:300])
        if answer.status_code == 303:
            list_answer = client.get(answer.headers["Location"])
            assert list_answer.status_code == 200, (typed, answer.headers["Location"])
            continue
        tree = soup(answer.text)
        kept = typed.replace("\0", "")
        assert tree.select_one("#search")["value"] == kept, typed
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
        hidden = {field["name"]: field["value"] for field in tree.select("#search-form [type=hidden]")}
        assert hidden == dict(pair.split("=") for pair in more.split("&") if pair)
        if answer.status_code == 400:
            assert tree.select_one("[role=alert]").text


def test_wildcards_find_nothing_more_than_themselves(client: FlaskClient, filled: Database) -> None:
    for typed in ("%%%", "___", "sh%p", "sh_p", "shop*", '"shop" AND', "shop OR beta"):
        assert "merchants" not in found(client, typed), typed
    assert found(client, "<b>bold</b>")["merchants"][0][0] == '<b>Bold</b> "Café"'


def test_what_the_address_gets_wrong_is_named(client: FlaskClient, filled: Database) -> None:
    for address, parameter in {
        "/search?query=x": "query",
        "/search?q=x&q=y": "q",
        "/search?q=x&in=nowhere": "in",
        "/search?q=x&status=failed": "status",
        "/search?q=x&in=users&ticker=SBUX": "ticker",
        "/search?q=x&in=transactions&status=nonsense": "status",
    }.items():
        assert parameter in soup(get(client, address, 400).text).select_one("main").text


def test_an_emptied_box_shows_all_rows_where_a_view_is_the_default(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(admins).values(preferences={"views": {"transactions": 1}}))
    assert leads_to(client, "", "&in=transactions") == "/transactions?view=all"
    assert leads_to(client, "", "&in=transactions&status=failed") == "/transactions?status=failed"


def test_only_admins_search(client: FlaskClient, filled: Database) -> None:
    anyone = client.application.test_client()
    assert anyone.get("/search?q=shop").headers["Location"].startswith("/login?next=")


def test_the_box_stands_on_every_page(client: FlaskClient, filled: Database) -> None:
    for address in ("/transactions", "/transactions/7", "/users", "/users/7", "/settings", "/search", "/nowhere"):
        tree = soup(client.get(address).text)
        form = tree.select_one("form[role=search]")
        assert form["action"] == "/search" and form.select_one("[name=q]")["id"] == "search", address
    tree = soup(get(client, "/transactions?status=failed&merchant=shop&page=1").text)
    fields = {field["name"]: field["value"] for field in tree.select("#search-form input")}
    assert fields == {"in": "transactions", "status": "failed", "q": "shop"}
    assert tree.select_one("#search")["placeholder"] == "Search merchant, user, id…"


def test_a_search_reads_little_however_much_there_is(client: FlaskClient, filled: Database) -> None:
    reader = client.application.extensions["database"].reader
    counts = []
    for typed in ("shop beta", "nothing at all", "shop"):
        with statements_of(reader) as seen:
            search(client, typed)
        counts.append(len(seen))
        for statement, _ in seen:
            assert "count(" not in statement.lower(), statement
    assert max(counts) <= 24, counts
