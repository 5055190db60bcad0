"""A site that dies, and a browser that notices."""

import re
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert

from faults.workers import Process, environment, wait_until
from kamioi_web.auth import cookies, sessions
from kamioi_web.db import Database
from kamioi_web.schema import admins

TESTS = Path(__file__).parents[1]


@contextmanager
def dying_site(database: Database, folder: Path) -> Generator[tuple[str, int]]:
    """A site whose process dies once, after the commit of a form and before its answer; gunicorn begins another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    words = [sys.executable, "-m", "faults.dying_site", str(address[1]), str(folder / "died")]
    process = Process(folder / "site.log", words, environment(database), TESTS)
    try:
        wait_until(lambda: _listens(address), "the site listens")
        yield address
    finally:
        process.send(15)
        process.process.wait(60)


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, 1):
            return True
    except OSError:
        return False


class Browser:
    """As much of a browser as a form needs: cookies, the token of forms, and a connection that may break."""

    def __init__(self, address: tuple[str, int], database: Database) -> None:
        self.address = address
        self.cookies = {cookies.SESSION: _session(database)}

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; where it leads to. ConnectionError when no answer came."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self._ask("GET", "/settings").read().decode())
        assert token
        answer = self._ask("POST", path, urlencode({**fields, "csrf_token": token[1]}))
        assert answer.status == 303, answer.read()
        return answer.headers["Location"]

    def post_or_none(self, path: str, fields: dict[str, str]) -> str | None:
        """The same; None when no answer came."""
        try:
            return self.post(path, fields)
        except (ConnectionError, HTTPException):
            return None

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        connection = HTTPConnection(*self.address, timeout=30)
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": sent, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer


def _session(database: Database) -> str:
    now = datetime.now(UTC)
    values = {"email": f"tester-{now.timestamp()}@example.com", "password_hash": "none", "role": "operator"}
    with database.writing() as connection:
        added = insert(admins).values(**values, active=True, preferences={}, created_at=now).returning(admins.c.id)
        return sessions.create_session(connection, connection.execute(added).scalar_one(), now, 7)
