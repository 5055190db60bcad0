"""Sessions of admins, kept in the database: only the hash of a token is stored, and ending one ends it at once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Update, bindparam, delete, insert, select, update

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.schema import ROLES, admin_sessions, admins
from kamioi_web.settings import Settings

TOUCH_EVERY = timedelta(minutes=5)
# Built once: what remains for each request is the look-up in SQLAlchemy's cache and one indexed read.
FIND = (
    select(
        admins.c.id,
        admins.c.email,
        admins.c.role,
        admins.c.preferences,
        admin_sessions.c.token_hash,
        admin_sessions.c.seen_at,
    )
    .join_from(admin_sessions, admins, admins.c.id == admin_sessions.c.admin_id)
    .where(
        admin_sessions.c.token_hash == bindparam("token_hash"),
        admin_sessions.c.revoked_at.is_(None),
        admin_sessions.c.expires_at > bindparam("now"),
        admin_sessions.c.seen_at > bindparam("used_since"),
        admins.c.active,
    )
)


@dataclass(frozen=True, slots=True)
class Admin:
    """Who is asking, as the look-up of their session or token found them."""

    id: int
    email: str
    role: str
    preferences: dict[str, Any]
    session: str  # the hash of the session's token, or of the program's
    seen_at: datetime | None
    scope: str = "write"

    def may(self, role: str) -> bool:
        """Whether this admin's role includes the other."""
        return includes(self.role, role)


def includes(role: str, other: str) -> bool:
    """Whether a role may do what the other may."""
    return ROLES.index(role) >= ROLES.index(other)


def hash_token(token: str) -> str:
    """What is stored of a token. It is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_session(connection: Connection, admin_id: int, now: datetime, days: float) -> str:
    """Begin a session and return its token; the admin's sessions that are over are removed on the way."""
    over = admin_sessions.c.expires_at < now
    connection.execute(delete(admin_sessions).where(admin_sessions.c.admin_id == admin_id, over))
    token = secrets.token_urlsafe(32)
    values = {"token_hash": hash_token(token), "admin_id": admin_id, "created_at": now, "seen_at": now}
    connection.execute(insert(admin_sessions).values(**values, expires_at=now + timedelta(days=days)))
    return token


def find_session(connection: Connection, token: str, now: datetime, idle: timedelta) -> Admin | None:
    """The active admin whose session this is, unless it was ended, is too old, or was unused for `idle`.

    One statement; it reads by the primary keys of admin_sessions and admins.
    """
    given = {"token_hash": hash_token(token), "now": now, "used_since": now - idle}
    row = connection.execute(FIND, given).first()
    return Admin(*row) if row else None


def end_session(connection: Connection, token: str, now: datetime) -> int | None:
    """End a session; returns whose it was, or None when it was over or never was."""
    mine = (admin_sessions.c.token_hash == hash_token(token), admin_sessions.c.revoked_at.is_(None))
    ended = update(admin_sessions).where(*mine).values(revoked_at=now).returning(admin_sessions.c.admin_id)
    return connection.scalar(ended)


def without_waiting(settings: Settings) -> Database:
    """A connection of its own, made when first used, for writes that are skipped rather than waited for."""
    limits = {"pool_size": 1, "pool_seconds": 0.05, "lock_seconds": 0.001}
    return Database(settings.model_copy(update=limits))


def touch(database: Database, admin: Admin, now: datetime, idle: timedelta) -> bool:
    """Note that the session is in use, every five minutes at most; False when nothing was noted.

    The request itself reads on a connection that cannot write. This is a transaction of one row beside it; when
    another writer is at work it is left for the next request, so that a read never waits for a write.
    """
    if admin.seen_at and now - admin.seen_at < min(TOUCH_EVERY, idle / 4):
        return False
    mine = admin_sessions.c.token_hash == admin.session
    return note_use(database, update(admin_sessions).where(mine).values(seen_at=now))


def note_use(database: Database, statement: Update) -> bool:
    """Run a statement that may be left for the next time; False when another writer was at work."""
    try:
        with database.writing() as connection:
            database.dialect.limit_waits(connection, database.settings.lock_seconds)
            connection.execute(statement)
    except KamioiError:  # busy
        return False
    return True
