"""Headers of every answer, the key that signs forms, passwords, accounts, sessions and limits."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kamioi_web import security
from kamioi_web.auth import admins, limits, passwords, sessions
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.schema import admin_sessions
from kamioi_web.settings import Settings

EMAIL = "ana@example.com"
NOW = datetime(2025, 5, 6, 7, 8, 9, tzinfo=UTC)
IDLE = timedelta(hours=12)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def make_settings(folder: Path, **given: Any) -> Settings:
    common: dict[str, Any] = {"_env_file": None, "secret_key": None} | given
    return Settings(database_url=f"sqlite:///{folder / 'kamioi.db'}", **common)


@pytest.fixture
def ana(database: Database) -> int:
    """An operator's id."""
    with database.writing() as connection:
        return admins.create_admin(connection, EMAIL, "tin roof over nine drums", "operator")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = Flask("kamioi_web")
    security.secure(app, make_settings(tmp_path))
    app.add_url_rule("/", "home", lambda: render_template_string("{{ request_id }}"))
    app.add_url_rule("/cached", "cached", lambda: ("", 200, {"Cache-Control": "private, max-age=5"}))
    app.add_url_rule("/json", "json", lambda: {})
    app.add_url_rule("/refused", "refused", lambda: abort(403))
    app.add_url_rule("/form", "form", lambda: render_template_string("{{ csrf_token() }}"))
    app.add_url_rule("/send", "send", lambda: "sent", methods=["POST", "PUT", "PATCH", "DELETE"])
    app.register_error_handler(KamioiError, lambda error: (str(error), error.status))
    app.add_url_rule("/broken", "broken", lambda: str(1 // 0))
    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/cached", 200), ("/json", 200), ("/refused", 403), ("/nowhere", 404), ("/broken", 500),
     ("/static/nothing.css", 404)],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_answer_carries_the_headers(app, path, status, method):
    answer = app.test_client().open(path, method=method)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == ("private, max-age=5" if path == "/cached" else "private, no-cache")
    assert len(answer.headers["X-Request-Id"]) == 16
    assert "Strict-Transport-Security" not in answer.headers


def test_https_is_to_stay(app):
    answer = app.test_client().get("/", base_url="https://admin.test")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_request_has_one_number_of_its_own(app):
    client = app.test_client()
    first, second = (client.get("/", headers={"X-Request-Id": "mine"}) for _ in range(2))
    assert first.text == first.headers["X-Request-Id"] != second.text
    assert "mine" not in first.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_form_without_its_token_does_nothing(app, caplog, method):
    client = app.test_client()
    anothers = app.test_client().get("/form").text
    for token in ({}, {"csrf_token": "made up"}, {"csrf_token": anothers}):
        client.get("/form")
        answer = client.open("/send", method=method, data={"password": "as typed"} | token)
        assert answer.status_code == 400
        assert "This form is too old" in answer.text
    assert "refused" in caplog.text
    assert "as typed" not in caplog.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.test"},
     {"Origin": "http://localhost:81"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_another_sites_form_does_nothing(app, headers):
    answer, client = send(app, headers)
    assert answer.status_code == 403
    assert "sent from another site" in answer.text
    assert client.get("/", headers=headers).status_code == 200  # links from elsewhere work


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_our_own_form_is_taken(app, headers, scheme):
    ours = headers | ({"Origin": f"{scheme}://localhost"} if "Origin" in headers else {})
    assert send(app, ours, f"{scheme}://localhost")[0].text == "sent"


def test_https_takes_nothing_from_http(app):
    assert send(app, {"Origin": "http://localhost"}, "https://localhost")[0].status_code == 403


def send(app: Flask, headers: dict[str, str], base_url: str = "http://localhost") -> tuple[Any, FlaskClient]:
    """Open the form and send it with these headers."""
    client = app.test_client()
    token = client.get("/form", base_url=base_url).text
    return client.post("/send", data={"csrf_token": token}, headers=headers, base_url=base_url), client


def test_the_policy_can_name_a_static_host():
    policy = security.content_security_policy("https://cdn.test")
    assert "script-src 'self' https://cdn.test;" in policy
    assert "connect-src 'self';" in policy


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    settings = make_settings(tmp_path)
    key = security.load_secret_key(settings)
    assert len(key) == 64
    assert security.load_secret_key(settings) == key
    assert [path.name for path in tmp_path.iterdir()] == [".kamioi-secret"]
    file = tmp_path / ".kamioi-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert security.load_secret_key(settings) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_setting_comes_before_the_file(tmp_path):
    assert security.load_secret_key(make_settings(tmp_path, secret_key="given")) == "given"
    assert list(tmp_path.iterdir()) == []


def test_production_takes_no_key_of_its_own_making(tmp_path):
    for key in (None, "short"):
        with pytest.raises(KamioiError, match="Set KAMIOI_SECRET_KEY"):
            security.load_secret_key(make_settings(tmp_path, environment="production", secret_key=key))
    assert list(tmp_path.iterdir()) == []
    assert security.load_secret_key(make_settings(tmp_path, environment="production", secret_key="k" * 32)) == "k" * 32


def test_a_key_that_cannot_be_kept_is_said(tmp_path):
    with pytest.raises(KamioiError, match="Set KAMIOI_SECRET_KEY"):
        security.load_secret_key(make_settings(tmp_path / "missing"))
    (tmp_path / ".kamioi-secret").write_text("")
    with pytest.raises(KamioiError, match="holds no key"):
        security.load_secret_key(make_settings(tmp_path))


def test_an_unknown_account_takes_as_long(monkeypatch):
    seen = []
    monkeypatch.setattr(type(passwords.HASHER), "verify", lambda self, kept, given: seen.append(kept) or True)
    assert passwords.verify(None, "") is False
    assert passwords.verify("kept", "x" * 1001) is False
    assert seen == [passwords.NOBODY, "kept"]
    assert not passwords.needs_rehash(passwords.NOBODY)  # the same work as for a real one


def test_a_token_is_random_and_only_its_hash_is_stored(database, ana):
    with database.writing() as connection:
        tokens = {sessions.create_session(connection, ana, NOW, 7) for _ in range(3)}
        stored = set(connection.scalars(select(admin_sessions.c.token_hash)))
    assert {len(token) for token in tokens} == {43}
    assert stored == {sessions.hash_token(token) for token in tokens}
    assert not stored & tokens


def test_a_session_ends_when_unused_and_in_any_case(database, ana):
    with database.writing() as connection:
        token = sessions.create_session(connection, ana, NOW, 7)

    def find(hours: float) -> sessions.Admin | None:
        with database.reading() as connection:
            return sessions.find_session(connection, token, NOW + timedelta(hours=hours), IDLE)

    admin = find(11.9)
    assert admin is not None
    assert (admin.id, admin.email, admin.role, admin.preferences) == (ana, EMAIL, "operator", {})
    assert find(12.1) is None
    for hours in range(10, 200, 10):  # used every ten hours
        admin = find(hours)
        if admin is None:
            break
        assert sessions.touch(database, admin, NOW + timedelta(hours=hours), IDLE)
    assert hours == 170  # seven days are 168 hours
    with database.writing() as connection:
        sessions.create_session(connection, ana, NOW + timedelta(days=8), 7)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(admin_sessions)) == 1  # what was over is gone


def test_use_is_noted_seldom_and_never_waits(database, settings, ana):
    with database.writing() as connection:
        token = sessions.create_session(connection, ana, NOW, 7)
    with database.reading() as connection:
        admin = sessions.find_session(connection, token, NOW, IDLE)
    assert admin is not None
    beside = sessions.without_waiting(settings)
    assert not sessions.touch(beside, admin, NOW + timedelta(minutes=4), IDLE)
    assert sessions.touch(beside, admin, NOW + timedelta(minutes=4), timedelta(minutes=10))
    if database.dialect.name == "sqlite":
        with database.writing():
            begun = datetime.now(UTC)
            assert not sessions.touch(beside, admin, NOW + timedelta(minutes=6), IDLE)
            assert datetime.now(UTC) - begun < timedelta(seconds=0.5)
    assert sessions.touch(beside, admin, NOW + timedelta(minutes=6), IDLE)
    beside.close()


def test_limits_by_account_and_by_address(database):
    def attempt(email: str, address: str, minutes: float = 0) -> limits.Attempt:
        with database.writing() as connection:
            return limits.begin_attempt(connection, email, address, NOW + timedelta(minutes=minutes))

    tries = [attempt("a@x.org", f"192.0.2.{n}") for n in range(12)]
    assert [t.wait_seconds for t in tries] == [0] * 10 + [300] * 2
    assert [t.last for t in tries] == [False] * 9 + [True] + [False] * 2
    assert attempt("a@x.org", "192.0.2.99", 4).wait_seconds == 60
    assert attempt("a@x.org", "192.0.2.99", 5.1).wait_seconds == 0
    tries = [attempt(f"{n}@x.org", "203.0.113.7") for n in range(21)]
    assert [t.wait_seconds for t in tries] == [0] * 20 + [3600]
    assert attempt("else@x.org", "203.0.113.7", 30).wait_seconds == 1800
    assert attempt("else@x.org", "203.0.113.8", 30).wait_seconds == 0


def test_guesses_sent_at_once_are_counted_too(database):
    def attempt(_: int) -> limits.Attempt:
        with database.writing() as connection:
            return limits.begin_attempt(connection, EMAIL, "192.0.2.1", NOW)

    with ThreadPoolExecutor(8) as threads:
        tries = list(threads.map(attempt, range(24)))
    assert sum(not found.wait_seconds for found in tries) == 10
    assert sum(found.last for found in tries) == 1


def test_an_address_is_counted_as_whoever_holds_it():
    assert (
        limits.address_key("2001:db8:1:2:3:4:5:6") == limits.address_key("2001:db8:1:2::9%eth0") == "2001:db8:1:2::/64"
    )
    assert limits.address_key("::ffff:192.0.2.1") == limits.address_key("192.0.2.1") == "192.0.2.1"
    assert limits.address_key("") == limits.address_key("unix:") == "unknown"


def test_an_account_is_made_once(database, ana):
    with pytest.raises(KamioiError, match=r"already an admin ana@example\.com"), database.writing() as connection:
        admins.create_admin(connection, "ANA@example.com", admins.random_password(), "viewer")
    for email, role, reason in (("ana", "viewer", "not an e-mail"), ("b@x.org", "emperor", "not a role")):
        with pytest.raises(KamioiError, match=reason), database.writing() as connection:
            admins.create_admin(connection, email, admins.random_password(), role)


@pytest.mark.parametrize(
    "password",
    ["", "short", "x" * 1001, "password1234", "Correct Horse Battery Staple", "aaaaaaaaaaaaaaaa", "ana@example.com",
     "121212121212"],
)  # fmt: skip
def test_weak_passwords_are_refused(password):
    with pytest.raises(KamioiError):
        passwords.check_rules(password, EMAIL)


def test_long_passwords_count_to_the_last_letter():
    password = "é" + "long " * 190
    passwords.check_rules(password, EMAIL)
    kept = passwords.hash_password(password)
    assert passwords.verify(kept, "e\u0301" + password[1:])  # the same letter, written in two
    assert not passwords.verify(kept, password[:-1])
    assert not passwords.verify("no hash", password)
    passwords.check_rules(admins.random_password(), EMAIL)
