"""Saved views: kept, shared, opened by default, and never in the way of an address; on both databases."""

import html
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, stored, total_in, url
from sqlalchemy import insert, select, update
from test_login import change, events, token_of

from kamioi_web.db import Database
from kamioi_web.queries import saved_views as kept
from kamioi_web.schema import admins, saved_views

LIST = "/transactions"
FAILED = "status=failed&since=2024-03-01"
HOSTILE = [
    "<script>alert(1)</script>",
    "\"' onmouseover='x",
    "\u202eevil\u2066",
    "&amp;</bdi></a>",
    "'; DROP TABLE saved_views; --",
    "%_\\",
]


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """300 random rows in the database."""
    add_directory(database)
    make_transactions(random_rows(300))


def send(client: FlaskClient, address: str, **fields: object) -> Any:
    """A form as the page would send it."""
    return client.post(address, data={"csrf_token": token_of(get(client, "/settings"))} | fields)


def save(client: FlaskClient, name: str, query: str = FAILED, page: str = "transactions", **fields: object) -> str:
    """Save a view and return where that leads."""
    answer = send(client, "/views", page=page, query=query, name=name, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def soup(answer: str) -> Any:
    return BeautifulSoup(answer, "html.parser")


def offered(client: FlaskClient, address: str = f"{LIST}?page=1") -> list[tuple[str, str]]:
    """(name, address) of the views that a list offers."""
    return [(link.text, link["href"]) for link in soup(get(client, address).text).select(".view-list a")][1:]


def rows(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(saved_views).order_by(saved_views.c.id)).fetchall())


def id_of(database: Database, name: str) -> int:
    return next(row.id for row in rows(database) if row.name == name)


@pytest.mark.usefixtures("filled")
def test_a_view_keeps_the_filters_and_not_the_place(client: FlaskClient, database: Database) -> None:
    page = soup(get(client, url(LIST, FAILED, page=1)).text)
    form = page.select_one("#save-view form")
    fields = {field["name"]: field.get("value", "") for field in form.select("input")}
    assert fields["query"] == FAILED and fields["id"] == ""
    assert save(client, "Failed since March", fields["query"]) == f"{LIST}?{FAILED}"
    assert offered(client) == [("Failed since March", f"{LIST}?{FAILED}")]
    opened = get(client, offered(client)[0][1]).text
    assert ids_in(opened) == [row.id for row in stored(database, FAILED)][:100]
    assert soup(opened).select_one("#views summary bdi").text == "Failed since March"
    other_order = soup(get(client, f"{LIST}?since=2024-03-01&status=failed").text)
    assert other_order.select_one("#views summary bdi").text == "Failed since March"
    assert not soup(get(client, LIST).text).select("#views summary bdi, #save-view")


def test_the_same_name_replaces_and_another_name_renames(client: FlaskClient, database: Database) -> None:
    save(client, "A")
    save(client, "A", "status=pending")
    assert [(row.name, row.query) for row in rows(database)] == [("A", "status=pending")]
    save(client, "A", "status=active", page="users")
    save(client, "B", "ticker=SBUX")
    assert offered(client) == [("A", f"{LIST}?status=pending"), ("B", f"{LIST}?ticker=SBUX")]
    form = soup(get(client, f"{LIST}?ticker=SBUX").text).select_one("#save-view form")
    assert form.select_one("[name=name]")["value"] == "B"
    save(client, "C", "ticker=SBUX", id=form.select_one("[name=id]")["value"])
    assert [name for name, _ in offered(client)] == ["A", "C"]
    save(client, "A", "ticker=SBUX", id=id_of(database, "C"))
    assert offered(client) == [("A", f"{LIST}?ticker=SBUX")]
    assert [(row.page, row.name) for row in rows(database)] == [("users", "A"), ("transactions", "A")]


