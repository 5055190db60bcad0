"""Logging in and out, sessions, limits, roles, and what an admin prefers; on both databases."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, g, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from werkzeug.test import TestResponse

from kamioi_web import create_app
from kamioi_web.actions import preferences
from kamioi_web.auth import admins, credentials, guard, limits, passwords
from kamioi_web.db import Database
from kamioi_web.errors import BadRequest
from kamioi_web.schema import ROLES, admin_sessions, audit_events, login_attempts
from kamioi_web.schema import admins as admins_table
from kamioi_web.settings import Settings

EMAIL, PASSWORD = "ana@example.com", "tin roof over nine drums"
TOKEN = '<input name="csrf_token" value="{{ csrf_token() }}">'


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The dashboard, with a page that says who is in, its JSON twins, and a page for operators."""
    app = create_app(settings)
    app.add_url_rule("/who", "who", lambda: render_template_string(TOKEN + g.admin.email))
    app.add_url_rule("/who.json", "twin", lambda: {"id": g.admin.id})
    app.add_url_rule("/api/who", "api", lambda: {"id": g.admin.id})
    app.add_url_rule("/operators", "operators", guard.require_role("operator")(lambda: "welcome"))
    yield app
    app.extensions["database"].close()


@pytest.fixture
def ana(database: Database) -> int:
    """An operator's id."""
    with database.writing() as connection:
        return admins.create_admin(connection, f" {EMAIL.title()} ", PASSWORD, "operator")


@pytest.fixture
def log_in(app: Flask, ana: int) -> Callable[..., TestResponse]:
    """log_in(client): open the form and send it."""

    def send(client: FlaskClient, **fields: str) -> TestResponse:
        token = token_of(client.get("/login"))
        return client.post("/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": token} | fields)

    return send


@pytest.fixture
def inside(app: Flask, log_in: Callable[..., TestResponse]) -> FlaskClient:
    """A browser that is logged in."""
    client = app.test_client()
    assert log_in(client).status_code == 303
    return client


def token_of(response: TestResponse) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
    assert found, response.text
    return found[1]


def events(database: Database) -> list[tuple[Any, ...]]:
    """(action, admin, subject id, detail) of every audit event."""
    columns = audit_events.c
    with database.reading() as connection:
        query = select(columns.action, columns.admin_id, columns.subject_id, columns.detail).order_by(columns.id)
        return [tuple(row) for row in connection.execute(query)]


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def change(database: Database, statement: Any) -> None:
    with database.writing() as connection:
        connection.execute(statement)


def test_the_right_password_opens_the_door(app, log_in, database, ana):
    client = app.test_client()
    assert client.get("/who").headers["Location"] == "/login?next=/who"
    answer = log_in(client, email=" ANA@example.COM ", next="/transactions?status=failed&at=x~1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/transactions?status=failed&at=x~1")
    assert EMAIL in client.get("/who").text
    assert client.get("/login?next=/transactions").headers["Location"] == "/transactions"
    assert events(database) == [
        ("admin.created", None, ana, {"role": "operator"}),
        ("login.success", ana, None, {}),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": "wrong"}, "password"),
        ({"password": ""}, "password"),
        ({"password": PASSWORD + " "}, "password"),
        ({"password": PASSWORD * 100}, "password"),
        ({"email": "nobody@example.com"}, "unknown"),
        ({"email": "\x00'--@example.com"}, "unknown"),
        ({"email": ""}, "unknown"),
    ],
)
def test_anything_wrong_is_answered_alike(app, log_in, database, fields, reason):
    client = app.test_client()
    answer = log_in(client, **fields)
    assert answer.status_code == 401
    assert credentials.WRONG in answer.text
    assert "kamioi_session" not in str(answer.headers)
    assert client.get("/who").status_code == 303
    assert events(database)[-1][0::3] == ("login.failure", {"reason": reason})


def test_a_disabled_admin_is_out_at_once_and_stays_out(app, inside, log_in, database, ana):
    change(database, update(admins_table).where(admins_table.c.id == ana).values(active=False))
    assert inside.get("/who").status_code == 303
    answer = log_in(app.test_client())
    assert (answer.status_code, credentials.WRONG in answer.text) == (401, True)
    assert events(database)[-1] == ("login.failure", None, ana, {"reason": "disabled"})


