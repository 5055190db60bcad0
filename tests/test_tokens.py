"""Tokens of programs: made, used, held to what they may, and ended; and logging in through the API."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from helpers import get
from sqlalchemy import select, update
from test_login import EMAIL, PASSWORD, ana, change, events  # noqa: F401 - ana is a fixture

from kamioi_web import create_app
from kamioi_web.auth import limits, sessions, tokens
from kamioi_web.db import Database
from kamioi_web.errors import BadRequest
from kamioi_web.schema import ROLES, admins, api_tokens
from kamioi_web.settings import Settings

# ruff: noqa: F811

NOW = datetime.now(UTC)
CHALLENGE = 'Bearer realm="Kamioi"'


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The dashboard, with an address of the API that tells who asks and one that takes changes."""
    app = create_app(settings)
    app.add_url_rule("/api/who", "who", lambda: {"id": g.admin.id, "scope": g.admin.scope})
    app.add_url_rule("/api/change", "change", lambda: {"by": g.admin.id}, methods=["POST", "PUT", "PATCH", "DELETE"])
    app.add_url_rule("/change", "page_change", lambda: {"by": g.admin.id}, methods=["POST"])
    yield app
    for database in (app.extensions["database"], app.extensions.get("database_without_waiting")):
        if database:
            database.close()


@pytest.fixture
def make_token(database: Database, ana: int) -> Callable[..., str]:
    """make_token("read", days=7, at=NOW): one of ana's, as a program keeps it."""

    def make(scope: str = "read", days: int = 7, at: datetime = NOW) -> str:
        with database.writing() as connection:
            return tokens.create_named(connection, ana, "nightly report", scope, at, days).secret

    return make


def bearing(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_opens_the_api_and_nothing_else(app: Flask, make_token: Callable[..., str], ana: int) -> None:
    client, secret = app.test_client(), make_token()
    assert get(client, "/api/who", headers=bearing(secret)).json == {"id": ana, "scope": "read"}
    assert client.get("/api/who", headers={"Authorization": f"bearer {secret}"}).status_code == 200
    assert get(client, "/api/admin/transactions", headers=bearing(secret)).json["success"] is True
    assert client.get("/transactions", headers=bearing(secret)).status_code == 303
    assert client.get("/transactions.json", headers=bearing(secret)).status_code == 401
    assert client.get("/api/nowhere", headers=bearing(secret)).status_code == 404


def test_of_a_token_only_its_hash_and_its_beginning_are_kept(
    database: Database, make_token: Callable[..., str]
) -> None:
    secret = make_token()
    assert re.fullmatch(r"kam_[\w-]{43}", secret)
    with database.reading() as connection:
        row = connection.execute(select(api_tokens)).one()
    assert row.prefix == secret[:8]
    assert secret[8:] not in str(row)
    assert make_token() != secret


def test_who_brings_no_token_is_turned_away_with_a_challenge(app: Flask, make_token: Callable[..., str]) -> None:
    make_token()
    client = app.test_client()
    for given in ("", "kam_", "kam_" + "A" * 43, "A" * 47, "kam_é", "kam_" + "A" * 5000, "a=b", "x, Bearer y", "'; --"):
        answer = client.get("/api/who", headers={"Authorization": f"Bearer {given}".encode().decode("latin-1")})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, f'{CHALLENGE}, error="invalid_token"')
        assert "wrong, has expired or was revoked" in answer.text
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "nonsense"}):
        answer = client.get("/api/who", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)
        assert "Log in first" in answer.text


def test_a_token_ends_when_it_expires_is_revoked_or_its_admin_is_disabled(
    app: Flask, make_token: Callable[..., str], database: Database, ana: int
) -> None:
    client = app.test_client()

    def status(secret: str) -> int:
        return client.get("/api/who", headers=bearing(secret)).status_code

    assert status(make_token(days=3, at=NOW - timedelta(days=3))) == 401
    one, other = make_token(), make_token()
    with database.writing() as connection:
        first = tokens.list_tokens(connection, ana)[1]
        assert tokens.revoke_token(connection, ana + 1, first.id, NOW) is None, "another's token"
        assert tokens.revoke_token(connection, ana, first.id, NOW) == first
        assert tokens.revoke_token(connection, ana, first.id, NOW) is None, "twice"
    assert (status(one), status(other)) == (401, 200)
    change(database, update(admins).values(active=False))
    assert status(other) == 401


