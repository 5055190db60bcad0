"""Logging in and out as the old clients do: an e-mail address and a password for a token."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError

from kamioi_web.api.answers import AdminUser, Done, Login, Me
from kamioi_web.auth import admins, credentials, guard, tokens
from kamioi_web.auth.sessions import includes
from kamioi_web.errors import BadRequest
from kamioi_web.request_context import database_of, record_event, settings_of
from kamioi_web.security import bearer, no_form
from kamioi_web.text import identifier, iso_text

WANTED = 'Send JSON such as {"email": "me@example.com", "password": "…"}, both as text.'


class Credentials(BaseModel):
    """What a login sends."""

    model_config = ConfigDict(strict=True)

    email: str
    password: str


@guard.public
@no_form
def log_in() -> Any:
    """A token for an e-mail address and a password; it ends after as many days as a session."""
    given = _read_body()
    email, now, days = admins.normalise(given.email), datetime.now(UTC), settings_of().session_days
    account = credentials.check(database_of(), email, given.password)
    with credentials.entering(database_of(), account, email, given.password) as connection:
        made = tokens.create_login(connection, account.id, now, days)
        record_event(connection, "token.created", account.id, "token", made.id, prefix=made.prefix, scope="write")
    expires = iso_text(now + timedelta(days=days))
    user = as_user(account.id, email, account.role)
    found: Login = {"success": True, "token": made.secret, "expires_at": expires, "user": user}
    return jsonify(found)


def show_me() -> Any:
    """Whose session or token it is."""
    found: Me = {"success": True, "user": as_user(g.admin.id, g.admin.email, g.admin.role)}
    return jsonify(found)


def log_out() -> Any:
    """Revoke the token that the request carries."""
    if bearer() is None:
        raise BadRequest("This request carries a session, not a token. The button in the pages logs out of a session.")
    with database_of().writing() as connection:
        ended = tokens.revoke_secret(connection, g.admin.session, datetime.now(UTC))
        if ended:
            record_event(connection, "token.revoked", g.admin.id, "token", ended.id, prefix=ended.prefix)
    done: Done = {"success": True}
    return jsonify(done)


def as_user(id: int, email: str, role: str) -> AdminUser:
    """An admin in the shape of the old clients; admins have no names here, so it is the beginning of the e-mail."""
    return {
        **identifier(id),
        "email": email,
        "name": email.partition("@")[0],
        "role": role,
        "dashboard": "admin",
        "permissions": {
            "viewer": True,
            "reviewer": includes(role, "reviewer"),
            "operator": includes(role, "operator"),
            "owner": includes(role, "owner"),
        },
    }


def _read_body() -> Credentials:
    try:
        return Credentials.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        name = str(place[0]) if place else "email"
        raise BadRequest(WANTED, name) from error
