"""The guard in front of the pages: who is asking, and whether they may."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web.auth import cookies, sessions, tokens
from kamioi_web.auth.sessions import Admin
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.schema import ROLES
from kamioi_web.security import SAFE_METHODS, Refused, bearer
from kamioi_web.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
Connect = Callable[[], AbstractContextManager[Connection]]
LOGIN_FIRST = "Log in first. If you were logged in, your session has ended."
NO_LONGER = "This token is wrong, has expired or was revoked. Make a new one under Settings, or log in again."


class NotLoggedIn(KamioiError):
    """A program came without a session or a token, or with a token that is none."""

    status = 401

    def __init__(self, message: str, token_given: bool) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": 'Bearer realm="Kamioi"' + ', error="invalid_token"' * token_given}


def protect(target: Flask | Blueprint, connect: Connect | None = None) -> None:
    """Let only admins in: `g.admin` is who asks. Views marked `public` and static files stay open.

    A program is let into /api/ by its token alone, everyone else by the session. Either is looked up on what
    `connect` opens, or on a reading connection of its own.
    """
    target.before_request(lambda: _let_in(connect))


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that answers to anyone; for it no session is looked up."""
    view.is_public = True  # ty: ignore[missing-attribute]
    return view


def require_role(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse with 403 whoever has a lesser role."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is not one of the roles {', '.join(ROLES)}")

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not g.admin.may(role):
                raise Refused(f"This takes the role {role}; yours is {g.admin.role}.")
            return view(*args, **kwargs)

        return guarded

    return guard


def find_admin(connect: Connect | None = None) -> Admin | None:
    """Whose session the request carries; notes now and then that it is in use."""
    token = cookies.read_token()
    if token is None:
        return None
    settings: Settings = current_app.extensions["settings"]
    database: Database = current_app.extensions["database"]
    now, idle = datetime.now(UTC), timedelta(hours=settings.session_idle_hours)
    with (connect or database.reading)() as connection:
        admin = sessions.find_session(connection, token, now, idle)
    if admin:
        sessions.touch(_unwaiting(settings), admin, now, idle)
    return admin


def find_by_token(secret: str, connect: Connect | None = None) -> Admin | None:
    """Whose token it is; notes now and then that it is in use. Refused where a token that reads is to write."""
    database: Database = current_app.extensions["database"]
    now = datetime.now(UTC)
    with (connect or database.reading)() as connection:
        admin = tokens.find_token(connection, secret, now)
    if admin is None:
        return None
    if admin.scope != "write" and request.method not in SAFE_METHODS and request.endpoint:
        raise Refused("This token only reads: its scope is read. Make one with the scope write under Settings.")
    tokens.touch(_unwaiting(current_app.extensions["settings"]), admin, now)
    return admin


def local_path(value: str | None, default: str = "/") -> str:
    """The path if it leads to a page of this site, else the default: nobody else says where a login goes next."""
    if not value or len(value) > 4000 or not value.startswith("/") or value.startswith("//"):
        return default
    # Browsers read a backslash as a slash and drop control characters before they look.
    if "\\" in value or any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        return default
    return default if urlsplit(value).path in ("/login", "/logout") else value


def _let_in(connect: Connect | None) -> ResponseReturnValue | None:
    if "admin" in g and g.admin:  # a blueprint inside a protected app
        return None
    g.admin = None
    if _is_public():
        return None
    secret = bearer()
    g.admin = find_admin(connect) if secret is None else find_by_token(secret, connect)
    # What does not exist is not found, logged in or not.
    return None if g.admin or request.endpoint is None else _turn_away(secret)


def _is_public() -> bool:
    endpoint = request.endpoint or ""
    if endpoint == "static" or endpoint.endswith(".static"):
        return True
    return getattr(current_app.view_functions.get(endpoint), "is_public", False)


def _turn_away(secret: str | None) -> ResponseReturnValue:
    """401 to programs and to htmx, which a redirect would lead to a login form inside a table; else the login page."""
    if request.path.startswith("/api/") or request.path.endswith(".json"):
        raise NotLoggedIn(LOGIN_FIRST if secret is None else NO_LONGER, secret is not None)
    if request.headers.get("HX-Request") == "true":
        return Response(LOGIN_FIRST, 401, {"HX-Redirect": _login_url(_page_of_fragment())}, mimetype="text/plain")
    return current_app.make_response(redirect(_login_url(_page_asked_for()), 303))


def _login_url(after: str) -> str:
    return url_for("login.show", next=after) if after != "/" else url_for("login.show")


def _page_asked_for() -> str:
    if request.method not in SAFE_METHODS:
        return "/"
    query = request.query_string.decode("latin-1")
    return local_path(f"{request.path}?{query}" if query else request.path)


def _page_of_fragment() -> str:
    """The page that htmx asked from, when it is one of ours."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    if page.netloc != request.host:
        return "/"
    return local_path(f"{page.path}?{page.query}" if page.query else page.path)


def _unwaiting(settings: Settings) -> Database:
    extensions = current_app.extensions
    if "database_without_waiting" not in extensions:
        extensions["database_without_waiting"] = sessions.without_waiting(settings)
    return extensions["database_without_waiting"]
