"""What the tests on data share: rows that look random, a second way to filter them, and reading pages."""

import html
import random
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from conftest import micros
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from kamioi_web.db import Database
from kamioi_web.schema import ACCOUNT_TYPES, SOURCES, merchants, transactions, users

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = micros("2024-01-15T00:00:00")
CATEGORIES = ("Groceries", "Dining", "Travel", "Fuel & Co")
TICKERS = ("SBUX", "AAPL", "BRK.B", None, None)
STATUS_CHANCES = {"completed": 50, "mapped": 20, "pending": 12, "failed": 8, "needs_review": 6, "rejected": 4}
USERS, MERCHANTS = 12, 30
Rows = list[dict[str, Any]]

# Filters that a list offers: served by an index, by several merged, from the totals, by the bounded scan, and mixed.
FILTERS = (
    "",
    "status=failed",
    "status=failed&status=needs_review&status=rejected",
    "status=completed",
    "status=completed&status=failed",
    "account_type=family",
    "category=Dining&category=Fuel%20%26%20Co",
    "ticker=SBUX",
    "ticker=SBUX&ticker=BRK.B",
    "merchant_id=3",
    "merchant=shop%20beta",
    "merchant=beta%20shop&status=failed",
    "user=I2",
    "user=I2&status=completed",
    "merchant_id=1&user=I1",
    "since=2024-03-01&until=2024-08-31",
    "since=2024-08-20&category=Travel",
    "status=pending&until=2024-03-01",
    "amount_min=10&amount_max=20",
    "amount_max=-0.01",
    "source=manual&source=import",
    "currency=CAD",
    "ticker=AAPL&currency=CAD",
    "user=I1&amount_min=1000",
    "status=failed&source=receipt&account_type=business",
    "kind=refund",
    "kind=purchase&account_type=family&since=2024-02-10&until=2024-09-05",
    "ticker=SBUX&since=2024-02-10&until=2024-09-05",
    "merchant_id=3&since=2024-02-01&until=2024-08-31",
    "merchant=shop%20beta&until=2024-08-31",
)


def random_rows(count: int, seed: int = 1) -> Rows:
    """Rows with many equal times, crowded hours, empty months, two currencies and refunds."""
    chance = random.Random(seed)
    months = [START + month * 31 * DAY for month in (0, 1, 2, 7, 8, 19)]  # and nothing between them
    crowd = [chance.choice(months) + chance.randrange(20) * DAY + 9 * HOUR for _ in range(4)]
    return [_random_row(chance, months, crowd, f"{seed}-{number}") for number in range(count)]


def _random_row(chance: random.Random, months: list[int], crowd: list[int], reference: str) -> dict[str, Any]:
    crowded = chance.random() < 0.3
    at = chance.choice(crowd) if crowded else chance.choice(months) + chance.randrange(28 * 24) * HOUR
    at += chance.choice((0, 0, 1, 1_000_000, 59 * 60_000_000, HOUR - 1, chance.randrange(HOUR)))
    return {
        "user_id": 1 + int(USERS * chance.random() ** 2), "merchant_id": 1 + int(MERCHANTS * chance.random() ** 2),
        "posted_at": at, "amount_cents": chance.choice((-500, 1, 999, 1250, 1250, 10_000, 123_456)),
        "currency": "CAD" if chance.random() < 0.1 else "USD",
        "round_up_cents": chance.choice((0, 37, 100)), "fee_cents": chance.choice((0, 25)),
        "category": chance.choice(CATEGORIES), "ticker": chance.choice(TICKERS),
        "status": chance.choices(list(STATUS_CHANCES), list(STATUS_CHANCES.values()))[0],
        "account_type": chance.choice(ACCOUNT_TYPES), "source": chance.choice(SOURCES), "source_ref": reference,
    }  # fmt: skip


def add_directory(database: Database) -> None:
    """The users (account numbers I1 and so on) and merchants that random_rows speaks of."""
    made = micros("2023-01-01T00:00:00")
    people = [
        (id, f"I{id}", f"user{id}@example.com", f"User {id}", "individual", "active", 100, made)
        for id in range(1, USERS + 1)
    ]
    shops = [
        (id, f"SHOP NO {id:02d}", f"Shop {'Alpha' if id % 3 else 'Beta'} {id:02d}", made, made)
        for id in range(1, MERCHANTS + 1)
    ]
    with database.writing() as connection:
        columns = ["id", "account_number", "email", "name", "account_type", "status", "round_up_cents", "created_at"]
        database.dialect.bulk_insert(connection, users, columns, people)
        columns = ["id", "descriptor", "name", "first_seen", "last_seen"]
        database.dialect.bulk_insert(connection, merchants, columns, shops)
        for table in ("users", "merchants"):
            database.dialect.restart_ids(connection, table)