def test_a_token_that_reads_changes_nothing(app: Flask, make_token: Callable[..., str], ana: int) -> None:
    client, reads, writes = app.test_client(), make_token("read"), make_token("write")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = client.open("/api/change", method=method, headers=bearing(reads))
        assert refused.status_code == 403
        assert "its scope is read" in refused.text
        assert client.open("/api/change", method=method, headers=bearing(writes)).json == {"by": ana}
    assert client.post("/api/who", headers=bearing(reads)).status_code == 405


def test_tokens_of_forms_are_asked_of_sessions_alone(
    app: Flask, make_token: Callable[..., str], ana: int, database: Database
) -> None:
    """Another site can make a browser send its cookie, but not the header of a program's token."""
    client, secret = app.test_client(), make_token("write")
    with database.writing() as connection:
        client.set_cookie("kamioi_session", sessions.create_session(connection, ana, NOW, 7))
    assert client.post("/api/change").status_code == 400
    assert client.post("/api/change", headers=bearing(secret)).json == {"by": ana}
    assert client.post("/api/change", headers=bearing("wrong")).status_code == 401, "the cookie does not stand in"
    assert client.post("/change", headers=bearing(secret)).status_code == 400, "a page"
    foreign = {"Origin": "https://evil.test"}
    assert client.post("/api/change", headers=bearing(secret) | foreign).status_code == 403


def test_use_is_noted_every_five_minutes_and_never_waits(
    app: Flask, make_token: Callable[..., str], database: Database
) -> None:
    client, secret = app.test_client(), make_token()
    earlier = NOW - timedelta(minutes=6)

    def seen_after_a_request() -> Any:
        assert client.get("/api/who", headers=bearing(secret)).status_code == 200
        with database.reading() as connection:
            return connection.scalar(select(api_tokens.c.seen_at))

    first = seen_after_a_request()
    assert first >= NOW
    assert seen_after_a_request() == first
    change(database, update(api_tokens).values(seen_at=earlier))
    with database.writing() as connection:
        connection.execute(update(api_tokens).values(name="held"))  # another writer holds the row; on SQLite, all
        assert seen_after_a_request() == earlier
    assert seen_after_a_request() >= first


def test_what_is_no_name_scope_or_time_is_refused(database: Database, ana: int) -> None:
    refused = [("", "read", 7, "name"), ("x" * 81, "read", 7, "name"), ("a\x00b", "read", 7, "name"),
               ("\u202e", "read", 7, "name"), ("x", "admin", 7, "scope"), ("x", "", 7, "scope"),
               ("x", "read", 0, "days"), ("x", "read", 367, "days")]  # fmt: skip
    with database.writing() as connection:
        for name, scope, days, parameter in refused:
            with pytest.raises(BadRequest) as caught:
                tokens.create_named(connection, ana, name, scope, NOW, days)
            assert caught.value.parameter == parameter
        assert tokens.list_tokens(connection, ana) == []


def test_the_number_of_tokens_is_bounded(database: Database, ana: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 3)
    with database.writing() as connection:
        for _ in range(3):
            tokens.create_named(connection, ana, "one", "read", NOW, 7)
        with pytest.raises(BadRequest, match="Revoke one"):
            tokens.create_named(connection, ana, "one", "read", NOW, 7)
        made = [tokens.create_login(connection, ana, NOW, 7) for _ in range(5)]
        at_work = [tokens.find_token(connection, one.secret, NOW) is not None for one in made]
        assert at_work == [False, False, True, True, True]
        assert len(tokens.list_tokens(connection, ana)) == 6


def test_tokens_that_ended_long_ago_are_removed(database: Database, ana: int) -> None:
    long_ago, lately = NOW - timedelta(days=50), NOW - timedelta(days=10)
    with database.writing() as connection:
        tokens.create_named(connection, ana, "expired", "read", long_ago, 7)
        revoked = tokens.create_named(connection, ana, "revoked", "read", long_ago, 300)
        tokens.revoke_token(connection, ana, revoked.id, long_ago)
        tokens.create_named(connection, ana, "expired lately", "read", lately, 7)
        tokens.create_named(connection, ana, "at work", "read", NOW, 7)
        names = connection.scalars(select(api_tokens.c.name).order_by(api_tokens.c.id)).all()
    assert names == ["expired lately", "at work"]


# Logging in as the old clients do.


