"""What the search box offers while one types, as the options that come from the server."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from conftest import micros
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows, statements_of, stored
from sqlalchemy import delete, insert, select, update

from kamioi_web import loading
from kamioi_web.db import Database
from kamioi_web.schema import admins, from_micros, instruments, saved_views, users
from kamioi_web.search import vocabulary

AT = micros("2024-03-14T09:00:00")
NAMES = {"WHOLEFDS 1": "Whole Foods Market", "WHOLEFDS 2": "Whole Foods Market", "SQ *<B>": '<b>Bold</b> "Café"'}


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    """Users and merchants with transactions, some instruments, and the words of the merchants."""
    add_directory(database)
    make_transactions(random_rows(300))
    with database.writing() as connection:
        loading.find_or_add_merchants(connection, {text: (name, AT, AT) for text, name in NAMES.items()})
        rows = [("SBUX", "Starbucks"), ("AAPL", "Apple")]
        connection.execute(delete(instruments))
        connection.execute(
            insert(instruments),
            [{"ticker": ticker, "company": company, "exchange": "NYSE"} for ticker, company in rows],
        )
        vocabulary.rebuild(connection)
    return database


def offered(client: FlaskClient, typed: str, more: str = "") -> dict[str, list[tuple[str, str, str]]]:
    """{heading: [(title, figure, where it leads or what it puts into the box)]}"""
    answer = get(client, f"/search/suggest?q={quote(typed)}{more}", htmx=True)
    assert answer.headers["X-Fragment"] == "1"
    tree: Any = BeautifulSoup(answer.text, "html.parser")
    return {
        group["aria-label"]: [
            (option.b.text, small.text if (small := option.find("small", recursive=False)) else "",
             option.get("href") or option["data-fill"])
            for option in group.select("[role=option]")
        ]
        for group in tree.select("[role=group]")
    }  # fmt: skip


def n_of(database: Database, query: str) -> str:
    return f"{len(stored(database, query)):,}"


def test_values_of_an_operator_come_with_their_rows(client: FlaskClient, filled: Database) -> None:
    failed = n_of(filled, "status=failed")
    assert offered(client, "status:fa")["Values"] == [("status:failed", failed, "status:failed ")]
    assert offered(client, "shop STATUS:FA")["Values"] == [("status:failed", failed, "shop status:failed ")]
    rejected = offered(client, "status:failed,rej")["Values"]
    assert rejected == [("status:failed,rejected", n_of(filled, "status=rejected"), "status:failed,rejected ")]
    assert ('status:"in review"', n_of(filled, "status=needs_review"), 'status:"in review" ') in offered(
        client, "status:"
    )["Values"]
    fuel = n_of(filled, "category=Fuel%20%26%20Co")
    assert offered(client, 'category:"fuel')["Values"] == [('category:"Fuel & Co"', fuel, 'category:"Fuel & Co" ')]
    assert [title for title, _, _ in offered(client, "status:", "&in=users")["Values"]] == [
        "status:active", "status:inactive", "status:closed",
    ]  # fmt: skip
    assert [title for title, _, _ in offered(client, "source:")["Values"]] == [
        "source:bank", "source:receipt", "source:manual", "source:import",
    ]  # fmt: skip
    assert ("date:today", "", "date:today ") in offered(client, "date:")["Values"]


def test_what_an_operator_names_is_looked_up(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(update(users).where(users.c.id == 1).values(name="Ada Lovelace"))
    assert offered(client, "user:lovel")["Values"] == [("user:I1", n_of(filled, "user=I1"), "user:I1 ")]
    assert offered(client, "ticker:appl")["Values"] == [("ticker:AAPL", n_of(filled, "ticker=AAPL"), "ticker:AAPL ")]
    whole = ('merchant:"Whole Foods Market"', "", 'merchant:"Whole Foods Market" ')
    assert offered(client, "merchant:whole")["Values"] == [whole]
    assert offered(client, "merchant:") == {} and offered(client, "user:") == {}


def test_words_offer_operators_values_and_what_holds_them(client: FlaskClient, filled: Database) -> None:
    assert [title for title, _, _ in offered(client, "ti")["Filters"]] == ["ticker:"]
    assert offered(client, "acc")["Filters"][0][2] == "account:"
    dining = ("category:Dining", n_of(filled, "category=Dining"), "category:Dining ")
    assert dining in offered(client, "dini")["Filters"]
    whole = offered(client, "whole foods")["Merchants"]
    assert [title for title, _, _ in whole] == ["Whole Foods Market"] * 2
    assert client.get(whole[0][2]).status_code == 200
    assert offered(client, "apple")["Companies"][0][0] == "Apple"
    assert offered(client, "I7")["Users"][0] == ("User 7", f"{n_of(filled, 'user=I7')} transactions", "/users/7")
    assert offered(client, "audit")["Pages"] == [("Audit log", "", "/audit")]
    assert "Merchants" not in offered(client, "shop status:failed wh")


def test_a_misspelt_word_offers_the_right_one(client: FlaskClient, filled: Database) -> None:
    corrected = offered(client, "foosd")["Did you mean"]
    assert corrected == [("foods", "2 merchants", "/search?q=foods")]
    assert "Did you mean" not in offered(client, "foods")


def test_an_empty_box_offers_pages_own_and_shared_views_and_operators(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        view = {"admin_id": connection.scalar(select(admins.c.id)), "page": "users", "name": "<i>Gone</i>",
                "query": "status=closed", "shared": False, "created_at": from_micros(AT)}  # fmt: skip
        connection.execute(insert(saved_views).values(**view))
    nothing = offered(client, "")
    assert ("Transactions", "", "/transactions") in nothing["Pages"]
    assert nothing["Saved views"] == [("<i>Gone</i>", "", "/users?status=closed")]
    assert ("status:", "", "status:") in nothing["Operators"]
    assert ("ticker:", "", "ticker:") not in offered(client, "", "&in=users")["Operators"]


def test_what_cannot_be_understood_is_said_below_the_box(client: FlaskClient, filled: Database) -> None:
    for typed, says in {"amount:ten ": "not an amount", "x" * 10_000: "10,000 characters", "a\0": "control"}.items():
        answer = get(client, f"/search/suggest?q={quote(typed)}", htmx=True).text
        tree: Any = BeautifulSoup(answer, "html.parser")
        assert says in tree.select_one(".suggest-hint").text
        assert not tree.select("[role=option]")


HOSTILE = (
    "status:", 'merchant:"', '"', "%", "_", "*", "a AND", "NEAR(", "\\", "'", "\u202e", "<b>", "東京", "٣", "²",
    "9" * 30, "in:", ":", ",", "status:,", "status:,,x", 'category:"a","', "user:%", "ticker:'", "date:x", "amount:>",
)  # fmt: skip


def test_whatever_is_typed_is_text(client: FlaskClient, filled: Database) -> None:
    for typed in HOSTILE:
        for more in ("", "&in=transactions", "&in=users", "&in=mappings"):
            get(client, f"/search/suggest?q={quote(typed)}{more}", htmx=True)
    bold = get(client, "/search/suggest?q=bold", htmx=True).text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in bold and "<b>Bold" not in bold.replace("<b>&lt;b&gt;Bold", "")


def test_suggestions_are_for_admins_and_read_little(client: FlaskClient, filled: Database) -> None:
    assert (
        client.application.test_client().get("/search/suggest?q=x", headers={"HX-Request": "true"}).status_code == 401
    )
    for typed in ("shop", "nothing like it", "status:fa", "user:us", "9"):
        with statements_of(client.application.extensions["database"].reader) as seen:
            offered(client, typed)
        assert len(seen) <= 20, (typed, len(seen))
        assert not [statement for statement, _ in seen if "count(" in statement.lower()]


BIG = r"(merchants|users|transactions|totals|totals_now|search_words|search_typos)"


def test_no_big_table_is_read_from_end_to_end(client: FlaskClient, filled: Database) -> None:
    if filled.dialect.partitions:
        pytest.skip("PostgreSQL reads so few rows from end to end whatever the indexes")
    reader = client.application.extensions["database"].reader
    with statements_of(reader) as seen:
        for typed in ("shop beta", "shpo", "st", "9", "I7", "user:us", "merchant:wh", "status:fa", "two words"):
            offered(client, typed)
            client.get(f"/search?q={quote(typed)}")
    assert len(seen) > 50
    with filled.reading() as connection:
        plans = {statement: filled.dialect.explain(connection, statement, values) for statement, values in seen}
    assert not [plan for plan in plans.values() if re.search(rf"^SCAN {BIG}\b", plan, re.MULTILINE)]