def stored(database: Database, query: str = "") -> list[Any]:
    """The rows that a filter (as it stands in a URL) should show, newest first, picked here and not by the project."""
    t = transactions.c
    joined = transactions.join(merchants, merchants.c.id == t.merchant_id).join(users, users.c.id == t.user_id)
    owner = (users.c.account_number, users.c.name.label("user_name"), users.c.email.label("user_email"))
    wide = select(transactions, merchants.c.name.label("merchant"), merchants.c.descriptor, *owner)
    with database.reading(60) as connection:
        rows = connection.execute(wide.select_from(joined)).fetchall()
    wanted: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        wanted.setdefault(name, []).append(value)
    kept = [row for row in rows if all(MATCH[name](row, values) for name, values in wanted.items())]
    return sorted(kept, key=lambda row: (row.posted_at, row.id), reverse=True)


def _cents(text: str) -> int:
    return round(float(text) * 100)


def _midnight(text: str, later: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later)


MATCH: dict[str, Callable[[Any, list[str]], bool]] = {
    **{
        name: lambda row, values, name=name: getattr(row, name) in values
        for name in ("status", "account_type", "category", "ticker", "source", "currency")
    },
    "kind": lambda row, values: ("refund" if row.amount_cents < 0 else "purchase") in values,
    "merchant_id": lambda row, values: row.merchant_id == int(values[0]),
    "merchant": lambda row, values: all(
        word in f"{row.descriptor} {row.merchant}".lower() for word in values[0].lower().split()
    ),
    "user": lambda row, values: row.account_number == values[0],
    "since": lambda row, values: row.posted_at >= _midnight(values[0]),
    "until": lambda row, values: row.posted_at < _midnight(values[0], 1),
    "amount_min": lambda row, values: row.amount_cents >= _cents(values[0]),
    "amount_max": lambda row, values: row.amount_cents <= _cents(values[0]),
}


def cursor_of(row: Any) -> str:
    """A row's place as the page writes it."""
    return f"{row.posted_at.isoformat()[:-6]}Z~{row.id}"


def url(path: str, query: str = "", **extra: object) -> str:
    """A path with a filter and more parameters."""
    parts = [part for part in (query, urlencode(extra)) if part]
    return path + ("?" + "&".join(parts) if parts else "")


def ids_in(answer: str) -> list[int]:
    """The ids of the rows in a page or a fragment, in its order."""
    return [int(id) for id in re.findall(r'<tr id="[a-z]+-(\d+)"', answer)]


def sentinel(answer: str, side: str) -> str | None:
    """Where the sentinel of that side, `older` or `newer`, reads on."""
    parameter = {"older": "after", "newer": "before"}[side]
    found = re.findall(r'<tbody class="more[^"]*" hx-get="([^"]+)"', answer)
    links = [html.unescape(link) for link in found]
    return next((link for link in links if re.search(rf"[?&]{parameter}=", link)), None)


def total_in(answer: str) -> tuple[str, int]:
    """('data-total' or 'data-total-at-least', the number) of a page."""
    found = re.search(r"(data-total(?:-at-least)?)=\"(\d+)\"", answer)
    assert found, answer[:500]
    return found[1], int(found[2])


def get(
    client: FlaskClient, address: str, status: int = 200, htmx: bool = False, headers: dict[str, str] | None = None
) -> Any:
    """The answer to a GET; the status is checked."""
    answer = client.get(address, headers={"HX-Request": "true"} if htmx else headers)
    assert answer.status_code == status, (address, answer.status_code, answer.text[:800])
    return answer


def scroll(client: FlaskClient, answer: str, side: str, between: Callable[[], None] = lambda: None) -> list[int]:
    """Follow the sentinels of one side to the end of the list; the ids in the order in which they came.

    `between` runs before each request. Upwards, each chunk is still newest first, so it is turned round.
    """
    seen: list[int] = []
    for _ in range(2_000):
        link = sentinel(answer, side)
        if link is None:
            return seen
        between()
        answer = get(client, link, htmx=True).text
        ids = ids_in(answer)
        seen += ids if side == "older" else ids[::-1]
    raise AssertionError("the list does not end")


@contextmanager
def statements_of(engine: Engine) -> Generator[list[tuple[str, Any]]]:
    """The (statement, parameters) that run on an engine inside, in order."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