@pytest.mark.usefixtures("filled")
def test_the_own_views_come_first_and_others_only_when_shared(
    make_client: Callable[..., FlaskClient], database: Database
) -> None:
    mine, theirs = make_client(), make_client("viewer")
    save(theirs, "Another’s", "status=pending", shared="yes")
    save(theirs, "Secret", "status=completed")
    save(mine, "Zebra", FAILED)
    assert [name for name, _ in offered(mine)] == ["Zebra", "Another’s"]
    listed = soup(get(mine, url(LIST, FAILED)).text).select(".view-list li")
    with database.reading() as connection:
        owner = connection.scalar(select(admins.c.email).where(admins.c.role == "viewer"))
    assert listed[2].small.text == owner and "Delete" not in listed[2].text and "Delete" in listed[1].text
    secret, shared = id_of(database, "Secret"), id_of(database, "Another’s")
    get(mine, f"/views/{secret}", 404)
    assert get(mine, f"/views/{shared}", 302).headers["Location"] == f"{LIST}?status=pending"
    for address in (f"/views/{secret}/delete", f"/views/{secret}/default"):
        assert send(mine, address, default="yes").status_code == 404
    assert send(mine, f"/views/{shared}/delete").status_code == 403
    save(mine, "Another’s", "status=failed", id=shared)  # an id of another's makes a view of one's own
    assert [(row.name, row.query) for row in rows(database)][:2] == [
        ("Another’s", "status=pending"), ("Secret", "status=completed")]  # fmt: skip
    assert "Secret" not in get(mine, "/settings").text


@pytest.mark.usefixtures("filled")
def test_a_default_view_opens_with_the_page_and_is_no_trap(client: FlaskClient, database: Database) -> None:
    save(client, "Mine", FAILED, default="yes")
    assert get(client, LIST, 302).headers["Location"] == f"{LIST}?{FAILED}"
    everything = [row.id for row in stored(database)]
    page = soup(get(client, f"{LIST}?{FAILED}").text)
    clear = page.find("a", string="Clear all")["href"]
    assert clear == f"{LIST}?view=all"
    assert ids_in(get(client, clear).text) == everything[:100]
    assert page.select_one(".view-list a")["href"] == clear
    assert soup(get(client, clear).text).select_one("#newest, [rel=first]")["href"] == clear
    one = soup(get(client, f"{LIST}?status=failed").text).select_one(".chips a")["href"]
    assert one == clear, "removing the last filter"
    for query in ("status=pending", "page=1", "row=3", "date=2024-03-02"):
        assert client.get(f"{LIST}?{query}").status_code == 200, "an address always wins"
    hidden = {field["name"]: field["value"] for field in page.select("#filter-form input[type=hidden]")}
    assert hidden["view"] == "all", "a form that sends nothing else"
    assert get(client, "/search?in=transactions&q=", 303).headers["Location"] == clear, "an emptied search box"
    assert get(client, f"{LIST}?status=pending&view=all&since=", 302).headers["Location"] == f"{LIST}?status=pending"
    assert get(client, f"{LIST}?status=&view=all", 302).headers["Location"] == clear
    newer = get(client, f"{LIST}/newer?since=2024-01-01T00:00:00Z~1", htmx=True).text
    assert f'href="{clear}"' in newer
    send(client, f"/views/{id_of(database, 'Mine')}/default", default="no", next=LIST)
    assert ids_in(get(client, LIST).text) == everything[:100]
    assert soup(get(client, f"{LIST}?{FAILED}").text).find("a", string="Clear all")["href"] == LIST