def test_an_older_hash_is_renewed(app, log_in, database, ana):
    older = type(passwords.HASHER)(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    change(database, update(admins_table).values(password_hash=older))
    assert log_in(app.test_client()).status_code == 303
    with database.reading() as connection:
        account = admins.find_account(connection, EMAIL)
    assert account is not None
    assert not passwords.needs_rehash(account.password_hash)
    assert log_in(app.test_client()).status_code == 303


def test_a_login_gives_a_new_session_and_ends_the_old_one(app, inside, log_in):
    old = inside.get_cookie("kamioi_session").value
    assert log_in_again(inside) == 303
    new = inside.get_cookie("kamioi_session").value
    assert new != old
    other = app.test_client()
    other.set_cookie("kamioi_session", old)
    assert other.get("/who").status_code == 303


def log_in_again(client: FlaskClient) -> int:
    token = token_of(client.get("/who"))
    return client.post("/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": token}).status_code


def test_a_session_planted_beforehand_is_not_taken_up(app, log_in):
    client = app.test_client()
    client.set_cookie("kamioi_session", "A" * 43)
    log_in(client)
    assert client.get_cookie("kamioi_session").value != "A" * 43


def test_logout_ends_the_session_for_every_copy_of_the_cookie(app, inside, database, ana):
    kept = inside.get_cookie("kamioi_session").value
    answer = inside.post("/logout", data={"csrf_token": token_of(inside.get("/who"))})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert inside.get_cookie("kamioi_session") is None
    thief = app.test_client()
    thief.set_cookie("kamioi_session", kept)
    assert thief.get("/who").status_code == 303
    assert events(database)[-1] == ("logout", ana, None, {})


def test_logout_without_a_session_is_quiet(app, database):
    client = app.test_client()
    assert client.post("/logout", data={"csrf_token": token_of(client.get("/login"))}).status_code == 303
    assert client.get("/logout").status_code == 405
    assert events(database) == []


@pytest.mark.parametrize(("scheme", "prefix"), [("http", ""), ("https", "__Host-")])
def test_cookies_are_out_of_reach(app, ana, scheme, prefix):
    client = app.test_client()
    page = client.get("/login", base_url=f"{scheme}://admin.test")
    fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_of(page)}
    answer = client.post("/login", data=fields, base_url=f"{scheme}://admin.test")
    made = [page.headers["Set-Cookie"], *[c for c in answer.headers.getlist("Set-Cookie") if "_session=" in c]]
    assert [cookie.partition("=")[0] for cookie in made] == [f"{prefix}kamioi_forms", f"{prefix}kamioi_session"]
    for cookie in made:
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert ("Secure" in cookie) == (scheme == "https")
        assert "Domain" not in cookie
    assert "Max-Age=604800" in made[1]
    assert client.get("/who", base_url=f"{scheme}://admin.test").status_code == 200


def test_pages_note_that_the_session_is_in_use(inside, database):
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    change(database, update(admin_sessions).values(seen_at=hour_ago))
    assert inside.get("/who").status_code == 200
    with database.reading() as connection:
        assert connection.scalar(select(admin_sessions.c.seen_at)) > hour_ago
    change(database, update(admin_sessions).values(seen_at=hour_ago - timedelta(hours=12)))
    assert inside.get("/who").status_code == 303


def test_ten_failures_close_an_account_for_a_while(app, log_in, database, ana):
    client = app.test_client()
    assert [log_in(client, password="wrong").status_code for _ in range(10)] == [401] * 10
    answer = log_in(client, email=EMAIL.upper())
    assert answer.status_code == 429
    assert "Too many logins have failed. Try again in 5 minutes." in answer.text
    assert 280 <= int(answer.headers["Retry-After"]) <= 300
    actions = [event[0] for event in events(database)]
    assert (actions.count("login.failure"), actions.count("login.limited")) == (10, 1)
    change(database, update(login_attempts).values(at=datetime.now(UTC) - timedelta(minutes=5)))
    assert log_in(client).status_code == 303
    assert count(database, login_attempts) == 0


def test_the_table_of_attempts_holds_nothing_personal_and_stays_small(app, log_in, database):
    log_in(app.test_client(), password="wrong")
    with database.reading() as connection:
        row = connection.execute(select(login_attempts)).one()
        told = str(connection.execute(select(audit_events)).all())
    assert re.fullmatch("[0-9a-f]{64}", row.account)
    assert EMAIL not in str(row) + told
    assert "wrong" not in str(row) + told
    old = {"account": "x", "address": "y", "at": row.at - timedelta(hours=2)}
    change(database, insert(login_attempts).values([old] * 150))
    with database.writing() as connection:
        for _ in range(3):
            limits.begin_attempt(connection, "b@x.org", "192.0.2.1", datetime.now(UTC))
        assert connection.scalar(select(func.count()).where(login_attempts.c.account == "x")) == 0


