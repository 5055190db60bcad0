"""An app over one database, asked inside this process, and the same database through its bare driver."""

import io
import sqlite3
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
from sqlalchemy import event, insert

from kamioi_web import create_app
from kamioi_web.auth import cookies, sessions
from kamioi_web.db import Database
from kamioi_web.dialects.sqlite import prepare
from kamioi_web.schema import admins, from_micros
from tests.benchmarks.stores import Stored, settings_for

Statement = tuple[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode()


class Target:
    """One database with an app on it and an admin who is logged in."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.settings = settings_for(stored.url)
        self.app = create_app(self.settings)
        self.database: Database = self.app.extensions["database"]
        self.cookie = f"{cookies.SESSION}={begin_session(self.database)}"
        self.raw: Any = connect(stored.url)

    @property
    def name(self) -> str:
        return self.stored.name

    def ask(self, path: str, encoding: str = "") -> Answer:
        """GET a path, as a WSGI server would hand it over."""
        began: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], error: object = None
        ) -> Callable[[bytes], object]:
            began.extend((status, headers))
            return began.append

        parts: Any = self.app.wsgi_app(self._environ(path, encoding), start_response)
        body = b"".join(parts)
        getattr(parts, "close", lambda: None)()
        return Answer(int(began[0].split()[0]), body, dict(began[1]))

    def forget(self) -> None:
        """Empty the cache of aggregates."""
        aggregates = self.app.extensions["aggregates"]
        aggregates.local.clear()
        aggregates.shared.clear()

    def statements(self, path: str, kept: bool) -> list[Statement]:
        """The statements that one request runs to read, with the figures `kept` from a request before it or not."""
        self.forget()
        if kept:
            self.ask(path)
        with _recorded(self.database) as found:
            self.ask(path)
        return [(text, given) for text, given in found if text.lstrip().startswith(("SELECT", "WITH"))]

    def read(self, statement: str, *given: Any) -> list[tuple]:
        """Rows through the bare driver; placeholders are question marks."""
        sql = statement if self.stored.kind == "sqlite" else statement.replace("?", "%s")
        return self.raw.execute(sql, given).fetchall()

    def moment(self, value: Any) -> datetime:
        """A time as the bare driver gives it, as a datetime in UTC."""
        return from_micros(value) if isinstance(value, int) else value.astimezone(UTC)

    def backends(self) -> tuple[int | None, int | None]:
        """The server processes behind the app and behind the bare driver; None where the database is a file."""
        if self.stored.kind == "sqlite":
            return None, None
        with self.database.reading() as connection:
            app = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        return app, self.raw.info.backend_pid

    def close(self) -> None:
        self.raw.close()
        self.database.close()

    def _environ(self, path: str, encoding: str) -> dict[str, Any]:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": unquote(path), "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_COOKIE": self.cookie,
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
            "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        }  # fmt: skip
        return environ | ({"HTTP_ACCEPT_ENCODING": encoding} if encoding else {})


def connect(url: str) -> Any:
    """The bare driver's connection, set up as the app sets up its own."""
    if not url.startswith("sqlite"):
        return psycopg.connect(url, autocommit=True)
    connection = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
    prepare(connection)
    return connection


def begin_session(database: Database) -> str:
    """The token of a session of an admin who is made for it."""
    now = datetime.now(UTC)
    values = {"email": f"bench-{now.timestamp()}@example.com", "password_hash": "none", "role": "owner"}
    with database.writing() as connection:
        added = insert(admins).values(**values, active=True, preferences={}, created_at=now).returning(admins.c.id)
        return sessions.create_session(connection, connection.execute(added).scalar_one(), now, 7)


@contextmanager
def _recorded(database: Database) -> Generator[list[Statement]]:
    found: list[Statement] = []

    def record(connection: Any, cursor: Any, statement: str, given: Any, context: Any, many: bool) -> None:
        found.append((statement, given))

    event.listen(database.reader, "before_cursor_execute", record)
    try:
        yield found
    finally:
        event.remove(database.reader, "before_cursor_execute", record)
