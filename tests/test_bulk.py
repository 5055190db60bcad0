"""Changing many rows from the list: what it will come to is shown first, the order acts once, roles and bad input."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from helpers import add_directory, cursor_of, get, ids_in, random_rows, stored, total_in
from job_helpers import carry_out, job_of, statuses
from sqlalchemy import func, select

from kamioi_web.db import Database
from kamioi_web.jobs.tables import jobs
from kamioi_web.schema import audit_events

ROWS = 1_200
BULK = "/transactions/bulk"


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    add_directory(database)
    make_transactions(random_rows(ROWS))
    return database


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', get(client, "/settings").text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, data: Any = (), status: int = 303) -> Any:
    """Send a form as its page does."""
    fields = [*(data.items() if isinstance(data, dict) else data), ("csrf_token", token(client))]
    whole: dict[str, list[str]] = {}
    for name, value in fields:
        whole.setdefault(name, []).append(value)
    answer = client.post(path, data=whole)
    assert answer.status_code == status, (answer.status_code, answer.text[:600])
    return answer


def job_id(answer: Any) -> int:
    return int(re.fullmatch(r"/jobs/(\d+)", answer.location)[1])  # ty: ignore[not-subscriptable]


def test_what_it_comes_to_is_shown_before_it_is_asked_and_nothing_is_changed_by_looking(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client, rows, before = make_client("operator"), stored(filled, "status=failed"), statuses(filled)
    page = get(client, f"{BULK}?status=failed&do=status&status_to=pending&scope=all").text
    assert f"Change the status of {len(rows)} transactions to pending" in page
    assert f"{len(rows)} failed become pending" in page and 'name="typed"' not in page
    assert ids_in(page) == [row.id for row in rows[:10]]
    assert statuses(filled) == before
    with filled.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(jobs)) == 0


def test_all_that_match_are_changed_and_put_back(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, before = make_client("operator"), statuses(filled)
    fields = {"status": "failed", "do": "status", "status_to": "pending", "scope": "all"}
    id = job_id(post(client, BULK, fields))
    carry_out(filled)
    assert statuses(filled)["failed"] == 0
    page = get(client, f"/jobs/{id}").text
    assert f"{before['failed']} changed" in page and f'formaction="/jobs/{id}/undo"' in page
    undo = job_id(post(client, f"/jobs/{id}/undo"))
    carry_out(filled)
    assert statuses(filled) == before
    assert f"job {undo}" in get(client, f"/jobs/{id}").text
    post(client, f"/jobs/{id}/undo", status=409)


def test_more_than_a_thousand_take_the_number(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client = make_client("operator")
    fields = {"do": "category", "category_to": "Other", "scope": "all"}
    assert "Type 1200 to go on" in get(client, f"{BULK}?do=category&category_to=Other&scope=all").text
    for typed, words in (("", "Type 1200"), ("1199", "is not 1200"), ("yes", "is not 1200")):
        assert words in post(client, BULK, {**fields, "typed": typed}, 400).text
    id = job_id(post(client, BULK, {**fields, "typed": "1,200"}))
    carry_out(filled)
    assert job_of(filled, id).result == {"changed": ROWS} and job_of(filled, id).rows_total == ROWS
    assert total_in(get(client, "/transactions?category=Other").text) == ("data-total", ROWS)


def test_ticked_rows_are_changed_and_no_others(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, rows = make_client("operator"), stored(filled, "status=completed")[5:12]
    query = "&".join(f"tick={cursor_of(row)}" for row in rows)
    page = get(client, f"{BULK}?do=status&status_to=failed&scope=rows&{query}").text
    assert ids_in(page) == [row.id for row in rows] and "of 7 transactions" in page
    before = statuses(filled)
    fields = [("do", "status"), ("status_to", "failed"), ("scope", "rows"), *(("tick", cursor_of(row)) for row in rows)]
    post(client, BULK, fields)
    carry_out(filled)
    changed = {row.id for row in stored(filled)} & {row.id for row in rows}
    assert {row.status for row in stored(filled) if row.id in changed} == {"failed"}
    assert statuses(filled)["completed"] == before["completed"] - 7


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("do=status&status_to=gone", "“gone” is not a status"),
        ("do=nothing", "“do” is one of"),
        ("do=category&category_to=", "Type the new category"),
        ("do=status&status_to=failed&scope=rows", "No row is ticked"),
        ("do=status&status_to=failed&scope=some", "“scope” is rows or all"),
        ("do=status&status_to=failed&scope=rows&tick=12", "is not a place in this list"),
        ("do=status&status_to=failed&colour=red", "There is no parameter “colour”"),
        ("do=status&status_to=failed&status=x", "“x” is not a status"),
        ("do=status&status_to=failed&user=nobody", "nobody"),
        ("do=status&status_to=failed&scope=rows&" + "&".join(f"tick=2024-01-01T00:00:00Z~{n}" for n in range(151)),
         "at most 150"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(
    filled: Database, make_client: Callable[..., FlaskClient], query: str, words: str
) -> None:
    answer = make_client("operator").get(f"{BULK}?{query}")
    assert answer.status_code in (400, 404) and words in answer.text


def test_lesser_roles_neither_see_nor_may_do_it(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    for role in ("viewer", "reviewer"):
        client = make_client(role)
        page = get(client, "/transactions").text
        assert 'name="tick"' not in page and BULK not in page
        get(client, f"{BULK}?do=status&status_to=failed", 403)
        post(client, BULK, {"do": "status", "status_to": "failed", "scope": "all"}, 403)
    assert 'name="tick"' in get(make_client("operator"), "/transactions").text


def test_hostile_text_is_shown_as_text(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, text = make_client("operator"), "<img src=x onerror=alert(1)>"
    page = get(client, f"{BULK}?status=failed&do=category&category_to=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E").text
    assert text not in page and "&lt;img" in page
    id = job_id(post(client, BULK, {"status": "failed", "do": "category", "category_to": text, "scope": "all"}))
    carry_out(filled)
    for path in (f"/jobs/{id}", "/jobs", f"/jobs/{id}/state?known=", "/audit", "/transactions?status=failed"):
        assert text not in get(client, path).text


def test_the_history_of_a_row_tells_who_changed_it(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, row = make_client("operator"), stored(filled, "status=failed")[0]
    post(client, BULK, {"status": "failed", "do": "status", "status_to": "pending", "scope": "all"})
    carry_out(filled)
    page = get(client, f"/transactions/{row.id}").text
    assert "transaction changed" in page and "failed → pending" in page and "tester-" in page


def test_a_job_of_another_admin_takes_an_operator(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    operator, viewer = make_client("operator"), make_client("viewer")
    id = job_id(post(operator, BULK, {"status": "failed", "do": "status", "status_to": "pending", "scope": "all"}))
    post(viewer, f"/jobs/{id}/cancel", status=403)
    assert "formaction" not in get(viewer, f"/jobs/{id}").text
    post(operator, f"/jobs/{id}/pause")
    assert job_of(filled, id).state == "paused"
    post(operator, f"/jobs/{id}/retry", status=409)
    post(operator, f"/jobs/{id}/resume")
    post(operator, f"/jobs/{id}/cancel")
    assert job_of(filled, id).state == "cancelled" and carry_out(filled) == 0
    with filled.reading() as connection:
        actions = connection.scalars(
            select(audit_events.c.action).where(audit_events.c.subject == "job").order_by(audit_events.c.id)
        ).all()
    assert actions == ["job.ordered", "job.pause", "job.resume", "job.cancel"]


def test_the_progress_asks_anew_while_the_job_is_open_and_then_no_more(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client("operator")
    id = job_id(post(client, BULK, {"status": "failed", "do": "status", "status_to": "pending", "scope": "all"}))
    page = get(client, f"/jobs/{id}").text
    asks = re.search(r'hx-get="([^"]+)" hx-trigger="every 1s"', page)
    assert asks and ">Jobs<b>1</b>" in page
    same = get(client, asks[1], htmx=True)
    assert "HX-Retarget" not in same.headers and "every 1s" in same.text
    carry_out(filled)
    over = get(client, asks[1], htmx=True)
    assert over.headers["HX-Retarget"] == "#job" and "every 1s" not in over.text and "done" in over.text
