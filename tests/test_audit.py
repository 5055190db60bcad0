"""The audit log: who did what, for those who may know; on both databases."""

import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import get, ids_in, scroll, statements_of, total_in, url
from sqlalchemy import delete, insert, select, update

from kamioi_web import audit, totals
from kamioi_web.db import Database
from kamioi_web.filters import parse_filters
from kamioi_web.queries import audit_events as subject
from kamioi_web.schema import ROLES, admins, audit_events

EMAILS = {1: "ana@example.com", 2: "o'neil+<b>@example.com", 3: "ben@example.com"}
ACTIONS = ("login.success", "login.failure", "logout", "transaction.status", "mapping.approved")
SUBJECTS = ((None, None), ("transaction", 7), ("transaction", 8), ("admin", 2), ("import", None))
BEGIN = datetime(2024, 2, 20, tzinfo=UTC)
HOSTILE = ['<script>alert("1")</script>', "\"' onmouseover='x", "\u202eevil\u2066", "&amp;</td>"]
FILTERS = (
    "",
    "action=login.failure",
    "action=logout&action=mapping.approved",
    "admin=ana@example.com",
    "admin=2",
    "admin=system",
    "admin=ana@example.com&action=logout",
    "subject=transaction",
    "subject=transaction&subject_id=7",
    "subject=transaction&subject_id=7&admin=system",
    "since=2024-02-25&until=2024-02-28",
    "until=2024-02-24&action=logout",
    "since=2024-03-01&admin=3",
    "action=never.happened",
)
COVERED = [query for query in FILTERS if "admin" not in query and "subject" not in query]


@pytest.fixture
def filled(database: Database) -> list[Any]:
    """700 events of three admins and of nobody, many at the same moment; newest first, as they are stored."""
    chance = random.Random(5)
    moments = [BEGIN + timedelta(days=chance.randrange(14), seconds=chance.randrange(3)) for _ in range(60)]
    rows = []
    for number in range(700):
        what, id = chance.choice(SUBJECTS)
        rows.append({
            "at": chance.choice(moments) + timedelta(microseconds=chance.choice((0, 0, 1))),
            "admin_id": chance.choice((None, 1, 1, 2, 3)), "action": chance.choice(ACTIONS), "subject": what,
            "subject_id": id, "detail": {"number": number}, "address": "192.0.2.1", "request_id": f"{number:016x}",
        })  # fmt: skip
    with database.writing() as connection:
        person = {"password_hash": "none", "role": "operator", "active": True, "preferences": {}, "created_at": BEGIN}
        people = [{"id": id, "email": email, **person} for id, email in EMAILS.items()]
        connection.execute(insert(admins), people)
        database.dialect.restart_ids(connection, "admins")
        connection.execute(insert(audit_events), rows)
    with database.reading() as connection:
        return sorted(connection.execute(select(audit_events)).fetchall(), key=lambda row: (row.at, row.id))[::-1]


def soup(answer: str) -> Any:
    return BeautifulSoup(answer, "html.parser")


