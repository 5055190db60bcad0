"""What the API changes: one status, many by a job, what a job is to do; once for a key, as the document says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from contract import assert_as_described
from flask.testing import FlaskClient
from helpers import add_directory, random_rows, stored
from job_helpers import carry_out, everything, job_of, statuses
from review_helpers import carry_out as carry_out_mappings
from review_helpers import mapping, merchant, propose, rows_of
from sqlalchemy import select

from kamioi_web import totals
from kamioi_web.auth import tokens
from kamioi_web.db import Database
from kamioi_web.schema import admins, audit_events

API = "/api/admin"


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    add_directory(database)
    make_transactions(random_rows(1_100))
    return database


@pytest.fixture
def call(filled: Database, make_client: Callable[..., FlaskClient]) -> Callable[..., Any]:
    """call("PATCH", path, body, key="k", role="operator", scope="write"): a program that asks with a token."""
    clients: dict[tuple[str, str], tuple[FlaskClient, str]] = {}

    def ask(
        method: str, path: str, body: Any = None, key: str = "", role: str = "operator", scope: str = "write"
    ) -> Any:
        if (role, scope) not in clients:
            client = make_client(role)
            with filled.writing() as connection:
                id = connection.scalars(select(admins.c.id).order_by(admins.c.id.desc())).first()
                made = tokens.create_named(connection, id or 0, "a program", scope, datetime.now(UTC), 7)
            client.delete_cookie("kamioi_session")
            clients[role, scope] = (client, made.secret)
        client, secret = clients[role, scope]
        headers = {"Authorization": f"Bearer {secret}"} | ({"Idempotency-Key": key} if key else {})
        answer = client.open(f"{API}{path}", method=method, json=body, headers=headers)
        assert_as_described(f"{API}{path}", answer, method.lower())
        return answer

    return ask


def test_one_status_is_changed_with_its_round_up_and_its_history(filled: Database, call: Callable[..., Any]) -> None:
    row = next(row for row in stored(filled, "status=pending") if row.ticker and row.round_up_cents)
    answer = call("PATCH", f"/transactions/{row.id}/status", {"status": "mapped"})
    assert answer.status_code == 200 and answer.json["transaction"]["status"] == "mapped"
    assert (row.id, row.user_id, row.ticker, row.round_up_cents) in everything(filled)[1]
    assert list(totals.check(filled)) == []
    call("PATCH", f"/transactions/{row.id}/status", {"status": "mapped"})
    with filled.reading() as connection:
        here = (audit_events.c.subject == "transaction", audit_events.c.subject_id == row.id)
        told = connection.execute(select(audit_events.c.action, audit_events.c.detail).where(*here)).fetchall()
    assert [tuple(one) for one in told] == [("transaction.changed", {"status": "pending → mapped"})]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [({"status": "gone"}, "status"), ({}, "status"), ({"status": 5}, "status"), (None, "status"), ([], "status"),
     ({"status": "mapped", "amount": 1}, "amount")],
)  # fmt: skip
def test_a_body_that_cannot_be_taken_is_named(
    filled: Database, call: Callable[..., Any], body: Any, parameter: str
) -> None:
    answer = call("PATCH", f"/transactions/{stored(filled)[0].id}/status", body)
    assert answer.status_code == 400 and answer.json["parameter"] == parameter, answer.json


def test_what_is_not_there_or_not_allowed(filled: Database, call: Callable[..., Any]) -> None:
    id = stored(filled)[0].id
    assert call("PATCH", "/transactions/999999999/status", {"status": "mapped"}).status_code == 404
    assert call("PATCH", f"/transactions/{id}/status", {"status": "mapped"}, role="reviewer").status_code == 403
    assert call("PATCH", f"/transactions/{id}/status", {"status": "mapped"}, scope="read").status_code == 403
    assert call("POST", "/jobs/999/pause").status_code == 404


def test_many_are_changed_once_for_a_key_and_put_back(filled: Database, call: Callable[..., Any]) -> None:
    before = statuses(filled)
    body = {"filter": {"status": ["failed"]}, "do": "status", "to": "pending"}
    first = call("POST", "/transactions/bulk", body, key="k")
    again = call("POST", "/transactions/bulk", body, key="k")
    assert first.status_code == again.status_code == 202 and first.json == again.json
    assert call("POST", "/transactions/bulk", body | {"to": "mapped"}, key="k").status_code == 422
    id = first.json["job"]["id"]
    assert carry_out(filled) == 1 and statuses(filled)["failed"] == 0
    undo = call("POST", f"/jobs/{id}/undo")
    assert undo.status_code == 202
    assert call("POST", f"/jobs/{id}/undo").status_code == 409
    carry_out(filled)
    assert job_of(filled, undo.json["job"]["id"]).state == "done" and statuses(filled) == before


def test_many_above_a_thousand_take_their_number(filled: Database, call: Callable[..., Any]) -> None:
    body = {"filter": {}, "do": "category", "to": "Other"}
    for confirm in (None, 5):
        answer = call("POST", "/transactions/bulk", body | ({"confirm": confirm} if confirm else {}))
        assert answer.status_code == 400 and answer.json["parameter"] == "confirm"
    assert call("POST", "/transactions/bulk", body | {"confirm": 1100}).status_code == 202


def test_a_filter_that_cannot_be_taken_is_named(filled: Database, call: Callable[..., Any]) -> None:
    for filter, parameter in (
        ({"colour": ["red"]}, "colour"),
        ({"status": ["x"]}, "status"),
        ({"user": "I1"}, "filter"),
    ):
        answer = call("POST", "/transactions/bulk", {"filter": filter, "do": "mapping"})
        assert answer.status_code == 400 and answer.json["parameter"] == parameter, answer.json


def test_a_job_is_steered(filled: Database, call: Callable[..., Any]) -> None:
    id = call("POST", "/transactions/bulk", {"filter": {"status": ["failed"]}, "do": "mapping"}).json["job"]["id"]
    assert call("POST", f"/jobs/{id}/pause").json["job"]["state"] == "paused"
    assert call("POST", f"/jobs/{id}/resume").json["job"]["state"] == "waiting"
    assert call("POST", f"/jobs/{id}/cancel").json["job"]["state"] == "cancelled"
    assert call("POST", f"/jobs/{id}/cancel").status_code == 409
    assert call("POST", f"/jobs/{id}/retry").json["job"]["state"] == "waiting"


MAPPING = "/llm-center/mapping"


@pytest.fixture
def proposed(filled: Database) -> dict[int, int]:
    """{merchant: its proposal} of three merchants."""
    return {id: propose(filled, id, "SBUX", "Starbucks") for id in (1, 2, 3)}


def test_a_mapping_is_approved_once_and_the_second_is_told_who_was_first(
    filled: Database, proposed: dict[int, int], call: Callable[..., Any]
) -> None:
    id, path = proposed[1], f"{MAPPING}/{proposed[1]}/approve"
    first = call("POST", path, key="k", role="reviewer")
    assert first.status_code == 200 and first.json["mapping"]["status"] == "approved"
    assert first.json["mapping"]["in_force"] and first.json["mapping"]["admin_approved"] == 1
    assert call("POST", path, key="k", role="reviewer").json == first.json
    carry_out_mappings(filled)
    assert {row.ticker for row in rows_of(filled, 1) if row.status == "mapped"} == {"SBUX"}
    for action, body in (("approve", None), ("reject", {"version": 1}), ("update", {"ticker": None})):
        late = call("PUT" if action == "update" else "POST", f"{MAPPING}/{id}/{action}", body, role="reviewer")
        told = f"Already approved by {first.json['mapping']['decided_by']} at "
        assert late.status_code == 409 and told in late.json["detail"], late.json
    assert mapping(filled, id).status == "approved"


def test_a_mapping_is_rejected_and_updated(
    filled: Database, proposed: dict[int, int], call: Callable[..., Any]
) -> None:
    gone = call("POST", f"{MAPPING}/{proposed[1]}/reject", {"version": 1}, role="reviewer")
    assert gone.json["mapping"]["status"] == "rejected" and merchant(filled, 1).mapping_id is None
    body = {"ticker": "mcd", "category": "Dining", "company_name": "Anything", "merchant_name": "Anything"}
    made = call("PUT", f"{MAPPING}/{proposed[2]}/update", body, role="reviewer").json["mapping"]
    assert (made["ticker"], made["category"], made["source"], made["in_force"]) == ("MCD", "Dining", "admin", True)
    assert made["company_name"] != "Anything" and merchant(filled, 2).mapping_id == made["id"] != proposed[2]
    none = call("PUT", f"{MAPPING}/{made['id']}/update", {"ticker": None, "version": 1}, role="reviewer")
    assert none.json["mapping"]["ticker"] is None
    assert merchant(filled, 2).mapping_id == none.json["mapping"]["id"]
    carry_out_mappings(filled)
    opened = {row.id for row in rows_of(filled, 2) if row.status in ("pending", "needs_review", "mapped")}
    assert not opened and list(totals.check(filled)) == []


@pytest.mark.parametrize(
    ("action", "body", "status", "said"),
    [("update", {"ticker": "NOSUC"}, 404, "NOSUC is not in the catalogue"),
     ("update", {"ticker": "no ticker!"}, 400, "ticker"), ("update", {}, 400, "ticker"),
     ("update", {"ticker": "MCD", "category": "x" * 101}, 400, "category"),
     ("update", {"ticker": "MCD", "status": "approved"}, 400, "status"),
     ("approve", {"version": 0}, 400, "version"), ("approve", [], 400, "version"), ("reject", {"to": 1}, 400, "to")],
)  # fmt: skip
def test_a_decision_that_cannot_be_taken_is_named(
    filled: Database, proposed: dict[int, int], call: Callable[..., Any], action: str, body: Any, status: int, said: str
) -> None:
    method = "PUT" if action == "update" else "POST"
    answer = call(method, f"{MAPPING}/{proposed[1]}/{action}", body, role="reviewer")
    assert answer.status_code == status and said in answer.json["detail"], answer.json
    assert call(method, f"{MAPPING}/{proposed[1]}/{action}", body, role="viewer").status_code == 403
    assert mapping(filled, proposed[1]).status == "pending"