def test_programs_and_fragments_are_turned_away_in_their_own_way(app):
    client = app.test_client()
    for path in ("/api/who", "/who.json"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.json == {
            "success": False,
            "error": "Not logged in",
            "detail": guard.LOGIN_FIRST,
            "request_id": answer.headers["X-Request-Id"],
        }
    page = "http://localhost/transactions?status=failed"
    answer = client.get("/transactions", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/transactions?status%3Dfailed")
    assert "<" not in answer.text
    answer = client.get("/transactions", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.test/x"})
    assert answer.headers["HX-Redirect"] == "/login"


def test_pages_lead_to_the_login_and_back(app, log_in):
    client = app.test_client()
    answer = client.get("/transactions?q=caf%C3%A9&at=2024~1")
    assert answer.status_code == 303
    form = client.get(answer.headers["Location"])
    assert 'name="next" value="/transactions?q=caf%C3%A9&amp;at=2024~1"' in form.text
    assert client.get("/nowhere").status_code == 404
    assert client.get("/healthz").status_code == client.get("/static/kamioi.css").status_code == 200
    assert log_in(client, next="/transactions?q=caf%C3%A9").headers["Location"] == "/transactions?q=caf%C3%A9"


@pytest.mark.parametrize(
    "hostile",
    ["//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test", "https:evil.test",
     "javascript:x", "evil.test", "/\t/evil.test", "/\n/evil.test", "\t//evil.test", " //evil.test", "http:///evil",
     "/x\r\nSet-Cookie: a=b", "/\x00", "?x", "", "/login", "/login?next=/login", "/logout", "/" + "a" * 5000,
     "/transactions\\..\\..//evil.test"],
)  # fmt: skip
def test_nobody_is_led_elsewhere(app, log_in, hostile):
    assert log_in(app.test_client(), next=hostile).headers["Location"] == "/"


def test_roles_include_the_ones_before_them(inside, database, ana):
    for role in ROLES:
        change(database, update(admins_table).values(role=role))
        answer = inside.get("/operators")
        assert answer.status_code == (200 if role in ("operator", "owner") else 403)
    change(database, update(admins_table).values(role="viewer"))
    assert "This takes the role operator; yours is viewer." in inside.get("/operators").text
    with pytest.raises(ValueError, match="emperor"):
        guard.require_role("emperor")


def test_a_token_ends_with_the_login(app, log_in):
    client = app.test_client()
    before = token_of(client.get("/login"))
    log_in(client)
    assert client.post("/logout", data={"csrf_token": before}).status_code == 400
    assert client.post("/logout", headers={"X-CSRFToken": token_of(client.get("/who"))}).status_code == 303


def test_preferences_are_kept(inside, database):
    token = token_of(inside.get("/who"))
    fields = {
        "csrf_token": token,
        "page": "transactions",
        "density": "compact",
        "column": ["amount", "posted", "posted"],
    }
    answer = inside.post("/preferences", data=fields | {"next": "/transactions?at=x"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/transactions?at=x")
    answer = inside.post(
        "/preferences", data={"theme": "dark"}, headers={"X-CSRFToken": token, "X-Requested-With": "fetch"}
    )
    assert (answer.status_code, answer.data) == (204, b"")
    with database.reading() as connection:
        kept = connection.scalar(select(admins_table.c.preferences))
    assert kept == {
        "theme": "dark",
        "pages": {"transactions": {"density": "compact", "columns": ["posted", "amount"]}},
    }
    assert preferences.of_page(kept, "transactions")["density"] == "compact"
    assert preferences.of_page({}, "users") == {}


@pytest.mark.parametrize(
    "fields", [{"page": "secrets"}, {"page": "transactions", "column": "'"}, {"theme": "\x00"},
               {"page": "transactions", "density": "huge"}],
)  # fmt: skip
def test_preferences_that_do_not_exist_are_refused(inside, database, fields):
    answer = inside.post("/preferences", data=fields | {"csrf_token": token_of(inside.get("/who"))})
    assert answer.status_code == BadRequest.status
    with database.reading() as connection:
        assert connection.scalar(select(admins_table.c.preferences)) == {}


def test_preferences_are_for_those_who_are_in(app):
    client = app.test_client()
    answer = client.post("/preferences", data={"csrf_token": token_of(client.get("/login")), "theme": "dark"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