def wanted(rows: Sequence[Any], query: str) -> list[Any]:
    """The events that a filter should show, picked here and not by the project."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        given.setdefault(name, []).append(value)
    ids = {"system": None, **{email: id for id, email in EMAILS.items()}, **{str(id): id for id in EMAILS}}
    tests: dict[str, Callable[[Any, list[str]], bool]] = {
        "action": lambda row, values: row.action in values,
        "admin": lambda row, values: row.admin_id == ids[values[0]],
        "subject": lambda row, values: row.subject == values[0],
        "subject_id": lambda row, values: row.subject_id == int(values[0]),
        "since": lambda row, values: row.at.date().isoformat() >= values[0],
        "until": lambda row, values: row.at.date().isoformat() <= values[0],
    }
    return [row for row in rows if all(tests[name](row, values) for name, values in given.items())]


def test_each_filter_shows_every_event_of_it_once(filled: list[Any], make_client: Callable[..., FlaskClient]) -> None:
    client = make_client("operator", chunk_rows=40)
    for query in FILTERS:
        there = [row.id for row in wanted(filled, query)]
        page = get(client, url("/audit", query)).text
        assert ids_in(page) + scroll(client, page, "older") == there, query
        name, total = total_in(page)
        if query in COVERED:
            assert (name, total) == ("data-total", len(there)), query
        else:
            assert total <= len(there), query


def test_pages_dates_and_the_timeline_stand_on_the_totals(
    filled: list[Any], make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client(chunk_rows=40)
    for query in COVERED:
        there = [row.id for row in wanted(filled, query)]
        if len(there) > 80:
            assert ids_in(get(client, url("/audit", query, page=2)).text) == there[40:80], query
        if "until" not in query:
            until = [row.id for row in wanted(filled, f"{query}&until=2024-02-26")]
            assert ids_in(get(client, url("/audit", query, date="2024-02-26")).text) == until[:40], query
        bars = soup(get(client, url("/audit/timeline", query), htmx=True).text).select("a")
        counted = sum(int(bar.title.text.rpartition(": ")[2]) for bar in bars)
        assert counted == len(there), query


def test_tiles_count_logins_and_the_form_offers_each_action_with_its_events(
    filled: list[Any], client: FlaskClient
) -> None:
    page = soup(get(client, "/audit").text)
    found = {tile.select_one(".tile-label").text: tile.strong.text.strip() for tile in page.select(".tile")}
    counts = {action: sum(row.action == action for row in filled) for action in ACTIONS}
    assert found == {
        "Events": "700",
        "Logins": str(counts["login.success"]),
        "Failed logins": str(counts["login.failure"]),
        "Logins refused": "0",
    }
    offered = {
        box.input["value"]: box.small.text for box in page.select("fieldset .check") if box.select("[name=action]")
    }
    assert offered == {action: str(n) for action, n in counts.items()}
    of_one = soup(get(client, "/audit/summary?admin=ana@example.com", htmx=True).text)
    assert [tile.strong.text.strip() for tile in of_one.select(".tile")] == [str(len(wanted(filled, "admin=1")))]


def test_what_an_index_holds_is_counted_to_its_end(filled: list[Any], make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(chunk_rows=40)
    for query in ("admin=ana@example.com", "subject=transaction&subject_id=7"):
        assert total_in(get(client, url("/audit", query)).text) == ("data-total", len(wanted(filled, query)))


@pytest.mark.parametrize("role", ROLES)
def test_the_log_is_for_operators_and_owners(
    filled: list[Any], make_client: Callable[..., FlaskClient], role: str
) -> None:
    client, allowed = make_client(role), role in ("operator", "owner")
    id = filled[0].id
    pages = ("/audit", f"/audit/{id}")
    parts = ("/audit/rows?after=2024-03-01T00:00:00Z~1", "/audit/summary", "/audit/timeline", "/audit.json",
             f"/audit/{id}.json", "/api/admin/audit", f"/api/admin/audit/{id}",
             "/audit/newer?since=2024-03-01T00:00:00Z~1")  # fmt: skip
    for address in (*pages, *parts):
        answer = get(client, address, 200 if allowed else 403).text
        assert ("This takes the role operator; yours is" in answer) != allowed, address
        assert ("login.failure" in answer) <= allowed, address
    linked = soup(get(client, "/transactions").text).select("nav a[href='/audit']")
    assert bool(linked) == allowed
    if not allowed:
        refused = soup(get(client, "/audit", 403).text)
        ways = [link["href"] for link in refused.select(".error-card a")]
        assert ways and all(client.get(str(way)).status_code == 200 for way in ways)


def test_strangers_are_sent_to_the_login(client: FlaskClient) -> None:
    stranger = client.application.test_client()
    assert "/login" in stranger.get("/audit").headers["Location"]
    assert stranger.get("/api/admin/audit").status_code == 401


def test_an_event_has_a_page_with_everything_and_its_neighbours(filled: list[Any], client: FlaskClient) -> None:
    there = wanted(filled, "subject=transaction&subject_id=7")
    middle = there[len(there) // 2]
    query = "subject=transaction&subject_id=7"
    first = soup(get(client, url("/audit", query)).text)
    links = [str(link["href"]) for link in first.select(".c-action a")]
    address = next(link for link in links if link.startswith(f"/audit/{middle.id}?"))
    page = soup(get(client, address).text)
    shown = page.select_one("main").text
    assert middle.action in shown and middle.request_id in shown and "192.0.2.1" in shown
    assert str(middle.detail["number"]) in page.select_one("td.long").text
    at = there.index(middle)
    for rel, beside in (("prev", there[at - 1]), ("next", there[at + 1])):
        assert str(page.select_one(f"a[rel={rel}]")["href"]).startswith(f"/audit/{beside.id}?{query}")
    assert page.select_one("a[href='/transactions/7']")
    get(client, "/audit/123456789", 404)
    get(client, "/audit/99999999999999999999999", 404)
    assert get(client, f"/audit/{middle.id}.json").json["event"]["detail"] == middle.detail


def test_what_events_tell_is_shown_as_text(database: Database, client: FlaskClient) -> None:
    long = "x" * 5_000
    with database.writing() as connection:
        for number, evil in enumerate(HOSTILE):
            detail = {evil: evil, "nested": {"a": [1, evil]}, "nothing": None, "long": long}
            audit.record(connection, "test.hostile", None, evil, number, detail, evil, evil)
    page = get(client, "/audit").text
    shown = soup(page.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr "))  # end tags are left out
    assert len(shown.select("#list script, #list [onmouseover]")) == 0
    for row, evil in zip(shown.select("#list tr[data-id]"), reversed(HOSTILE), strict=True):
        cells = {cell["class"][0]: cell.text.strip() for cell in row.select("td")}
        assert cells["c-address"] == evil and cells["c-request"] == evil and cells["c-subject"].startswith(evil)
        assert evil in cells["c-detail"] and len(cells["c-detail"]) <= 160
        detail = soup(get(client, str(row.a["href"])).text)
        assert not detail.select("main script, main [onmouseover]")
        values = [cell.text for cell in detail.select("td.long")]
        assert evil in values and long in values and "null" in values


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("action=Login%20failed", 400, "“Login failed” is not what “action” takes"),
        ("subject=a;b", 400, "“a;b” is not what “subject” takes"),
        ("subject_id=7", 400, "“subject_id” takes a “subject” beside it"),
        ("subject=user&subject_id=0", 400, "“subject_id” takes"),
        ("admin=nobody@example.com", 404, "There is no admin “nobody@example.com”"),
        ("admin=%00", 400, "control character"),
        ("since=2024-02-31", 400, "“2024-02-31” is not a date"),
        ("who=ana", 400, "There is no parameter “who” here"),
        ("admin=ana@example.com&admin=ben@example.com", 400, "“admin” is given 2 times"),
    ],
)
def test_bad_input_is_named(client: FlaskClient, query: str, status: int, words: str) -> None:
    assert words in soup(get(client, f"/audit?{query}", status).text).text
    assert get(client, f"/audit.json?{query}", status).json["success"] is False


def test_the_api_gives_the_same_events(filled: list[Any], client: FlaskClient) -> None:
    answer = get(client, "/api/admin/audit?action=logout&limit=10").json
    there = wanted(filled, "action=logout")
    assert [event["id"] for event in answer["audit"]] == [row.id for row in there[:10]]
    assert answer["total"] == len(there) and answer["stats"]["totalEvents"] == len(there)
    assert [event["admin"] for event in answer["audit"]] == [EMAILS.get(row.admin_id) for row in there[:10]]


def test_each_filter_is_read_along_its_index(filled: list[Any], database: Database, client: FlaskClient) -> None:
    indexes = {"admin=ana@example.com": "audit_events_admin", "subject=transaction&subject_id=7": "audit_events_of",
               "": "audit_events_at", "subject=user": "audit_events_at"}  # fmt: skip
    for query, index in indexes.items():
        with database.reading() as connection:
            given = parse_filters(subject.PARAMETERS, _values(query))
            plan = subject.plan(connection, subject.resolve(connection, given))
        assert [stream.index for stream in plan.streams] == [index], query
        with statements_of(client.application.extensions["database"].reader) as seen:
            get(client, url("/audit", query))
        rows = [(words, values) for words, values in seen if "FROM audit_events" in words]
        assert rows and not any(re.search(r"\bcount\s*\(", words, re.IGNORECASE) for words, _ in seen)
        if database.dialect.name == "sqlite":
            with database.reading() as connection:
                for words, values in rows:
                    steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values).fetchall()
                    assert any(f"INDEX {index}" in step[3] for step in steps), (query, steps)


def _values(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        found.setdefault(name, []).append(value)
    return found


def test_the_log_only_grows_and_its_totals_stay_exact(filled: list[Any], database: Database) -> None:
    for statement in (update(audit_events).values(action="nothing"), delete(audit_events)):
        with pytest.raises(Exception, match="append-only"), database.writing() as connection:
            connection.execute(statement)
    assert list(totals.check(database)) == []
