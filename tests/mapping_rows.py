"""Mappings that look random, and a second way to filter them."""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from conftest import micros
from helpers import DAY, HOUR, MERCHANTS, START, add_directory
from sqlalchemy import insert, select, update

from kamioi_web.db import Database
from kamioi_web.schema import MAPPING_SOURCES, admins, from_micros, llm_mappings, merchants

CHANCES = {"pending": 25, "approved": 50, "rejected": 15, "superseded": 10}
TICKERS = ("SBUX", "AAPL", "BRK.B", None)
DECIDERS = {901: "ann@example.com", 902: "bo@example.com"}
Row = dict[str, Any]


def add_mappings(database: Database, count: int = 400, seed: int = 1) -> None:
    """Merchants (see add_directory) with mappings of every kind, many at one moment; some merchants have theirs in
    force, with a ticker or with none."""
    add_directory(database)
    with database.writing() as connection:
        connection.execute(insert(admins), [_admin(id, email) for id, email in DECIDERS.items()])
    add_more(database, count, seed)
    with database.writing() as connection:
        for mapping in connection.execute(select(llm_mappings).where(llm_mappings.c.status == "approved")).all():
            values = {"mapping_id": mapping.id, "ticker": mapping.ticker, "company": mapping.company,
                      "category": mapping.category}  # fmt: skip
            connection.execute(update(merchants).where(merchants.c.id == mapping.merchant_id).values(values))


def add_more(database: Database, count: int, seed: int) -> None:
    """Further mappings of the same merchants, none of them in force."""
    chance = random.Random(seed)
    with database.writing() as connection:
        connection.execute(insert(llm_mappings), [_random(chance) for _ in range(count)])


def _admin(id: int, email: str) -> Row:
    at = from_micros(micros("2023-01-01T00:00:00"))
    return {"id": id, "email": email, "password_hash": "none", "role": "reviewer", "active": True, "preferences": {},
            "created_at": at}  # fmt: skip


def _random(chance: random.Random) -> Row:
    status = chance.choices(list(CHANCES), list(CHANCES.values()))[0]
    created = START + chance.randrange(90) * DAY + chance.choice((0, 0, HOUR, chance.randrange(DAY)))
    ticker = chance.choice(TICKERS)
    decided = status != "pending"
    return {
        "merchant_id": 1 + int(MERCHANTS * chance.random() ** 2),
        "ticker": ticker, "company": f"{ticker} & Co" if ticker else None,
        "category": chance.choice(("Dining", "Travel", "Fuel & Co", None)),
        "confidence": chance.choice((0.0, 0.25, 0.5, 0.899, 0.9, 0.935, 1.0)), "status": status,
        "source": chance.choice(MAPPING_SOURCES), "source_ref": None,
        "model": chance.choice(("small-1", None)), "rationale": "because", "version": 1,
        "decided_by": chance.choice((*DECIDERS, None)) if decided else None,
        "decided_at": from_micros(created + HOUR) if decided else None, "created_at": from_micros(created),
    }  # fmt: skip


def stored_mappings(database: Database, query: str = "") -> list[Any]:
    """The mappings that a filter (as it stands in a URL) should show, newest first, picked here."""
    m = llm_mappings.c
    joined = llm_mappings.join(merchants, merchants.c.id == m.merchant_id).outerjoin(
        admins, admins.c.id == m.decided_by
    )
    wide = select(llm_mappings, merchants.c.name.label("merchant"), merchants.c.descriptor, admins.c.email)
    with database.reading(60) as connection:
        rows = connection.execute(wide.select_from(joined)).fetchall()
    return picked(rows, query, MATCH, lambda row: (row.created_at, row.id))


def picked(rows: Any, query: str, match: dict[str, Callable[[Any, list[str]], bool]], order: Any) -> list[Any]:
    """The rows that every parameter of a query lets through, newest first."""
    wanted: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        wanted.setdefault(name, []).append(value)
    kept = [row for row in rows if all(match[name](row, values) for name, values in wanted.items())]
    return sorted(kept, key=order, reverse=True)


def holds(row: Any, text: str) -> bool:
    """Whether a row's merchant holds these words."""
    written = f"{row.descriptor} {row.merchant}".lower()
    return all(word in written for word in text.lower().split())


MATCH: dict[str, Callable[[Any, list[str]], bool]] = {
    **{
        name: lambda row, values, name=name: getattr(row, name) in values
        for name in ("status", "source", "ticker", "category")
    },
    "confidence_min": lambda row, values: row.confidence >= float(values[0]),
    "confidence_max": lambda row, values: row.confidence <= float(values[0]),
    "merchant": lambda row, values: holds(row, values[0]),
    "merchant_id": lambda row, values: row.merchant_id == int(values[0]),
    "decided_by": lambda row, values: row.email == values[0],
    "since": lambda row, values: row.created_at.date().isoformat() >= values[0],
    "until": lambda row, values: row.created_at.date().isoformat() <= values[0],
}
