"""Tokens of programs: shown once when they are made, kept as hashes, refused from the moment they are revoked."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, or_, select, update

from kamioi_web.auth.sessions import TOUCH_EVERY, Admin, hash_token, note_use
from kamioi_web.db import Database
from kamioi_web.errors import BadRequest
from kamioi_web.schema import SCOPES, admins, api_tokens

FORM = re.compile(r"kam_[A-Za-z0-9_-]{43}", re.ASCII)
RECOGNISED = 8  # characters of a token that are kept, to tell it from others
MOST = 100  # tokens that one admin may have at work, and logins of programs beside them
LONGEST_NAME, LONGEST_DAYS = 80, 366
FORGOTTEN_AFTER = timedelta(days=30)  # a token that ended stays in the list for so long
LOGIN = ""  # the name of a token that a login gave; those that admins make have names
t = api_tokens.c
FIND = (
    select(admins.c.id, admins.c.email, admins.c.role, admins.c.preferences, t.token_hash, t.seen_at, t.scope)
    .join_from(api_tokens, admins, admins.c.id == t.admin_id)
    .where(
        t.token_hash == bindparam("token_hash"),
        t.revoked_at.is_(None),
        t.expires_at > bindparam("now"),
        admins.c.active,
    )
)


class Token(NamedTuple):
    """One token as its list shows it; what it opens the door with is kept nowhere."""

    id: int
    prefix: str
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None


class Made(NamedTuple):
    """A new token: `secret` is what a program sends, and is not to be had again."""

    id: int
    prefix: str
    secret: str


def create_token(connection: Connection, admin_id: int, name: str, scope: str, now: datetime, days: float) -> Made:
    """Make a token that lasts so many days; those that ended long ago are removed on the way."""
    secret = f"kam_{secrets.token_urlsafe(32)}"
    values = {"token_hash": hash_token(secret), "prefix": secret[:RECOGNISED], "admin_id": admin_id, "name": name}
    times = {"created_at": now, "expires_at": now + timedelta(days=days)}
    made = connection.execute(insert(api_tokens).values(**values, **times, scope=scope).returning(t.id)).scalar_one()
    over = or_(t.expires_at < now - FORGOTTEN_AFTER, t.revoked_at < now - FORGOTTEN_AFTER)
    connection.execute(delete(api_tokens).where(t.admin_id == admin_id, over))
    return Made(made, secret[:RECOGNISED], secret)


def create_named(connection: Connection, admin_id: int, name: str, scope: str, now: datetime, days: int) -> Made:
    """A token that an admin asked for; BadRequest says what is wrong with the name, the scope or the days."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadRequest(f"A token needs a name of 1 to {LONGEST_NAME} characters, so that it is known later.", "name")
    if scope not in SCOPES:
        raise BadRequest(f"“{scope[:40]}” is not a scope. It is one of: {', '.join(SCOPES)}.", "scope")
    if not 1 <= days <= LONGEST_DAYS:
        raise BadRequest(f"A token lasts 1 to {LONGEST_DAYS} days.", "days")
    if len(_at_work(connection, admin_id, t.name != LOGIN, now)) >= MOST:
        raise BadRequest(f"You have {MOST} tokens, which is the most. Revoke one that is not needed any more.", "name")
    return create_token(connection, admin_id, name, scope, now, days)


def create_login(connection: Connection, admin_id: int, now: datetime, days: float) -> Made:
    """The token that a login of a program gives. Programs that never log out are held to MOST: the oldest ends."""
    beyond = _at_work(connection, admin_id, t.name == LOGIN, now)[MOST - 1 :]
    connection.execute(update(api_tokens).where(t.id.in_(beyond)).values(revoked_at=now))
    return create_token(connection, admin_id, LOGIN, "write", now, days)


def find_token(connection: Connection, secret: str, now: datetime) -> Admin | None:
    """The active admin whose token this is, unless it was revoked or is too old. One statement, by unique index."""
    if not FORM.fullmatch(secret):
        return None
    row = connection.execute(FIND, {"token_hash": hash_token(secret), "now": now}).first()
    return Admin(*row) if row else None


def revoke_token(connection: Connection, admin_id: int, id: int, now: datetime) -> Token | None:
    """End a token of this admin; returns it, or None when there is no such token or it was revoked already."""
    mine = update(api_tokens).where(t.id == id, t.admin_id == admin_id, t.revoked_at.is_(None))
    row = connection.execute(mine.values(revoked_at=now).returning(*_shown())).first()
    return Token(*row) if row else None


def revoke_secret(connection: Connection, secret_hash: str, now: datetime) -> Token | None:
    """End the token with that hash."""
    mine = update(api_tokens).where(t.token_hash == secret_hash, t.revoked_at.is_(None))
    row = connection.execute(mine.values(revoked_at=now).returning(*_shown())).first()
    return Token(*row) if row else None


def list_tokens(connection: Connection, admin_id: int) -> Sequence[Token]:
    """An admin's tokens that were not revoked, the newest first: at work, or expired not long ago."""
    query = select(*_shown()).where(t.admin_id == admin_id, t.revoked_at.is_(None))
    return [Token(*row) for row in connection.execute(query.order_by(t.id.desc()).limit(4 * MOST))]


def touch(database: Database, admin: Admin, now: datetime) -> bool:
    """Note that the token is in use, every five minutes at most and without waiting; False when nothing was noted."""
    if admin.seen_at and now - admin.seen_at < TOUCH_EVERY:
        return False
    return note_use(database, update(api_tokens).where(t.token_hash == admin.session).values(seen_at=now))


def _at_work(connection: Connection, admin_id: int, kind: ColumnElement[bool], now: datetime) -> Sequence[int]:
    """Ids of the tokens of that kind that open the door, the newest first."""
    at_work = (t.admin_id == admin_id, kind, t.revoked_at.is_(None), t.expires_at > now)
    return connection.scalars(select(t.id).where(*at_work).order_by(t.id.desc()).limit(MOST + 1)).all()


def _shown() -> tuple:
    return (t.id, t.prefix, t.name, t.scope, t.created_at, t.expires_at, t.seen_at)
