"""Logging in and out."""

from datetime import UTC, datetime

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from kamioi_web.auth import admins, cookies, credentials, guard, sessions
from kamioi_web.auth.admins import Account
from kamioi_web.request_context import database_of, record_event, settings_of

blueprint = Blueprint("login", __name__)

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
    try:
        account = credentials.check(database_of(), email, password)
    except (credentials.WrongLogin, credentials.TooManyLogins) as error:
        return _form(email, str(error), after), error.status, error.headers
    return _begin(account, email, password, after)


@blueprint.post("/logout")
@guard.public
def leave() -> ResponseReturnValue:
    """End the session in the database and in the browser."""
    token = cookies.read_token()
    if token:
        with database_of().writing() as connection:
            admin_id = sessions.end_session(connection, token, datetime.now(UTC))
            if admin_id is not None:
                record_event(connection, "logout", by=admin_id)
    session.clear()
    response = make_response(redirect(url_for("login.show"), 303))
    cookies.take_token(response)
    response.headers["Clear-Site-Data"] = CLEAR
    return response


def _begin(account: Account, email: str, password: str, after: str) -> ResponseReturnValue:
    """A new session and a new token for forms, whatever the browser came with; its old session ends."""
    now, old, days = datetime.now(UTC), cookies.read_token(), settings_of().session_days
    with credentials.entering(database_of(), account, email, password) as connection:
        if old:
            sessions.end_session(connection, old, now)
        token = sessions.create_session(connection, account.id, now, days)
    session.clear()
    response = make_response(redirect(after, 303))
    cookies.give_token(response, token, days)
    return response


def _form(email: str, error: str | None, after: str) -> str:
    return render_template("login.html", email=email[:254], error=error, next=after)
