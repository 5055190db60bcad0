"""The dashboard served to a browser, and what the tests ask of a page in it."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page
from sqlalchemy import insert, select
from werkzeug.serving import make_server

from kamioi_web import create_app, loading
from kamioi_web.auth import cookies, sessions
from kamioi_web.db import Database
from kamioi_web.schema import admins, to_micros, transactions
from kamioi_web.settings import Settings

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SESSION = cookies.SESSION

# The first row below the sticky parts, and how many pixels of it they cover (or leave free, when negative).
TOP_ROW = """() => {
  const head = document.querySelector('#list thead').getBoundingClientRect().bottom;
  const filters = document.getElementById('filters').getBoundingClientRect().bottom;
  const edge = matchMedia('(width < 720px)').matches ? filters : Math.max(head, filters);
  for (const row of document.querySelectorAll('tr[data-c]')) {
    const box = row.getBoundingClientRect();
    if (box.bottom > edge + 4) return {cursor: row.dataset.c, id: Number(row.dataset.id), covered: edge - box.top};
  }
  return null;
}"""
SETTLED = f"() => {{ const top = ({TOP_ROW})(); return top && location.search.endsWith('at=' + top.cursor); }}"
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(frozen=True)
class Site:
    """A running dashboard and its database."""

    url: str
    database: Database

    def begin_session(self) -> str:
        """The session of a new admin, without the time that a password takes."""
        now = datetime.now(UTC)
        values = {"email": f"tester-{now.timestamp()}@example.com", "password_hash": "none", "role": "owner"}
        with self.database.writing() as connection:
            added = insert(admins).values(**values, active=True, preferences={}, created_at=now).returning(admins.c.id)
            return sessions.create_session(connection, connection.execute(added).scalar_one(), now, 7)

    def rows(self, *where: Any) -> list[Any]:
        """The transactions that meet the conditions, newest first."""
        order = (transactions.c.posted_at.desc(), transactions.c.id.desc())
        with self.database.reading(60) as connection:
            return list(connection.execute(select(transactions).where(*where).order_by(*order)).fetchall())

    def add(self, *posted: datetime) -> None:
        """Insert a transaction at each of those moments."""
        now = datetime.now(UTC)
        plain = {
            "user_id": 1, "merchant_id": 1, "amount_cents": 1250, "currency": "USD", "round_up_cents": 100,
            "fee_cents": 0, "category": "Shopping", "status": "completed", "ticker": None, "account_type": "individual",
            "source": "bank", "created_at": to_micros(now),
        }  # fmt: skip
        rows = []
        for at in posted:
            row = plain | {"posted_at": to_micros(at), "source_ref": f"added-{datetime.now(UTC).timestamp()}-{at}"}
            rows.append(tuple(row[name] for name in loading.TRANSACTION_COLUMNS))
        with self.database.writing() as connection:
            loading.load_transactions(connection, rows)


@contextmanager
def serve(settings: Settings) -> Generator[Site]:
    """Serve the dashboard on a port of its own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    database = Database(settings)
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", database)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.close()
        for name in ("database", "database_without_waiting"):
            if name in app.extensions:
                app.extensions[name].close()


def ids_of(page: Page) -> list[int]:
    """The ids of the rows in the page, in its order."""
    return page.evaluate("() => [...document.querySelectorAll('tr[data-c]')].map(row => Number(row.dataset.id))")


def top_row(page: Page) -> dict[str, Any]:
    """{cursor, id, covered} of the first row in sight."""
    return page.evaluate(TOP_ROW)


def wheel(page: Page, pixels: int, times: int = 1) -> None:
    """Turn the wheel over the list, frame by frame."""
    size = page.viewport_size or {"width": 1440, "height": 900}
    page.mouse.move(size["width"] / 2, size["height"] * 0.6)
    for _ in range(times):
        page.mouse.wheel(0, pixels)
        page.evaluate(FRAME)


def settle(page: Page) -> dict[str, Any]:
    """Wait until the address names the first row in sight, and return that row."""
    page.wait_for_function(SETTLED)
    return top_row(page)


def cursor_of(row: Any) -> str:
    """A row's place as the page writes it."""
    return f"{row.posted_at.isoformat()[:-6]}Z~{row.id}"
