"""The API: answers as its document says, in the shapes that the old clients read; what is wrong is named."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from contract import BIG, assert_as_described, fill, the_document
from flask.testing import FlaskClient
from helpers import FILTERS, get, stored, url
from jsonschema import ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import select

from kamioi_web.api import document
from kamioi_web.api.endpoints import ENDPOINTS, FIGURES, OBJECTS
from kamioi_web.api.lists import OtherName, parameters_of
from kamioi_web.db import Database
from kamioi_web.filters import Reader
from kamioi_web.pages import PAGES
from kamioi_web.schema import MAPPING_STATUSES, llm_mappings

LISTS = {page.api_path: page for page in PAGES}


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """Some of everything."""
    fill(database, make_transactions)


def rows_of(path: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    page = LISTS[path.partition("?")[0]]
    return (answer["data"] if page.under_data else answer)[page.name]


# The document.


def test_the_document_is_openapi_and_served_as_it_is_made(client: FlaskClient) -> None:
    served = get(client, "/api/openapi.json").json
    OpenAPIV31SpecValidator(served).validate()
    assert served == json.loads(json.dumps(the_document()))
    assert served["openapi"] == "3.1.0"


def test_every_address_of_the_api_is_in_the_document(client: FlaskClient) -> None:
    served = {
        (document.VARIABLE.sub(r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and rule.rule != "/api/openapi.json"
    }
    told = {(path, method) for path, operations in the_document()["paths"].items() for method in operations}
    assert told == served


def test_every_parameter_says_what_it_takes(client: FlaskClient) -> None:
    for endpoint in ENDPOINTS:
        for parameter in endpoint.parameters:
            assert isinstance(parameter.read, Reader), (endpoint.path, parameter.name)
    for page in PAGES:
        told = {one["name"]: one for one in the_document()["paths"][page.api_path]["get"]["parameters"]}
        assert set(told) == {parameter.name for parameter in parameters_of(page)}
        for parameter in page.subject.PARAMETERS:
            assert (told[parameter.name]["schema"].get("type") == "array") == parameter.many


def test_the_page_documents_every_call_without_anybody_elses_host(client: FlaskClient) -> None:
    page = get(client, "/api").text
    for endpoint in ENDPOINTS:
        assert document.VARIABLE.sub(r"{\1}", endpoint.path) in page
        for parameter in endpoint.parameters:
            assert f"<code>{parameter.name}</code>" in page
    for element in BeautifulSoup(page, "html.parser").find_all(True):
        for name in ("href", "src", "action"):
            assert str(element.get(name, "/")).startswith(("/", "#")), element


# The answers.


@pytest.mark.usefixtures("filled")
def test_lists_answer_as_the_document_says(client: FlaskClient) -> None:
    for path in LISTS:
        answer = assert_as_described(path, get(client, f"{path}?limit=40"))
        assert rows_of(path, answer), path
        cursor = answer.get("data", answer)["pagination"]["next_cursor"]
        for more in ("limit=7&page=2", f"cursor={cursor}" if cursor else "page=99", "since=2190-01-01", "limit=1000"):
            assert_as_described(path, get(client, f"{path}?{more}"))
    for query in FILTERS:
        path = url("/api/admin/transactions", query)
        assert_as_described(path, get(client, path))


@pytest.mark.usefixtures("filled")
def test_figures_answer_as_the_document_says(client: FlaskClient) -> None:
    for endpoint in FIGURES:
        assert_as_described(endpoint.path, get(client, endpoint.path))
    path = "/api/admin/financial-analytics"
    for query in (
        "since=2024-01-10&until=2024-03-09&by=week",
        "category=Dining",
        "currency=CAD&all=ticker",
        "since=2190-01-01",
    ):
        assert_as_described(path, get(client, f"{path}?{query}"))
    assert (
        assert_as_described(path, get(client, f"{path}?since=2024-02-01&until=2024-01-01", 400))["parameter"] == "since"
    )


def test_an_empty_database_answers_as_the_document_says(client: FlaskClient) -> None:
    for path in LISTS:
        answer = assert_as_described(path, get(client, path))
        assert answer["meta"]["has_next"] is False
    for endpoint in FIGURES:
        assert_as_described(endpoint.path, get(client, endpoint.path))


@pytest.mark.usefixtures("filled")
def test_objects_answer_as_the_document_says(client: FlaskClient) -> None:
    for endpoint in OBJECTS:
        path = next(path for path, page in LISTS.items() if page.title == endpoint.group)
        rows = rows_of(path, get(client, f"{path}?limit=5").json)
        assert rows, path
        for row in rows:
            place = endpoint.path.replace("<int:id>", row["id_text"])
            one = assert_as_described(place, get(client, f"{place}?at={row['cursor']}"))
            assert row["id_text"] in json.dumps(one)
            assert_as_described(place, get(client, place))


@pytest.mark.usefixtures("filled")
def test_errors_answer_as_the_document_says(client: FlaskClient) -> None:
    stranger = client.application.test_client()
    for endpoint in ENDPOINTS:
        path, method = document.VARIABLE.sub("9999999", endpoint.path), endpoint.method.lower()
        if not endpoint.open:
            assert_as_described(path, stranger.open(path, method=method), method)
        if method == "get" and "<" in endpoint.path:
            assert_as_described(path, get(client, path, 404))
        for query in ("nonsense=1", "at=yesterday" if "<" in endpoint.path else "limit=ten"):
            answer = client.get(f"{path}?{query}") if method == "get" and endpoint.parameters else None
            if answer:
                assert assert_as_described(path, answer)["parameter"] == query.partition("=")[0]
    login = client.post("/api/admin/auth/login", json={"email": "nobody@example.com", "password": "x"})
    assert login.status_code == 401
    assert_as_described("/api/admin/auth/login", login, "post")


def test_the_contract_is_one_that_can_be_broken(client: FlaskClient) -> None:
    path = "/api/admin/auth/me"
    answer = get(client, path)
    told = assert_as_described(path, answer)
    for change in ({"success": "yes"}, {"more": 1}, {"user": {**told["user"], "id_text": 5}}, {"user": None}):
        broken = client.application.response_class(json.dumps(told | change), mimetype="application/json")
        with pytest.raises((AssertionError, ValidationError)):
            assert_as_described(path, broken)


@pytest.mark.usefixtures("filled")
def test_an_id_that_a_number_cannot_hold_is_text(client: FlaskClient) -> None:
    row = rows_of("/api/admin/transactions", get(client, "/api/admin/transactions?limit=1").json)[0]
    assert (row["id"], row["id_text"]) == (None, str(BIG))
    one = get(client, f"/api/admin/transactions/{BIG}").json["transaction"]
    assert (one["id"], one["id_text"]) == (None, str(BIG))
    assert one["allocations"] == [
        {"stock_symbol": "SBUX", "allocation_amount": 0.67, "allocation_cents": 67, "allocation_percentage": 67.0},
        {"stock_symbol": "AAPL", "allocation_amount": 0.33, "allocation_cents": 33, "allocation_percentage": 33.0},
    ]


# The shapes that the old clients read, key by key.


@pytest.mark.usefixtures("filled")
def test_transactions_have_every_key_that_the_old_page_reads(client: FlaskClient, database: Database) -> None:
    answer = get(client, "/api/admin/transactions?page=2&per_page=50&search=&status=all&dashboard=all").json
    assert {"success", "transactions", "total", "pagination", "meta", "stats"} <= set(answer)
    assert {"page", "limit", "total", "totalPages"} <= set(answer["pagination"])
    assert {"total", "page", "per_page", "total_pages", "has_next", "has_prev"} <= set(answer["meta"])
    assert set(answer["stats"]) >= {
        "totalTransactions", "totalRoundUps", "userTransactions", "familyTransactions", "businessTransactions",
        "availableToInvest", "totalInvested",
    }  # fmt: skip
    total = len(stored(database))
    assert answer["total"] == answer["pagination"]["total"] == answer["meta"]["total"] == total
    assert (answer["pagination"]["page"], answer["pagination"]["totalPages"]) == (2, -(-total // 50))
    assert (answer["meta"]["has_next"], answer["meta"]["has_prev"]) == (True, True)
    row, there = answer["transactions"][0], stored(database)[50]
    expected = {
        "id": there.id, "user_id": there.user_id, "userId": there.user_id, "status": there.status,
        "merchant": there.merchant, "category": there.category, "description": there.descriptor,
        "amount": there.amount_cents / 100, "round_up": there.round_up_cents / 100,
        "roundUp": there.round_up_cents / 100, "fee": there.fee_cents / 100,
        "total_debit": (there.amount_cents + there.round_up_cents + there.fee_cents) / 100,
        "ticker": there.ticker, "shares": None, "stock_price": None, "stockPrice": None,
        "account_type": there.account_type, "user_role": there.account_type,
        "user_name": f"User {there.user_id}", "user_email": f"user{there.user_id}@example.com",
        "dashboard": {"individual": "user"}.get(there.account_type, there.account_type),
        "date": there.posted_at.isoformat().replace("+00:00", "Z"),
        "created_at": there.created_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


@pytest.mark.usefixtures("filled")
def test_users_have_every_key_that_the_old_page_reads(client: FlaskClient) -> None:
    answer = get(client, "/api/admin/users?page=1&limit=20&search=").json
    assert {"success", "users", "pagination", "meta"} <= set(answer)
    assert {"page", "limit", "total", "totalPages"} <= set(answer["pagination"])
    assert {"id", "email", "name", "account_type", "account_number", "created_at", "city", "state",
            "transaction_count", "last_activity"} <= set(answer["users"][0])  # fmt: skip


@pytest.mark.usefixtures("filled")
def test_mappings_have_every_key_that_the_old_page_reads(client: FlaskClient) -> None:
    answer = get(client, "/api/admin/llm-center/mappings?page=2&limit=20&status=all&search=").json
    assert {"success", "data"} <= set(answer)
    pagination = answer["data"]["pagination"]
    expected = {"page": 2, "limit": 20, "total": 60, "pages": 3, "has_next": True, "has_prev": True}
    assert {name: pagination[name] for name in expected} == expected
    assert {"id", "merchant_name", "ticker", "category", "confidence", "admin_approved", "user_id", "created_at",
            "company_name", "user_email", "user_account_number", "user_name", "approval_source",
            "approval_status_label", "display_status",
            "ticker_symbol"} <= set(answer["data"]["mappings"][0])  # fmt: skip
    for status, approved in (("approved", 1), ("rejected", -1), ("pending", 0)):
        found = get(client, f"/api/admin/llm-center/mappings?limit=1000&status={status}").json
        assert len(found["data"]["mappings"]) == found["data"]["total"] == found["stats"][f"{status}Mappings"] > 0
        assert {row["admin_approved"] for row in found["data"]["mappings"]} == {approved}
        assert found["meta"]["notes"] == ["limit 1000 was taken as 50; it goes from 1 to 50"]


@pytest.mark.usefixtures("filled")
def test_figures_have_every_key_that_the_old_pages_read(client: FlaskClient, database: Database) -> None:
    rows, users = stored(database), get(client, "/api/admin/users?limit=100").json["users"]
    metrics = get(client, "/api/admin/user-metrics").json
    ours = [row for row in rows if row.currency == metrics["currency"] == "USD"]
    assert metrics | {"as_of": ""} == {
        "success": True, "as_of": "", "totalUsers": len(users), "individualUsers": len(users), "familyUsers": 0,
        "businessUsers": 0, "activeUsers": len(users), "currency": "USD", "aiMappings": 60,
        "totalRoundUps": sum(row.round_up_cents for row in ours) / 100,
        "totalFees": sum(row.fee_cents for row in ours) / 100,
    }  # fmt: skip
    with database.reading() as connection:
        pairs = select(llm_mappings.c.status, llm_mappings.c.source)
        counts = Counter(map(tuple, connection.execute(pairs)))
    queue = get(client, "/api/admin/llm-center/queue").json["data"]["queue_status"]
    assert queue == {
        "total_entries": 60, "total_mappings": 60,
        "auto_applied": sum(n for (status, source), n in counts.items() if status == "approved" and source != "admin"),
        **{status: sum(n for (one, _), n in counts.items() if one == status) for status in MAPPING_STATUSES},
    }  # fmt: skip
    assert {"success", "data"} <= set(get(client, "/api/admin/financial-analytics").json)
    overview = get(client, "/api/admin/dashboard/overview").json["data"]
    assert {"stats", "userGrowth", "recentActivity", "systemStatus", "queryTime"} <= set(overview)
    assert overview["stats"] == {
        "totalTransactions": len(rows), "currency": "USD", "totalRevenue": metrics["totalFees"],
        "totalRoundUps": metrics["totalRoundUps"],
        "portfolioValue": sum(row.round_up_cents for row in ours if row.status == "completed") / 100,
    }  # fmt: skip
    assert [one["id_text"] for one in overview["recentActivity"]] == [str(row.id) for row in rows[:5]]
    assert [set(one) for one in overview["userGrowth"]] == [{"name", "value"}] * 6
    assert overview["attention"]["pending"] == sum(row.status == "pending" for row in rows)


@pytest.mark.usefixtures("filled")
def test_the_search_finds_what_its_page_finds(client: FlaskClient) -> None:
    path = "/api/admin/search"
    for text in ("", "shop", "user 3", "I3", "dining", "AAPL", "shpo", "’; --", "%", "nothing of the kind"):
        answer = assert_as_described(path, client.get(path, query_string={"q": text}))
        page = get(client, url("/search", q=text)).text if answer["sections"] and text in ("shop", "user 3") else ""
        for row in (row for section in answer["sections"] for row in section["rows"]):
            assert not page or f'href="{row["href"]}"' in page, row
    assert {section["name"] for section in get(client, f"{path}?q=shop").json["sections"]} >= {"merchants"}
    assert get(client, path).json == {"success": True, "sections": [], "corrections": []}
    assert assert_as_described(path, get(client, f"{path}?q=a%00b", 400))["parameter"] == "q"


# What it takes.


@pytest.mark.usefixtures("filled")
def test_another_name_stands_for_the_same(client: FlaskClient) -> None:
    for page in PAGES:
        for parameter in parameters_of(page):
            if isinstance(parameter, OtherName) and parameter.name in ("search", "per_page"):
                value = {"search": "shop", "per_page": "3"}[parameter.name]
                old, ours = (client.get(f"{page.api_path}?{name}={value}") for name in (parameter.name, parameter.of))
                assert old.status_code == ours.status_code
                told = [assert_as_described(page.api_path, answer) | {"request_id": ""} for answer in (old, ours)]
                assert told[0] == told[1]
                both = client.get(f"{page.api_path}?{parameter.name}={value}&{parameter.of}={value}")
                assert assert_as_described(page.api_path, both)["parameter"] == parameter.name


@pytest.mark.usefixtures("filled")
def test_what_is_unknown_is_named_with_what_is_known(client: FlaskClient) -> None:
    for path in LISTS:
        answer = assert_as_described(path, get(client, f"{path}?pagesize=5", 400))
        assert answer["parameter"] == "pagesize"
        for known in ("per_page", "cursor", "limit"):
            assert known in answer["detail"]


@pytest.mark.usefixtures("filled")
def test_what_the_api_does_not_do_it_refuses(client: FlaskClient) -> None:
    for path in (*LISTS, "/api/admin/auth/me"):
        answer = client.delete(path)
        assert answer.status_code in (400, 405)
        assert '"success":false' in answer.text
