"""A form that is sent twice acts once and is answered the same; on both databases."""

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows
from job_helpers import carry_out, job_of, order
from sqlalchemy import select, update
from test_bulk import BULK, job_id, post, token

from kamioi_web.db import Database
from kamioi_web.jobs.tables import jobs, sent_forms
from kamioi_web.schema import audit_events

FIELDS = {"status": "failed", "do": "status", "status_to": "pending", "scope": "all"}


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    add_directory(database)
    make_transactions(random_rows(200))
    return database


def ordered(database: Database) -> tuple[int, int]:
    """How many jobs there are, and how many events tell of an order."""
    with database.reading() as connection:
        events = connection.scalars(select(audit_events.c.id).where(audit_events.c.action == "job.ordered")).all()
        return len(connection.scalars(select(jobs.c.id)).all()), len(events)


def test_sent_again_it_is_answered_the_same_and_does_nothing(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client, key = make_client("operator"), secrets.token_hex(12)
    first = post(client, BULK, FIELDS | {"once": key})
    again = post(client, BULK, FIELDS | {"once": key})
    assert again.location == first.location and again.headers["Idempotent-Replayed"] == "true"
    assert ordered(filled) == (1, 1)
    assert job_id(post(client, BULK, FIELDS | {"once": "another"})) != job_id(first)


def test_of_fifty_at_once_one_acts(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, key = make_client("operator", lock_seconds=60, pool_seconds=60), secrets.token_hex(12)
    fields = FIELDS | {"once": key, "csrf_token": token(client)}
    cookies = client.get_cookie("kamioi_session") or client.get_cookie("__Host-kamioi_session")
    answers: list[Any] = []

    def send() -> None:
        answers.append(_copy(client).post(BULK, data=fields))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [303] * 50, cookies
    assert len({answer.location for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 49
    assert ordered(filled) == (1, 1)


def _copy(client: FlaskClient) -> FlaskClient:
    """The same browser in another thread."""
    other = client.application.test_client()
    other._cookies = dict(client._cookies or {})
    return other


def test_the_same_key_with_other_content_is_refused_in_words(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client("operator")
    post(client, BULK, FIELDS | {"once": "k"})
    answer = post(client, BULK, FIELDS | {"once": "k", "status_to": "mapped"}, 422)
    assert "sent before with other content" in answer.text
    assert ordered(filled) == (1, 1)


def test_a_key_belongs_to_one_admin_and_one_form(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    one, other = make_client("operator"), make_client("operator")
    first = job_id(post(one, BULK, FIELDS | {"once": "k"}))
    assert job_id(post(other, BULK, FIELDS | {"once": "k"})) != first
    post(one, f"/jobs/{first}/cancel", {"once": "k"})
    assert job_of(filled, first).state == "cancelled"


def test_what_was_refused_leaves_its_key_free(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client, wide = make_client("operator"), {"do": "status", "status_to": "failed", "scope": "all", "amount_min": "0"}
    post(client, BULK, wide | {"once": "k", "typed": "no"} | {"status": "nothing"}, 400)
    assert ordered(filled) == (0, 0)
    post(client, BULK, FIELDS | {"once": "k"})
    assert ordered(filled) == (1, 1)


def test_after_a_day_the_key_is_forgotten(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client = make_client("operator")
    fields = {"status": "failed", "do": "category", "category_to": "Other", "scope": "all", "once": "k"}
    post(client, BULK, fields)
    with filled.writing() as connection:
        connection.execute(update(sent_forms).values(created_at=datetime.now(UTC) - timedelta(hours=25)))
    order(filled, "clean", {})
    carry_out(filled)
    post(client, BULK, fields)
    with filled.reading() as connection:
        assert len(connection.scalars(select(jobs.c.id).where(jobs.c.kind == "bulk")).all()) == 2


def test_a_key_that_is_too_long_is_named(filled: Database, make_client: Callable[..., FlaskClient]) -> None:
    client = make_client("operator")
    assert "at most 255" in post(client, BULK, FIELDS | {"once": "k" * 256}, 400).text


def test_every_form_that_acts_carries_a_key_of_its_own(
    filled: Database, make_client: Callable[..., FlaskClient]
) -> None:
    """Logging in and out and how tables look change nothing when they are sent again, so these need none."""
    client, free = make_client("owner"), ("/logout", "/login", "/preferences")
    id = job_id(post(client, BULK, FIELDS))
    for path in ("/transactions?status=failed", f"{BULK}?status=failed&do=mapping", f"/jobs/{id}", "/settings"):
        for form in get(client, path).text.split("<form")[1:]:
            tag, _, body = form.partition(">")
            if 'method="post"' in tag and not any(f'action="{one}"' in tag for one in free):
                assert body.partition("</form>")[0].count('name="once"') == 1, (path, tag)
