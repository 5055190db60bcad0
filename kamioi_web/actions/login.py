"""Logging in and out."""

from datetime import UTC, datetime
from math import ceil

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web import audit
from kamioi_web.auth import admins, cookies, guard, limits, passwords, sessions
from kamioi_web.auth.admins import Account
from kamioi_web.auth.limits import Attempt
from kamioi_web.db import Database
from kamioi_web.settings import Settings

blueprint = Blueprint("login", __name__)

WRONG = "The e-mail address or the password is not right."
# The session's own cookie is deleted by name: "cookies" would end the logins of every site under the same domain.
# "cache" is left out too: it makes Chromium stop for seconds, and pages are revalidated anyway.
CLEAR = '"storage"'


@blueprint.get("/login")
@guard.public
def show() -> ResponseReturnValue:
    """The login form; whoever is logged in goes on to where they were going."""
    after = guard.local_path(request.args.get("next"))
    return redirect(after, 303) if guard.find_admin() else _form("", None, after)


@blueprint.post("/login")
@guard.public
def submit() -> ResponseReturnValue:
    """Begin a session, or say in the same words whatever was wrong."""
    email, password = admins.normalise(request.form.get("email", "")), request.form.get("password", "")
    after = guard.local_path(request.form.get("next"))
    with _database().writing() as connection:
        attempt = limits.begin_attempt(connection, email, _address(), datetime.now(UTC))
    if attempt.wait_seconds:
        return _ask_to_wait(email, after, attempt.wait_seconds)
    with _database().reading() as connection:
        account = admins.find_account(connection, email)
    right = passwords.verify(account.password_hash if account else None, password)
    if account is None or not right or not account.active:
        _record_failure(account, attempt, right)
        return _form(email, WRONG, after), 401
    return _begin(account, email, password, after)


@blueprint.post("/logout")
@guard.public
def leave() -> ResponseReturnValue:
    """End the session in the database and in the browser."""
    token = cookies.read_token()
    if token:
        with _database().writing() as connection:
            admin_id = sessions.end_session(connection, token, datetime.now(UTC))
            if admin_id is not None:
                _record(connection, "logout", by=admin_id)
    session.clear()
    response = make_response(redirect(url_for("login.show"), 303))
    cookies.take_token(response)
    response.headers["Clear-Site-Data"] = CLEAR
    return response


def _begin(account: Account, email: str, password: str, after: str) -> ResponseReturnValue:
    """A new session and a new token for forms, whatever the browser came with; its old session ends."""
    settings: Settings = current_app.extensions["settings"]
    renewed = passwords.hash_password(password) if passwords.needs_rehash(account.password_hash) else None
    now, old = datetime.now(UTC), cookies.read_token()
    with _database().writing() as connection:
        limits.clear(connection, email)
        if old:
            sessions.end_session(connection, old, now)
        if renewed:
            admins.save_hash(connection, account.id, renewed)
        token = sessions.create_session(connection, account.id, now, settings.session_days)
        _record(connection, "login.success", by=account.id)
    session.clear()
    response = make_response(redirect(after, 303))
    cookies.give_token(response, token, settings.session_days)
    return response


def _record_failure(account: Account | None, attempt: Attempt, right: bool) -> None:
    reason = "unknown" if account is None else "disabled" if right else "password"
    with _database().writing() as connection:
        about = account.id if account else None
        _record(connection, "login.failure", about=about, reason=reason)
        if attempt.last:  # recorded as the limit is reached, not at each refusal: the log cannot be flooded
            _record(connection, "login.limited", about=about)


def _record(
    connection: Connection, action: str, by: int | None = None, about: int | None = None, **detail: str
) -> None:
    address, request_id = _address(), g.get("request_id")
    audit.record(connection, action, by, "admin" if about else None, about, detail, address, request_id)


def _ask_to_wait(email: str, after: str, seconds: int) -> ResponseReturnValue:
    minutes = ceil(seconds / 60)
    wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
    page = _form(email, f"Too many logins have failed. Try again in {wait}.", after)
    return page, 429, {"Retry-After": str(seconds)}


def _form(email: str, error: str | None, after: str) -> str:
    return render_template("login.html", email=email[:254], error=error, next=after)


def _database() -> Database:
    return current_app.extensions["database"]


def _address() -> str:
    return request.remote_addr or "unknown"