@pytest.mark.usefixtures("filled")
def test_a_default_is_one_admins_own_choice(make_client: Callable[..., FlaskClient], database: Database) -> None:
    mine, theirs = make_client(), make_client()
    save(mine, "Shared", FAILED, shared="yes", default="yes")
    get(theirs, LIST)
    send(theirs, f"/views/{id_of(database, 'Shared')}/default", default="yes")
    assert get(theirs, LIST, 302).headers["Location"] == f"{LIST}?{FAILED}"
    columns = {"page": "transactions", "column": "posted", "density": "compact"}
    send(theirs, "/preferences", **columns)
    assert get(theirs, LIST, 302), "another preference leaves the default alone"
    save(mine, "Shared", FAILED)  # not shared any more, nor mine by default
    get(mine, LIST)
    told = soup(get(theirs, LIST).text).select_one("p.notice").text
    assert "Your default view cannot be shown" in told and "not shared" in told
    send(mine, f"/views/{id_of(database, 'Shared')}/delete")
    save(mine, "Another", "status=pending", shared="yes")
    page = get(theirs, LIST)
    assert not soup(page.text).select("p.notice"), "a number that is given again is not the default of before"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "There is no parameter “colour” here"),
        ("status=gone", "“gone” is not a status"),
        ("user=I999", "There is no user “I999”"),
        ("since=2024-02-31", "is not a date"),
    ],
)
def test_a_default_that_no_longer_parses_shows_the_whole_list_and_says_so(
    client: FlaskClient, database: Database, query: str, words: str
) -> None:
    save(client, "Old", FAILED, default="yes")
    change(database, update(saved_views).values(query=query))
    page = get(client, LIST).text
    assert ids_in(page) == [row.id for row in stored(database)][:100]
    told = soup(page).select_one("p.notice").text
    assert "Your default view “Old” cannot be shown" in told and words in told
    assert "Undo default" in soup(page).select_one(".view-list").text


@pytest.mark.usefixtures("filled")
def test_hostile_names_are_only_text(client: FlaskClient, database: Database) -> None:
    for name in HOSTILE:
        save(client, name, FAILED, shared="yes")
    for address in (url(LIST, FAILED), "/settings", "/audit"):
        page = soup(get(client, address).text)
        assert not page.select("main script:not([src]), main [onmouseover]")
    assert sorted(name for name, _ in offered(client)) == sorted(HOSTILE)
    assert sorted(row.name for row in rows(database)) == sorted(HOSTILE)
    last = soup(get(client, url(LIST, FAILED)).text).select_one("#save-view [name=name]")["value"]
    assert last in HOSTILE


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"name": " "}, "A view needs a name"),
        ({"name": "x" * 81}, "A view needs a name"),
        ({"name": "a\nb"}, "A view needs a name"),
        ({"name": "\u200b\u200f"}, "A view needs a name"),
        ({"page": "nowhere"}, "There is no page “nowhere”"),
        ({"query": "colour=red"}, "There is no parameter “colour”"),
        ({"query": "status=sleeping"}, "“sleeping” is not a status"),
        ({"query": "at=2024-01-01T00:00:00Z~1"}, "There is no parameter “at”"),
        ({"query": "merchant=" + "x" * 9_000}, "characters long"),
        ({"id": "one"}, "“one” is not a number"),
    ],
)
def test_bad_input_is_named_and_nothing_is_kept(
    client: FlaskClient, database: Database, fields: dict[str, str], parameter: str
) -> None:
    answer = send(client, "/views", **({"page": "transactions", "query": FAILED, "name": "A"} | fields))
    assert answer.status_code == 400 and parameter in html.unescape(answer.text)
    assert rows(database) == []
    assert "“view” takes “all”" in html.unescape(get(client, f"{LIST}?view=7", 400).text)
    assert send(client, "/views/1/default", default="perhaps").status_code == 400
    for method, address in (("POST", "/views/12345/delete"), ("GET", "/views/99999999999999999999")):
        send_it = send(client, address) if method == "POST" else client.get(address)
        assert send_it.status_code == 404


def test_80_letters_of_any_kind_are_a_name_and_100_views_are_the_most(client: FlaskClient, database: Database) -> None:
    name = "é" * 79 + "🙂"
    save(client, name)
    assert offered(client)[0][0] == name
    with database.writing() as connection:
        owner = rows(database)[0].admin_id
        more = [{"admin_id": owner, "page": "transactions", "name": f"n{n}", "query": FAILED, "shared": False,
                 "created_at": datetime.now(UTC)} for n in range(kept.MOST - 1)]  # fmt: skip
        connection.execute(insert(saved_views), more)
    answer = send(client, "/views", page="transactions", query=FAILED, name="one too many")
    assert answer.status_code == 400 and "Delete one first" in answer.text
    save(client, name, "status=pending")
    save(client, "on another page", "status=active", page="users")


