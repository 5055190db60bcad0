"""Counting exactly: where a page says “at least”, a job says how many rows and how much money there are."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from export_files import carry_out, job_of, send
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows, stored, total_in, url
from sqlalchemy import delete, insert
from test_login import change

from kamioi_web.db import Database
from kamioi_web.jobs import count
from kamioi_web.jobs.working import work
from kamioi_web.money import money
from kamioi_web.schema import from_micros, transactions, users

QUERIES = (
    "amount_min=10&amount_max=20",
    "amount_max=-0.01&status=completed",
    "source=manual&source=import",
    "source=receipt&since=2024-02-10&until=2024-09-05",
    "merchant=shop%20beta&amount_min=5",
    "merchant=beta&source=bank",
    "user=I1&amount_min=10",
    "ticker=SBUX&ticker=AAPL&source=bank",
    "status=failed&status=pending&amount_min=1",
    "amount_min=99999",
    "",
)


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """600 random rows in the database."""
    add_directory(database)
    make_transactions(random_rows(600))


def order(client: FlaskClient, query: str, page: str = "transactions") -> int:
    answer = send(client, "/counts", page=page, query=query)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rpartition("/")[2])


def counted(client: FlaskClient, database: Database, query: str, page: str = "transactions") -> dict[str, Any]:
    id = order(client, query, page)
    carry_out(database, "default")
    job = job_of(database, id)
    assert job.state == "done", job.error
    return job.result


def expected(database: Database, query: str) -> dict[str, Any]:
    """The count and the sums, added up here."""
    sums: dict[str, Counter[str]] = {}
    for row in stored(database, query):
        part = {name: getattr(row, name) for name in ("amount_cents", "round_up_cents", "fee_cents")}
        sums.setdefault(row.currency, Counter()).update({"n": 1} | part)
    return {"n": sum(part["n"] for part in sums.values()), "sums": sums}


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("window", [None, 40])
def test_a_count_is_exact(
    client: FlaskClient, database: Database, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if window:
        monkeypatch.setattr(database.dialect, "scan_rows", window)
    for query in QUERIES:
        found = counted(client, database, query)
        assert {"n": found["n"], "sums": found["sums"]} == expected(database, query), query


@pytest.mark.usefixtures("filled")
def test_lists_without_money_are_counted_too(client: FlaskClient, database: Database) -> None:
    found = counted(client, database, "search=user&status=active", "users")
    with database.reading() as connection:
        names = [row.name for row in connection.execute(users.select().where(users.c.status == "active"))]
    assert found["n"] == sum("user" in name.lower() for name in names) > 0 and "sums" not in found


@pytest.mark.usefixtures("filled")
def test_where_a_page_says_at_least_it_offers_to_count(make_client: Any, database: Database) -> None:
    client, query = make_client("viewer", chunk_rows=10), "amount_min=10&source=bank"
    text = get(client, url("/transactions", query)).text
    assert total_in(text) == ("data-total-at-least", 10)
    page = BeautifulSoup(text, "html.parser")
    forms = page.select("form.count-exactly")
    assert [form.find_parent("footer") is not None for form in forms] == [False, True]
    fields = {field["name"]: field["value"] for field in forms[0].select("[type=hidden]")}
    answer = client.post(forms[0]["action"], data=fields)
    assert answer.status_code == 303
    again = client.post(forms[0]["action"], data=fields)
    assert again.headers["Location"] == answer.headers["Location"]
    assert carry_out(database, "default") == 1
    wanted = expected(database, query)
    done = BeautifulSoup(get(client, answer.headers["Location"]).text, "html.parser")
    assert f"Exactly {wanted['n']} rows at " in done.text
    for code, part in wanted["sums"].items():
        assert f"{part['n']} rows in {code}: {money(part['amount_cents'], code)}" in done.text
    assert [link["href"] for link in done.select("#job a.chip")] == [url("/transactions", query)]
    exact = get(client, "/transactions?status=failed").text
    assert total_in(exact)[0] == "data-total" and "count-exactly" not in exact


@pytest.mark.usefixtures("filled")
def test_a_count_is_of_one_moment_and_tells_its_progress(
    client: FlaskClient, database: Database, make_transactions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.dialect, "scan_rows", 100)
    monkeypatch.setattr("kamioi_web.jobs.telling.SECONDS", 0)
    query = "amount_min=0"
    before, told = expected(database, query), []

    class Telling(count.Telling):
        def __call__(self, rows_done: int) -> None:
            super().__call__(rows_done)
            job = job_of(database, id)
            told.append((job.rows_done, job.rows_total))
            if len(told) == 2:
                make_transactions(random_rows(300, seed=2))
                change(database, delete(transactions).where(transactions.c.status == "failed"))

    monkeypatch.setattr(count, "Telling", Telling)
    id = order(client, query)
    carry_out(database, "default")
    assert job_of(database, id).result["n"] == before["n"]
    assert [done for done, _ in told] == sorted(done for done, _ in told) and len(told) >= 6
    assert {total for _, total in told} == {600} and told[-1][0] == 600
    assert expected(database, query) != before


@pytest.mark.usefixtures("filled")
def test_a_count_can_be_cancelled_and_stopped(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, stop = order(client, "amount_min=0"), threading.Event()
    stop.set()
    send(client, f"/jobs/{id}/cancel")
    assert work(database, "default", "a test", threading.Event()) == 0
    assert job_of(database, id).state == "cancelled"
    send(client, f"/jobs/{id}/retry")
    assert work(database, "default", "a test", stop) == 0
    assert carry_out(database, "default") == 1
    assert job_of(database, id).state == "done"


def test_what_is_wrong_is_named(make_client: Any, database: Database) -> None:
    viewer = make_client("viewer")
    assert send(viewer, "/counts", page="audit", query="action=tested").status_code == 403
    assert send(viewer, "/counts", page="nothing").status_code == 400
    assert send(viewer, "/counts", page="users", query="status=strange").status_code == 400
    assert send(viewer, "/counts", page="transactions", query="user=nobody").status_code == 404
    assert carry_out(database, "default") == 0


def test_a_user_who_is_gone_by_then_is_said_to_be(client: FlaskClient, database: Database) -> None:
    values = {"id": 7, "account_number": "I7", "name": "Seven", "account_type": "individual", "status": "active",
              "round_up_cents": 100, "created_at": from_micros(0)}  # fmt: skip
    change(database, insert(users).values(**values))
    id = order(client, "user=I7")
    change(database, delete(users).where(users.c.id == 7))
    carry_out(database, "default")
    job = job_of(database, id)
    assert job.state == "failed" and "There is no user “I7”" in job.error