def log_in(app: Flask, **changes: Any) -> Any:
    return app.test_client().post("/api/admin/auth/login", json={"email": EMAIL, "password": PASSWORD} | changes)


def test_a_login_gives_a_token_in_the_shape_of_the_old_clients(app: Flask, ana: int, database: Database) -> None:
    answer = log_in(app, email=f" {EMAIL.upper()} ")
    secret, expires = answer.json["token"], answer.json["expires_at"]
    user = {
        "id": ana, "id_text": str(ana), "email": EMAIL, "name": "ana", "role": "operator", "dashboard": "admin",
        "permissions": {"viewer": True, "reviewer": True, "operator": True, "owner": False},
    }  # fmt: skip
    assert answer.json == {"success": True, "token": secret, "expires_at": expires, "user": user}
    assert "Set-Cookie" not in answer.headers
    assert timedelta(days=6.9) < datetime.fromisoformat(expires) - datetime.now(UTC) <= timedelta(days=7)
    client = app.test_client()
    assert get(client, "/api/admin/auth/me", headers=bearing(secret)).json == {"success": True, "user": user}
    assert client.post("/api/change", headers=bearing(secret)).status_code == 200
    assert [event[:2] for event in events(database)][1:] == [("token.created", ana), ("login.success", ana)]
    assert secret[8:] not in str(events(database))


def test_a_logout_ends_the_token_that_it_carries(app: Flask, ana: int, database: Database) -> None:
    client, one, other = app.test_client(), log_in(app).json["token"], log_in(app).json["token"]
    assert client.post("/api/admin/auth/logout", headers=bearing(one)).json == {"success": True}
    assert client.get("/api/admin/auth/me", headers=bearing(one)).status_code == 401
    assert client.get("/api/admin/auth/me", headers=bearing(other)).status_code == 200
    assert events(database)[-1][:2] == ("token.revoked", ana)
    assert client.post("/api/admin/auth/logout").status_code == 400


def test_a_wrong_login_is_answered_alike_whatever_was_wrong(app: Flask, ana: int, database: Database) -> None:
    for fields, reason in (
        ({"password": "wrong"}, "password"),
        ({"password": ""}, "password"),
        ({"email": "nobody@example.com"}, "unknown"),
        ({"email": ""}, "unknown"),
        ({"email": "\x00@x"}, "unknown"),
        ({"email": "\ud800", "password": "\ud800"}, "unknown"),
    ):
        answer = log_in(app, **fields)
        assert (answer.status_code, answer.json["success"]) == (401, False), fields
        assert answer.json["detail"] == "The e-mail address or the password is not right."
        assert "token" not in answer.json
        assert events(database)[-1][0::3] == ("login.failure", {"reason": reason})


def test_pages_and_programs_share_the_limit_on_logins(app: Flask, ana: int, database: Database) -> None:
    with database.writing() as connection:
        for _ in range(limits.ACCOUNT_LIMIT):
            limits.begin_attempt(connection, EMAIL, "192.0.2.7", datetime.now(UTC))
    answer = log_in(app)
    assert answer.status_code == 429
    assert "Try again in" in answer.json["detail"]
    assert 0 < int(answer.headers["Retry-After"]) <= 300


def test_what_is_no_login_is_refused_in_words(app: Flask, ana: int) -> None:
    typed = {"content_type": "application/json"}
    sent: list[dict[str, Any]] = [
        {}, {"json": {}}, {"json": []}, {"json": "x"}, {"json": {"email": 1, "password": "x"}},
        {"json": {"email": EMAIL}},
        {"json": {"email": EMAIL, "password": None}}, {"data": {"email": EMAIL, "password": PASSWORD}},
        {"data": b"{", **typed}, {"data": b"\xff\xfe", **typed},
    ]  # fmt: skip
    for given in sent:
        answer: Any = app.test_client().post("/api/admin/auth/login", **given)
        assert answer.status_code == 400, given
        assert answer.json["parameter"] in ("email", "password")
        assert "Send JSON" in answer.json["detail"]


def test_a_login_from_a_page_of_another_site_is_refused(app: Flask, ana: int) -> None:
    sent = {"email": EMAIL, "password": PASSWORD}
    answer = app.test_client().post("/api/admin/auth/login", json=sent, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


def test_me_answers_a_session_too(client: FlaskClient) -> None:
    assert get(client, "/api/admin/auth/me").json["user"]["permissions"] == dict.fromkeys(ROLES, True)