def test_a_form_of_another_site_or_without_its_token_does_nothing(client: FlaskClient, database: Database) -> None:
    save(client, "A", shared="yes")
    id = id_of(database, "A")
    fields = {"page": "transactions", "query": FAILED, "name": "B"}
    for address in ("/views", f"/views/{id}/delete", f"/views/{id}/default"):
        assert client.post(address, data=fields | {"default": "yes"}).status_code == 400
        foreign = {"csrf_token": token_of(get(client, "/settings")), "default": "yes", **fields}
        assert client.post(address, data=foreign, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.get(address).status_code in (404, 405)
    assert [row.name for row in rows(database)] == ["A"]
    stranger = client.application.test_client()
    assert "/login" in stranger.get(f"/views/{id}").headers["Location"]
    gone = send(client, f"/views/{id}/delete", next="https://evil.example/")
    assert gone.headers["Location"] == LIST


def test_only_what_others_see_is_in_the_audit_log(client: FlaskClient, database: Database) -> None:
    save(client, "Private")
    save(client, "Shared", "status=pending", shared="yes")
    save(client, "Shared", "status=pending")
    save(client, "Shared again", "status=pending", shared="yes", id=id_of(database, "Shared"))
    for name in ("Private", "Shared again"):
        send(client, f"/views/{id_of(database, name)}/delete")
    told = [(action, detail["name"], detail["shared"]) for action, _, _, detail in events(database)]
    assert told == [
        ("view.saved", "Shared", True),
        ("view.saved", "Shared", False),
        ("view.saved", "Shared again", True),
        ("view.deleted", "Shared again", True),
    ]
    assert rows(database) == []


def test_the_settings_list_ones_own_views_of_every_page(client: FlaskClient, database: Database) -> None:
    assert "You have no views." in get(client, "/settings").text
    save(client, "Active users", "status=active", page="users")
    save(client, "Failed", FAILED, shared="yes", default="yes")
    table = soup(get(client, "/settings").text).select_one("#views table")
    cells = [[cell.text.strip() for cell in row.select("th, td")][:3] for row in table.select("tbody tr")]
    assert cells == [["Failed", "Transactions", "with all admins"], ["Active users", "Users", "–"]]
    answer = send(client, f"/views/{id_of(database, 'Failed')}/delete", next="/settings#views")
    assert answer.headers["Location"] == "/settings#views"
    assert get(client, LIST).status_code == 200, "what is deleted is no default"


def test_a_view_of_a_page_needs_the_role_of_the_page(
    make_client: Callable[..., FlaskClient], database: Database
) -> None:
    operator, viewer = make_client("operator"), make_client("viewer")
    save(operator, "Logins", "action=login.failure", page="audit", shared="yes")
    get(viewer, get(viewer, f"/views/{id_of(database, 'Logins')}", 302).headers["Location"], 403)
    answer = send(viewer, "/views", page="audit", query="action=logout", name="Mine")
    assert answer.status_code == 403 and len(rows(database)) == 1


@pytest.mark.usefixtures("filled")
def test_views_of_every_filter_open_what_was_saved(client: FlaskClient, database: Database) -> None:
    queries = ("category=Fuel%20%26%20Co&category=Dining", "merchant=shop%20beta", "amount_max=-0.01", "user=I2")
    for number, query in enumerate(queries):
        there = save(client, f"view {number}", query)
        assert total_in(get(client, there).text)[1] == len(stored(database, query)), query
        assert soup(get(client, there).text).select_one("#views summary bdi").text == f"view {number}"
    assert quote("Fuel & Co") in offered(client)[0][1]
